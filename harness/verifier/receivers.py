"""What code asks of an object of some class, whatever it calls that object."""

import ast
import re
from collections.abc import Iterable

Receivers = frozenset[str]
"""The last words of what stands for such an object: `store` for `self.store` and for `store`."""


def receivers(modules: Iterable[ast.Module], kind: str, *usual: str) -> Receivers:
    """The names that are declared to be of a class, or given what bears such a name.

    `kind` is a pattern of the class's name, `usual` are names that stand for it undeclared.
    """
    nodes = [node for module in modules for node in ast.walk(module)]
    wanted = re.compile(rf"\b{kind}\b")
    found = set(usual)
    for node in nodes:
        annotation = getattr(node, "annotation", None)
        if annotation is not None and wanted.search(ast.unparse(annotation)):
            found.add(last_word(node.target if isinstance(node, ast.AnnAssign) else node))
    while more := {name for node in nodes for name in _given(node, found)} - found:
        found |= more
    return frozenset(found)


def port(modules: Iterable[ast.Module], kind: str) -> Receivers:
    """The names of what another context offers, by its class: `tariff` for a `Tariff`, and more."""
    return receivers(modules, kind, kind.lower(), f"_{kind.lower()}")


def storage(modules: Iterable[ast.Module]) -> Receivers:
    """The names of a context's storage."""
    return receivers(modules, r"\w*Store", "store", "_store")


def asked(node: ast.AST, of: Receivers) -> frozenset[str]:
    """What code asks of the objects of these names: `self.store.shifts` asks for shifts."""
    attributes = (each for each in ast.walk(node) if isinstance(each, ast.Attribute))
    return frozenset(each.attr for each in attributes if last_word(each.value) in of)


def called(node: ast.AST, of: Receivers) -> frozenset[str]:
    """What code calls of the objects of these names."""
    calls = (each.func for each in ast.walk(node) if isinstance(each, ast.Call))
    attributes = (each for each in calls if isinstance(each, ast.Attribute))
    return frozenset(each.attr for each in attributes if last_word(each.value) in of)


def last_word(node: ast.AST) -> str:
    """A name, or the last part of a dotted one; empty for what is neither."""
    words = (getattr(node, field, None) for field in ("attr", "id", "arg"))
    return next((word for word in words if isinstance(word, str)), "")


def _given(node: ast.AST, names: set[str]) -> list[str]:
    """What an assignment of something that bears one of the names gives it to."""
    if not isinstance(node, ast.Assign | ast.NamedExpr):
        return []
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    pairs = [pair for target in targets for pair in _pairs(target, node.value)]
    return [word for target, value in pairs if value in names and (word := last_word(target))]


def _pairs(target: ast.expr, value: ast.expr) -> list[tuple[ast.expr, str]]:
    """What is assigned to, with the last word of what is: `a, b = c, d` are two."""
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        return [
            (one, last_word(other)) for one, other in zip(target.elts, value.elts, strict=False)
        ]
    return [(target, last_word(value))]
