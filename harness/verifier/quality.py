"""What the code is like before and after a patch: facts that the same rules read in every arm.

Dependencies are those between bounded contexts (`Tree.asked`), so an import and an HTTP call count
alike. What a patch adds between contexts and that none of them owns is one node more, `shared`:
else calls that move into such a file would be gone, which only one program has a place for.
Complexity and cohesion are of what the patch touches: the functions and classes that are on one
side only, by their text without layout (`syntax.fingerprint`); one that moved is not touched.
"""

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TypeVar

from .globs import matches
from .graph import asks
from .job import Settings
from .ownership import SHARED
from .syntax import FunctionNode, fingerprint, without_docstring
from .tree import MAKING, Class, Function, Source, Sources, Tree

T = TypeVar("T", Function, Class)

BLOCK = 6
"""lines, without blank ones and comments, that make a block which can be repeated"""


@dataclass(frozen=True)
class Facts:
    """One side of a patch."""

    asked: Mapping[str, tuple[str, ...]]
    """context -> the others that it asks; only contexts that have code"""
    complexities: tuple[int, ...]
    """cognitive complexity of each touched function that lies in no other"""
    cohesions: tuple[int, ...]
    """LCOM4 of each touched class that has methods"""
    lines: int
    """of Python, without blank ones and comments"""
    repeated_lines: int
    """of them in blocks of BLOCK lines that stand in the tree more than once"""

    def to_json(self) -> dict[str, object]:
        return asdict(self)


def quality(
    base: Mapping[str, bytes], tree: Mapping[str, bytes], settings: Settings
) -> tuple[Facts, Facts]:
    """The facts before and after. Raises Unparsable."""
    before = Tree(base, settings)
    after = Tree(tree, settings, before)
    same = frozenset(before.files) & frozenset(after.files)
    old, new = (
        Sources(tuple(file for file in side.files if file not in same), "what a patch edits")
        for side in (before, after)
    )
    functions = _touched(_outer(old.functions()), _outer(new.functions()))
    classes = _touched(old.classes(), new.classes())
    return (
        _facts(before, functions[0], classes[0]),
        _facts(after, functions[1], classes[1], _between(after, before, settings)),
    )


def _between(after: Tree, before: Tree, settings: Settings) -> list[Source]:
    """The new files that no context owns; those that put a program together do so in any arm."""
    known = {file.path for file in before.files} | settings.renamed.keys()
    loose = (file for file in after.python if file.context == SHARED and file.path not in known)
    return [file for file in loose if not matches(file.path, settings.shared)]


def lack_of_cohesion(node: ast.ClassDef) -> int:
    """LCOM4 (Hitz and Montazeri 1995): groups of methods that share no attribute and no call.

    0 for a class without methods. What only makes an object does not count, since it touches
    everything, nor does what only names a method, as in a Protocol.
    """
    own = (m for m in node.body if isinstance(m, FunctionNode) and m.name not in MAKING)
    methods = {method.name: method for method in own if not _is_stub(method)}
    groups: list[set[str]] = []
    for name, method in methods.items():
        used = {name, *_own(method)}
        apart = [group for group in groups if not group & used]
        joined = [group for group in groups if group & used]
        groups = [*apart, used.union(*joined)]
    return len(groups)


def _is_stub(method: FunctionNode) -> bool:
    body = without_docstring(method.body)
    return all(
        isinstance(part, (ast.Pass, ast.Raise))
        or (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))
        for part in body
    )


def _own(method: FunctionNode) -> Iterator[str]:
    """The attributes and methods of its object that a method uses."""
    told = (one.id for one in method.decorator_list if isinstance(one, ast.Name))
    if "staticmethod" in told:
        return
    own = {each.arg for each in (*method.args.posonlyargs, *method.args.args)[:1]}
    used = (node for node in ast.walk(method) if isinstance(node, ast.Attribute))
    yield from (n.attr for n in used if isinstance(n.value, ast.Name) and n.value.id in own)


def _touched(old: Iterable[T], new: Iterable[T]) -> tuple[list[T], list[T]]:
    """Those that the other side does not have as often."""
    sides = [[(fingerprint(each.node, rename=False), each) for each in side] for side in (old, new)]
    counts = [Counter(text for text, _ in side) for side in sides]
    return _left(sides[0], counts[1]), _left(sides[1], counts[0])


def _outer(functions: Sequence[Function]) -> list[Function]:
    """Those that lie in no other, whose complexity has theirs."""
    inner = {
        id(part)
        for function in functions
        for part in ast.walk(function.node)
        if isinstance(part, FunctionNode) and part is not function.node
    }
    return [function for function in functions if id(function.node) not in inner]


def _left(side: list[tuple[str, T]], others: Counter[str]) -> list[T]:
    others = others.copy()
    left = []
    for text, each in side:
        others[text] -= 1
        if others[text] < 0:
            left.append(each)
    return left


def _facts(
    tree: Tree,
    functions: Iterable[Function],
    classes: Iterable[Class],
    between: Iterable[Source] = (),
) -> Facts:
    there = {name for name, one in tree.contexts.items() if name != SHARED and one.python}
    asked = {name: tuple(sorted(tree.asked[name] & there)) for name in sorted(there)}
    said = {text for file in between for text in file.said}
    if by_shared := tuple(sorted(asks(said, there))):
        asked[SHARED] = by_shared
    found = (lack_of_cohesion(each.node) for each in classes)
    lines, repeated = _repeated(tree.python)
    return Facts(
        asked=asked,
        complexities=tuple(sorted(function.complexity for function in functions)),
        cohesions=tuple(sorted(count for count in found if count)),
        lines=lines,
        repeated_lines=repeated,
    )


def _repeated(files: Iterable[Source]) -> tuple[int, int]:
    """Lines, and how many of them stand in a block that is there more than once."""
    texts = [tuple(_lines(file.text)) for file in files]
    blocks = Counter(block for lines in texts for block in _blocks(lines))
    repeated = 0
    for lines in texts:
        marked: set[int] = set()
        for number, block in enumerate(_blocks(lines)):
            if blocks[block] > 1:
                marked.update(range(number, number + BLOCK))
        repeated += len(marked)
    return sum(map(len, texts)), repeated


def _lines(text: str) -> Iterator[str]:
    stripped = (line.strip() for line in text.splitlines())
    return (line for line in stripped if line and not line.startswith("#"))


def _blocks(lines: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    return (lines[start : start + BLOCK] for start in range(len(lines) - BLOCK + 1))
