"""Constants: names that are given a value outside any function, and what code means by them."""

import ast
from collections.abc import Iterable, Iterator, Mapping

from .syntax import FunctionNode, fingerprint
from .walk import strings

Constants = Mapping[str, tuple[ast.AST, ...]]
"""name -> the values that it is given"""
_DISPLAYS = (ast.Tuple, ast.List, ast.Set)
_COLLECTING = frozenset({"frozenset", "list", "set", "tuple"})


def constants(nodes: Iterable[ast.AST]) -> Constants:
    """The names that files (their classes too) or functions give a value, inner functions aside.

    The fields of a class are no constants: what they are given is a default.
    """
    found: dict[str, tuple[ast.expr, ...]] = {}
    for node in nodes:
        for target, value in _given(node):
            # In a tuple any of the values may be meant.
            for each in ast.walk(target):
                if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
                    found[each.id] = (*found.get(each.id, ()), value)
    return found


def errors(modules: Iterable[ast.Module]) -> Constants:
    """The classes that are raised: what a refusal says may stand in its class."""
    nodes = [node for module in modules for node in ast.walk(module)]
    raised = {
        getattr(part, "id", None) or getattr(part, "attr", None)
        for node in nodes
        if isinstance(node, ast.Raise) and node.exc is not None
        for part in (node.exc, getattr(node.exc, "func", None))
    }
    return {n.name: (n,) for n in nodes if isinstance(n, ast.ClassDef) and n.name in raised}


def words(known: Constants) -> Constants:
    """The constants that stand for plain values or collections of them, not for tables."""
    plain = {name: tuple(v for v in values if _is_plain(v)) for name, values in known.items()}
    return {name: values for name, values in plain.items() if values}


def meant(node: ast.AST, known: Constants) -> Iterator[ast.AST]:
    """The parts of a node, and those of the constants that it names, directly or through others."""
    seen: set[str] = set()
    waiting = [node]
    while waiting:
        for each in ast.walk(waiting.pop()):
            yield each
            name = getattr(each, "id", None) or getattr(each, "attr", None)
            if isinstance(name, str) and name in known and name not in seen:
                seen.add(name)
                waiting += known[name]


def texts(node: ast.AST, known: Constants) -> frozenset[str]:
    """The strings that code says itself or by a constant, docstrings left out."""
    return frozenset(place.text for place in strings("", tuple(meant(node, known))))


def gives_one_thing(modules: Iterable[ast.Module], table: str) -> bool:
    """Whether a dictionary has the same entry for all its keys, as far as entries are written down.

    Such a table tells nothing apart: whoever is behind its one entry has to.
    """
    values = [value for module in modules for value in _entries(module, table)]
    return len(values) > 1 and len({fingerprint(value, rename=False) for value in values}) == 1


def _given(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Assign):
            yield from ((target, child.value) for target in child.targets)
        elif isinstance(child, ast.AnnAssign) and child.value is not None:
            if not isinstance(node, ast.ClassDef) or _is_fixed(child.annotation):
                yield child.target, child.value
        elif isinstance(child, ast.stmt) and not isinstance(child, FunctionNode):
            yield from _given(child)


def _is_fixed(annotation: ast.expr) -> bool:
    return any(mark in ast.unparse(annotation) for mark in ("ClassVar", "Final"))


def _is_plain(value: ast.AST) -> bool:
    if isinstance(value, ast.Call):
        collects = isinstance(value.func, ast.Name) and value.func.id in _COLLECTING
        return collects and all(map(_is_plain, value.args))
    if isinstance(value, _DISPLAYS):
        return all(map(_is_plain, value.elts))
    return isinstance(value, ast.Constant | ast.Name | ast.Attribute)


def _entries(module: ast.Module, table: str) -> Iterator[ast.expr]:
    for node in ast.walk(module):
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            if isinstance(target, ast.Name) and target.id == table:
                yield from _values(node.value)
            elif isinstance(target, ast.Subscript) and ast.unparse(target.value) == table:
                yield node.value


def _values(table: ast.expr) -> Iterator[ast.expr]:
    """The values of a dictionary; one that is given to any number of keys comes twice."""
    if isinstance(table, ast.Dict):
        yield from table.values
    elif isinstance(table, ast.Call) and ast.unparse(table.func) == "dict":
        yield from (keyword.value for keyword in table.keywords)
    elif isinstance(table, ast.Call) and ast.unparse(table.func) == "dict.fromkeys":
        yield from table.args[1:] * 2
    elif isinstance(table, ast.DictComp):
        every = [n for each in table.generators for n in ast.walk(each.target)]
        told = {n.id for n in every if isinstance(n, ast.Name)}
        named = {n.id for n in ast.walk(table.value) if isinstance(n, ast.Name)}
        yield from [table.value] * (1 if told & named else 2)
