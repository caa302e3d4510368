"""Which bounded context asks which, read off the code, the same way in every arm."""

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache

from .walk import imports, strings

Edges = Mapping[str, frozenset[str]]
"""context -> the other contexts that it asks"""


def asks(said: Iterable[str], known: Iterable[str]) -> Iterator[str]:
    """The contexts among `known` that files ask, by what they said (see `said`).

    Another context is asked where something is imported from a place named after it, where a class
    of its name stands in for it (a client, a port), where something is taken from an attribute of
    `self` of its name, and where its address (`<NAME>_URL`) is named.
    """
    heard = frozenset(said)
    return (other for other in known if heard & _signs(other))


def said(path: str, nodes: Collection[ast.AST]) -> frozenset[str]:
    """What a file says of others: places, classes, attributes of `self` and texts, by kind."""
    imported = tuple(imports(path, nodes))
    places = {part for found in imported for part in found.module.split(".")}
    places |= {found.name for found in imported if found.name}
    classes = {node.name for node in nodes if isinstance(node, ast.ClassDef)}
    inner = (node.value for node in nodes if isinstance(node, ast.Attribute))
    own = {node.attr for node in inner if isinstance(node, ast.Attribute) and _is_self(node.value)}
    texts = {place.text for place in strings(path, nodes)}
    told = {"place": places, "class": classes, "self": own, "text": texts}
    return frozenset(f"{kind} {each}" for kind, found in told.items() for each in found)


def cycle(edges: Edges) -> tuple[str, ...] | None:
    """Contexts that ask one another in a circle, the first one again at the end; or None."""
    done: set[str] = set()
    for start in edges:
        found = _circle(edges, (start,), done)
        if found is not None:
            return found
    return None


def _circle(edges: Edges, way: tuple[str, ...], done: set[str]) -> tuple[str, ...] | None:
    here = way[-1]
    for other in sorted(edges.get(here, ())):
        if other in way:
            return (*way[way.index(other) :], other)
        found = None if other in done else _circle(edges, (*way, other), done)
        if found is not None:
            return found
    done.add(here)
    return None


@cache
def _signs(context: str) -> frozenset[str]:
    title = context.title().replace("_", "")
    return frozenset({f"place {context}", f"class {title}", f"class {title}Client",
                      f"self {context}", f"text {context.upper()}_URL"})  # fmt: skip


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"
