"""The view of an app that structural predicates are written against.

It speaks of bounded contexts, so that one predicates.py serves every arm:

    def price_is_one_table(tree: Tree) -> str | None:
        price = tree.context("catalogue").function("price")
        if branches_on(price.node, ["tier"]):
            return f"{price} still branches on the tier"
        return None

A predicate returns None or "" where it holds and else one line saying why not. It may raise
`Missing` (by asking for what is not there) or `Unparsable`: then it does not hold. `tree.base` is
the same view of the untouched app.
"""

import ast
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TypeVar

from .graph import asks, cycle
from .job import Settings
from .ownership import SHARED, Owner, Ownership
from .source import Class, Function, Source
from .stored import Table, created_tables
from .syntax import (
    FunctionNode,
    branches_on,
    cognitive_complexity,
    definitions_equal,
    occurrences,
)
from .walk import (
    Import,
    Place,
    Unparsable,
    calls,
    imports,
    names,
    references,
)

__all__ = [
    "SHARED",
    "Class",
    "Context",
    "Function",
    "Import",
    "Missing",
    "Place",
    "Source",
    "Sources",
    "Table",
    "Tree",
    "Unparsable",
    "branches_on",
    "cognitive_complexity",
    "definitions_equal",
]
T = TypeVar("T")


class Missing(Exception):
    """A definition that is asked for is not there, or is there more than once."""


MAKING = ("__init__", "__new__", "__post_init__", "__attrs_post_init__", "model_post_init")
"""The methods that run when an object is made."""


def _validates(function: Function, made: Class) -> bool:
    told = [ast.unparse(node) for node in function.node.decorator_list]
    own = function.qualname == f"{made.qualname}.{function.name}"
    return own and any("validator" in each for each in told)


class Sources:
    """Some files, and what can be asked of them together."""

    def __init__(self, files: tuple[Source, ...], title: str) -> None:
        self.files = files
        self.title = title

    @cached_property
    def python(self) -> tuple[Source, ...]:
        """The files of Python."""
        return tuple(file for file in self.files if file.is_python)

    def trees(self) -> Iterator[tuple[str, ast.Module]]:
        """The Python files: path and syntax tree. Raises Unparsable."""
        return ((file.path, file.tree) for file in self.python)

    @property
    def modules(self) -> tuple[ast.Module, ...]:
        """The syntax trees of the Python files. Raises Unparsable."""
        return tuple(file.tree for file in self.python)

    def functions(self) -> tuple[Function, ...]:
        """Every function and method, nested ones too."""
        return tuple(
            Function(name, file.path, node)
            for file in self.python
            for name, node in file.definitions
            if isinstance(node, FunctionNode)
        )

    def classes(self) -> tuple[Class, ...]:
        return tuple(
            Class(name, file.path, node)
            for file in self.python
            for name, node in file.definitions
            if isinstance(node, ast.ClassDef)
        )

    def function(self, name: str) -> Function:
        """The one function of that name or qualified name. Raises Missing for none or several.

        A method may share the name of the function that delegates to it: the one at the top counts.
        """
        found = [f for f in self.functions() if name in (f.name, f.qualname)]
        return self._one([f for f in found if f.qualname == name] or found, "function", name)

    def class_(self, name: str) -> Class:
        """The one class of that name. Raises Missing for none or several."""
        found = [c for c in self.classes() if name in (c.name, c.qualname)]
        return self._one(found, "class", name)

    def _one(self, found: Sequence[T], kind: str, name: str) -> T:
        if len(found) == 1:
            return found[0]
        told = f"{len(found)} of them" if found else "none"
        raise Missing(f"{self.title} should have one {kind} {name}, but has {told}")

    def calls(self, name: str | None = None) -> tuple[Place, ...]:
        """Calls by dotted text (`?` for what is no name); with `name`, only those."""
        every = (place for file in self.python for place in calls(file.path, file.nodes))
        return tuple(p for p in every if name is None or p.text.rsplit(".", 1)[-1] == name)

    def names(self) -> frozenset[str]:
        """Every identifier: variables, attributes, parameters, definitions, keywords, imports."""
        return frozenset(name for file in self.python for name in names(file.nodes))

    def string_literals(self) -> tuple[Place, ...]:
        """Strings, the fixed parts of f-strings too, without docstrings."""
        return tuple(place for file in self.python for place in file.strings)

    def tables(self) -> tuple[Table, ...]:
        """The tables that files of SQL and strings of Python create."""
        texts = [place.text for place in self.string_literals()]
        texts += [file.text for file in self.files if file.path.endswith(".sql")]
        return tuple(table for text in texts for table in created_tables(text))

    @property
    def imports(self) -> tuple[Import, ...]:
        return tuple(found for file in self.python for found in imports(file.path, file.nodes))

    def references(self, name: str, *, in_strings: bool = False) -> tuple[Place, ...]:
        """Where an identifier is used, not defined.

        With `in_strings`, also as a whole word in a string, which is how SQL names a table.
        """
        return tuple(
            place
            for file in self.python
            for place in references(file.path, file.nodes, name, in_strings)
        )

    def occurrences(self, pattern: str) -> tuple[Place, ...]:
        """Expressions that look like the pattern; see `syntax.occurrences`."""
        return tuple(
            Place(path, node.lineno, ast.unparse(node))
            for path, tree in self.trees()
            for node in occurrences(tree, pattern)
        )

    def makers(self, made: Class) -> tuple[Function, ...]:
        """What runs whenever one is made: its making, its validators, those of its fields."""
        fields = [part for part in made.node.body if isinstance(part, ast.AnnAssign | ast.Assign)]
        names = {n.id for part in fields for n in ast.walk(part) if isinstance(n, ast.Name)}
        names |= {f"{made.qualname}.{name}" for name in MAKING}
        return tuple(
            each for each in self.functions() if each.qualname in names or _validates(each, made)
        )

    def onward(
        self, *start: Function, by: Callable[[Function], Collection[str]] = Function.names
    ) -> tuple[Function, ...]:
        """Functions, and those here that they name, directly or through others; `by`: which names.

        A method has two names, one with its class. Who names a class has what runs as one is made.
        A name may be an attribute of something else, so this may find too many.
        """
        every = self.functions()
        known = [(name, each) for each in every for name in {each.name, each.qualname}]
        known += [(each.name, maker) for each in self.classes() for maker in self.makers(each)]
        found = list(start)
        for function in found:
            named = by(function)
            leads = {f for name, f in known if name in named}
            found += [f for f in every if f in leads and f not in found]
        return tuple(found)

    def duplicates(self, function: Function) -> tuple[Function, ...]:
        """Other functions with the same code up to names, docstrings and annotations."""
        wanted = function.fingerprint
        return tuple(
            f
            for f in self.functions()
            if f.fingerprint == wanted
            and (f.path, f.node.lineno) != (function.path, function.node.lineno)
        )


class Context(Sources):
    """A bounded context: all its files, and domain and glue apart."""

    def __init__(self, name: str, files: tuple[Source, ...]) -> None:
        super().__init__(files, name)
        self.name = name
        self.domain = Sources(tuple(f for f in files if f.kind == "domain"), f"{name} (domain)")
        self.glue = Sources(tuple(f for f in files if f.kind == "glue"), f"{name} (glue)")


class Tree(Sources):
    """An arm of the app, without its visible tests and protected files."""

    def __init__(
        self, files: Mapping[str, bytes], settings: Settings, base: "Tree | None" = None
    ) -> None:
        self.base = base
        before = {file.path: file for file in base.files} if base else {}
        known = {path: Owner(f.context, f.kind, f.seen) for path, f in before.items()}
        owners = Ownership(files, settings, known if base else None).owners()
        sources = [Source(path, files[path], *owners[path]) for path in sorted(owners)]
        # A patch leaves most files as they are: what was read off them holds for both trees.
        sources = [before[s.path] if before.get(s.path) == s else s for s in sources]
        super().__init__(tuple(sources), "the app")
        self.contexts = {
            name: Context(name, tuple(s for s in sources if name in (s.seen or {s.context})))
            for name in (*settings.contexts, *settings.new_contexts, SHARED)
        }

    def context(self, name: str) -> Context:
        """A context, new files that it shares too; `shared` has the rest. Raises Missing."""
        if name not in self.contexts:
            raise Missing(f"there is no context {name}")
        return self.contexts[name]

    def together(self, *names: str) -> Sources:
        """The files of some contexts."""
        every = (file for file in self.files if (file.seen or {file.context}) & {*names})
        return Sources(tuple(every), " and ".join(names))

    @property
    def programs(self) -> frozenset[str]:
        """The programs that app.toml starts: one for all contexts, or one for each."""
        texts = (file.text for file in self.files if file.path == "app.toml")
        return frozenset(name for text in texts for name in tomllib.loads(text)["programs"])

    def no_part(self, name: str) -> str | None:
        """That a context is not there, or not started where each is for itself, or None."""
        if not self.context(name).functions():
            return f"there is no part {name}"
        if self.programs & self.contexts.keys() and name not in self.programs:
            return f"{name} are not started as the other parts are"
        return None

    @cached_property
    def asked(self) -> Mapping[str, frozenset[str]]:
        """Context -> the other contexts that it asks; see `graph.asks`. Raises Unparsable."""
        names = [name for name in self.contexts if name != SHARED]
        own = {n: [file for file in self.contexts[n].python if not file.seen] for n in names}
        heard = {n: {t for file in own[n] for t in file.said} for n in names}
        return {n: frozenset(asks(heard[n], (o for o in names if o != n))) for n in names}

    def asks_more(self, wanted: Mapping[str, frozenset[str]]) -> str | None:
        """That a context asks one which it should not, in one line, or None."""
        every = ((name, self.asked[name] - others) for name, others in wanted.items())
        return next((f"{name} should not ask {min(more)}" for name, more in every if more), None)

    def asks_otherwise(self, wanted: Mapping[str, frozenset[str]]) -> str | None:
        """That a context asks others than wanted, in one line, or None."""
        every = ((name, others - self.asked[name]) for name, others in wanted.items())
        told = (f"{name} should ask {min(fewer)}" for name, fewer in every if fewer)
        return self.asks_more(wanted) or next(told, None)

    def circle(self) -> tuple[str, ...] | None:
        """Contexts that ask one another in a circle, or None."""
        return cycle(self.asked)
