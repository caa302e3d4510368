"""What an app's files are made of: one function, one class, one file.

`tree` puts them together and exports them: predicates import from there.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from .graph import said
from .plain import plain
from .receivers import last_word
from .syntax import FunctionNode, cognitive_complexity, fingerprint
from .walk import Place, calls, definitions, names, parse, strings

_CALLING = frozenset({"map", "filter", "partial", "starmap", "reduce"})


@dataclass(frozen=True)
class Function:
    """A function or method; `qualname` has its classes and outer functions."""

    qualname: str
    path: str
    node: FunctionNode

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def parameters(self) -> tuple[str, ...]:
        a = self.node.args
        every = (*a.posonlyargs, *a.args, a.vararg, *a.kwonlyargs, a.kwarg)
        return tuple(p.arg for p in every if p is not None)

    @property
    def complexity(self) -> int:
        return cognitive_complexity(self.node)

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.node)

    def calls(self) -> tuple[str, ...]:
        return tuple(place.text for place in calls(self.path, ast.walk(self.node)))

    def called(self) -> frozenset[str]:
        """The last word of each call, of what decorates it, and of what is handed on to `map`."""
        nodes = [each for each in ast.walk(self.node) if isinstance(each, ast.Call)]
        handed = (
            given for each in nodes if last_word(each.func) in _CALLING for given in each.args
        )
        called = (each.func for each in nodes)
        words = {last_word(each) for each in (*called, *self.node.decorator_list, *handed)}
        return frozenset(words - {""})

    def names(self) -> frozenset[str]:
        return frozenset(names(ast.walk(self.node)))

    def string_literals(self) -> frozenset[str]:
        nodes = tuple(ast.walk(self.node))
        return frozenset(place.text for place in strings(self.path, nodes))

    def __str__(self) -> str:
        return f"{self.path}:{self.node.lineno} {self.qualname}"


@dataclass(frozen=True)
class Class:
    """A class and the methods that it defines itself."""

    qualname: str
    path: str
    node: ast.ClassDef

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def bases(self) -> tuple[str, ...]:
        return tuple(ast.unparse(base) for base in self.node.bases)

    @property
    def methods(self) -> tuple[str, ...]:
        return tuple(n.name for n in self.node.body if isinstance(n, FunctionNode))

    @property
    def fields(self) -> tuple[str, ...]:
        """What it declares with a type, in order, as a dataclass does."""
        parts = (part for part in self.node.body if isinstance(part, ast.AnnAssign))
        return tuple(part.target.id for part in parts if isinstance(part.target, ast.Name))

    def mentions(self) -> frozenset[str]:
        """Plain names, also those in quoted annotations."""
        found = {n.id for n in ast.walk(self.node) if isinstance(n, ast.Name)}
        texts = (n.value for n in ast.walk(self.node) if isinstance(n, ast.Constant))
        return frozenset(found | {t for t in texts if isinstance(t, str) and t.isidentifier()})

    def __str__(self) -> str:
        return f"{self.path}:{self.node.lineno} {self.qualname}"


@dataclass(frozen=True)
class Source:
    """One file. `kind` is domain or glue; `seen` has the contexts that share it."""

    path: str
    content: bytes
    context: str
    kind: str
    seen: frozenset[str] = frozenset()

    @cached_property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")

    @property
    def is_python(self) -> bool:
        return self.path.endswith(".py")

    @cached_property
    def tree(self) -> ast.Module:
        """Raises Unparsable on anything that is not plain, reasonably sized Python."""
        return plain(parse(self.path, self.content))

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of the tree. Raises Unparsable."""
        return tuple(ast.walk(self.tree))

    @cached_property
    def definitions(self) -> tuple[tuple[str, FunctionNode | ast.ClassDef], ...]:
        """Functions and classes with their qualified names. Raises Unparsable."""
        return tuple(definitions(self.tree, ""))

    @property
    def statements(self) -> Iterator[ast.stmt]:
        """Those at the top of the file, those of its classes one by one. Raises Unparsable."""
        for statement in self.tree.body:
            yield from statement.body if isinstance(statement, ast.ClassDef) else (statement,)

    @cached_property
    def strings(self) -> tuple[Place, ...]:
        """Strings that are no docstrings. Raises Unparsable."""
        return tuple(strings(self.path, self.nodes))

    @cached_property
    def said(self) -> frozenset[str]:
        """What it says of other contexts; see `graph.said`. Raises Unparsable."""
        return said(self.path, self.nodes)
