"""Are measures and units of the tariff looked up, instead of asked for?"""

import ast
from collections.abc import Iterator

from verifier.constants import Constants, constants, gives_one_thing, meant, texts, words
from verifier.tree import SHARED, Function, Sources, Tree

MEASURES = frozenset({"free", "ad_valorem", "specific", "mixed", "mixed_min", "mixed_max"})
UNITS = frozenset({"100kg", "litre", "piece"})
WORDS = MEASURES | UNITS | {"mixed_"}
FIELDS = frozenset({"measure", "unit"})
HELD = (ast.If, ast.IfExp, ast.For, ast.While, ast.Match, ast.BoolOp, ast.comprehension)


def normal_duty_looks_up_a_measure(tree: Tree) -> str | None:
    duty = tree.context("tariff").function("normal_duty")
    if duty.parameters != ("commodity", "value_cents", "net_g", "units"):
        return f"{duty} should take a commodity, a value, a weight and a number of units"
    if any(isinstance(node, HELD) for node in ast.walk(duty.node)):
        return f"{duty} still holds a condition or a loop"
    if "MEASURES" not in duty.names():
        return f"{duty} does not look into MEASURES"
    return _why_no_table(tree, "MEASURES", MEASURES)


def units_are_looked_up(tree: Tree) -> str | None:
    if not any("UNITS" in _looked_into(f) for f in _owned(tree).functions()):
        return "nothing looks into UNITS"
    return _why_no_table(tree, "UNITS", UNITS)


def nothing_asks_for_a_measure_or_unit(tree: Tree) -> str | None:
    known = _words(tree)
    for file in _owned(tree).python:
        for node in file.nodes:
            if _compares_a_word(node, known) or any(
                _mentions_a_field(test) for test in _tests(node)
            ):
                return f"{file.path}:{getattr(node, 'lineno', 1)} asks for a measure or a unit"
    return None


def _owned(tree: Tree) -> Sources:
    """Where duties may be worked out: a new file need not lie in the tariff."""
    return tree.together("tariff", SHARED)


def _words(tree: Tree) -> Constants:
    """What stands for a word, at the top of a file or within a function."""
    owned = _owned(tree)
    return words(constants([*owned.modules, *(f.node for f in owned.functions())]))


def _looked_into(function: Function) -> set[str]:
    """The names that a function takes an entry of, by index or by a method."""
    found = (
        n.value for n in ast.walk(function.node) if isinstance(n, ast.Subscript | ast.Attribute)
    )
    return {getattr(value, "id", getattr(value, "attr", "")) for value in found}


def _why_no_table(tree: Tree, name: str, keys: frozenset[str]) -> str | None:
    owned = _owned(tree)
    tables = constants(owned.modules).get(name, ())
    if len(tables) != 1:
        return f"{name} should be made in one place, not in {len(tables)}"
    said = {place.text for place in owned.string_literals()}
    table = tables[0]
    if isinstance(table, ast.Dict) and table.keys and None not in table.keys:
        known = _words(tree)
        given = [*filter(None, table.keys), *_added(tree, name)]
        said = {text for key in given for text in texts(key, known)}
    missing = sorted(keys - said)
    if missing:
        return f"{name} has no entry for {missing[0]}"
    if gives_one_thing(owned.modules, name):
        return f"{name} has one and the same entry for everything"
    return None


def _added(tree: Tree, name: str) -> Iterator[ast.expr]:
    """Keys that are given an entry one by one."""
    for file in _owned(tree).python:
        for node in file.nodes:
            added = isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)
            if added and ast.unparse(node.value) == name:
                yield node.slice


def _compares_a_word(node: ast.AST, known: Constants) -> bool:
    asks = isinstance(node, ast.Compare | ast.MatchValue)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        asks = node.func.attr in ("startswith", "endswith", "__eq__")
    return asks and any(
        isinstance(n, ast.Constant) and n.value in WORDS for n in meant(node, known)
    )


def _tests(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        return [node.test]
    if isinstance(node, ast.BoolOp):
        return node.values
    if isinstance(node, ast.Match):
        return [node.subject]
    return node.ifs if isinstance(node, ast.comprehension) else []


def _mentions_a_field(node: ast.expr) -> bool:
    return any(isinstance(n, ast.Attribute) and n.attr in FIELDS for n in ast.walk(node))
