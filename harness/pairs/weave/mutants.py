"""Mutants of an app's domain code: its text with one small thing wrong.

Written over `ast` and the positions in the text: the loom weaves text, and what stands beside the
change must stay as its author wrote it. cosmic-ray writes files through trees of its own and keeps
a database of its own work; mutmut rewrites whole modules into switches that its own runner turns.
Neither gives one changed text.
"""

import ast
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

from harness.pairs.weave.faults import OPERATORS, Text
from harness.pairs.weave.sources import App, Context

_SKIPPED = {"annotation", "returns", "decorator_list"}
"""parts of a node that say nothing about what the code does"""
_Owned = tuple[str, int, ast.AST]


@dataclass(frozen=True)
class Mutant:
    """One fault in one function (or record, or constant) of a context's domain code."""

    id: str
    """context, function, line in it, operator; the second of one line ends in .2"""
    context: str
    function: str
    line: int
    """in the file, from 1"""
    operator: str
    before: str
    after: str
    path: str
    """of the file, below `fixtures/<app>/app/`"""
    text: str
    """of the whole file with the fault in it"""


def find_mutants(app: App) -> list[Mutant]:
    """Every mutant of every context, in the order of the text."""
    return [mutant for context in app.contexts.values() for mutant in _of_context(context)]


def choose_mutants(found: Sequence[Mutant], count: int | None, seed: int) -> list[Mutant]:
    """A sample, as many of each context as there are; None: all of them.

    What a larger sample takes a smaller one is a part of, and a mutant's turn depends on its own
    id and the seed alone.
    """
    queues: dict[str, list[Mutant]] = defaultdict(list)
    for mutant in sorted(found, key=lambda each: _turn(each.id, seed)):
        queues[mutant.context].append(mutant)
    rounds = zip_longest(*(queues[name] for name in sorted(queues)))
    order = [mutant for mutant in chain.from_iterable(rounds) if mutant is not None]
    taken = set(order if count is None else order[:count])
    return [mutant for mutant in found if mutant in taken]


def _turn(name: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}/{name}".encode()).digest()


def _of_context(context: Context) -> Iterator[Mutant]:
    text = Text(context.module.text)
    seen: Counter[str] = Counter()
    for function, first, node in _owned(context.module.tree):
        for operator, find in OPERATORS.items():
            for start, end, after in find(text, node):
                line = text.line(start)
                name = f"{context.name}.{function}.{line - first + 1}.{operator}"
                seen[name] += 1
                yield Mutant(
                    id=name if seen[name] == 1 else f"{name}.{seen[name]}",
                    context=context.name,
                    function=function,
                    line=line,
                    operator=operator,
                    before=text.content[start:end],
                    after=after,
                    path=f"domain/{context.name}.py",
                    text=text.content[:start] + after + text.content[end:],
                )


def _owned(module: ast.Module) -> Iterator[_Owned]:
    """Every node with the name and the first line of what it belongs to, in order of the text."""
    for part in module.body:
        if isinstance(part, ast.ClassDef):
            for inner in part.body:
                own = isinstance(inner, ast.FunctionDef)
                name = f"{part.name}.{inner.name}" if isinstance(inner, ast.FunctionDef) else ""
                yield from _walk(name or part.name, inner.lineno if own else part.lineno, inner)
        elif isinstance(part, ast.FunctionDef):
            yield from _walk(part.name, part.lineno, part)
        elif isinstance(part, ast.Assign | ast.AnnAssign):
            target = part.targets[0] if isinstance(part, ast.Assign) else part.target
            yield from _walk(ast.unparse(target), part.lineno, part)


def _walk(name: str, first: int, node: ast.AST) -> Iterator[_Owned]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring
    yield name, first, node
    if isinstance(node, ast.JoinedStr):
        return  # one text; before Python 3.12 its parts have no positions of their own
    for field, value in ast.iter_fields(node):
        if field not in _SKIPPED:
            parts = value if isinstance(value, list) else [value]
            for part in parts:
                if isinstance(part, ast.AST):
                    yield from _walk(name, first, part)
