"""Is the balance of a quota kept, or still added up from allocations?"""

import ast
import re

from verifier.constants import Constants, constants, texts
from verifier.tree import SHARED, Function, Tree

OWNERS = ("tariff", SHARED)
SIGNATURES = {
    "quota": ("self", "quota_id"),
    "available": ("self", "quota_id", "code", "origin"),
    "assess": ("self", "goods", "granted_g"),
    "draw_quota": ("self", "quota_id", "key", "wanted_g"),
}
READS = re.compile(r"\b(?:FROM|JOIN)\s+\w*allocations\b", re.IGNORECASE)
ADDS = re.compile(r"\bsum\s*\(", re.IGNORECASE)


def a_quota_reads_no_allocations(tree: Tree) -> str | None:
    known = constants(module for name in OWNERS for _, module in tree.context(name).trees())
    for name, parameters in SIGNATURES.items():
        function = tree.context("tariff").domain.function(f"Tariff.{name}")
        if function.parameters != parameters:
            return f"{function} should take {', '.join(parameters[1:])}"
        for reached in _reached(tree, function):
            if _reads(reached, known):
                return f"{function} still gets at allocations through {reached}"
    return None


def the_sum_is_gone(tree: Tree) -> str | None:
    assert tree.base is not None
    found = tree.base.context("tariff").glue.function("granted_of")
    copies = [f for f in tree.functions() if f.fingerprint == found.fingerprint]
    if copies:
        return f"the allocations of a quota are still looked up: {copies[0]}"
    for place in tree.string_literals():
        if READS.search(place.text) and ADDS.search(place.text):
            return f"allocations are still added up in {place.path}:{place.line}"
    return None


def _reads(function: Function, known: Constants) -> bool:
    said = texts(function.node, known)
    # The name of a table may be put into the query.
    return any(READS.search(one + other) for one in said for other in said)


def _reached(tree: Tree, start: Function) -> list[Function]:
    """What a function uses of the tariff and of what is shared, by name, directly or not."""
    known: dict[str, list[Function]] = {}
    for name in OWNERS:
        for function in tree.context(name).functions():
            known.setdefault(function.name, []).append(function)
    found = [start]
    for function in found:
        for name in sorted(_used(function)):
            found += [f for f in known.get(name, []) if f not in found]
    return found


def _used(function: Function) -> set[str]:
    """What is called, and attributes, which may be called elsewhere."""
    places = list(ast.walk(function.node))
    called = {n.func.id for n in places if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    return called | {n.attr for n in places if isinstance(n, ast.Attribute)}
