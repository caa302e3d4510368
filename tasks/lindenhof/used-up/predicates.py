"""Is what a year has used up kept, or still summed up from shares?"""

import ast
import re

from verifier.tree import SHARED, Function, Missing, Tree

SHARES = re.compile(r"\b(?:FROM|JOIN)\s+\w*shares\b", re.IGNORECASE)
OF_A_CLAIM = re.compile(r"\bWHERE\s+(?:\w+\.)?claim_id\s*=", re.IGNORECASE)
ASKED = ("Claims.allowance", "Claims.estimate")
PARAMETERS = {
    "Claims.allowance": ("self", "patient_id", "plan", "year"),
    "Claims.estimate": ("self", "patient_id", "procedures", "diagnoses"),
}


def allowances_and_estimates_read_no_shares(tree: Tree) -> str | None:
    for name in ASKED:
        start = tree.context("claims").domain.function(name)
        if start.parameters != PARAMETERS[name]:
            return f"{start} should take {', '.join(PARAMETERS[name][1:])}"
        for function in _reached(tree, start):
            if any(SHARES.search(text) for text in function.string_literals()):
                return f"{start} still reads shares in {function}"
    return None


def shares_are_read_for_a_claim_alone(tree: Tree) -> str | None:
    for name in ("claims", SHARED):
        for place in tree.context(name).string_literals():
            if SHARES.search(place.text) and not OF_A_CLAIM.search(place.text):
                return f"{place.path}:{place.line} reads shares of many claims"
    return None


def a_case_has_no_shares(tree: Tree) -> str | None:
    domain = tree.context("claims").domain
    case = domain.class_("Case")
    for part in case.node.body:
        if isinstance(part, ast.AnnAssign) and re.search(
            r"\bShare\b", ast.unparse(part.annotation)
        ):
            return f"{case} has shares in {ast.unparse(part.target)}"
    if not any(function.qualname == "adjudicate" for function in domain.functions()):
        raise Missing("claims have no adjudicate")
    return None


def _reached(tree: Tree, start: Function) -> list[Function]:
    """What a function uses of claims and of what is shared, by name, directly or not."""
    known: dict[str, list[Function]] = {}
    for name in ("claims", SHARED):
        for function in tree.context(name).functions():
            known.setdefault(function.name, []).append(function)
    found = [start]
    for function in found:
        for name in sorted(_used(function)):
            found += [f for f in known.get(name, []) if f not in found]
    return found


def _used(function: Function) -> set[str]:
    """What is called, and attributes of `self` and of its parts, which may be called elsewhere."""
    places = list(ast.walk(function.node))
    called = {n.func.id for n in places if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    return called | {n.attr for n in places if isinstance(n, ast.Attribute) and _is_own(n.value)}


def _is_own(node: ast.expr) -> bool:
    """`self`, `self.store`: what a decision's own `shares` are is another matter."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and node.id in ("self", "store")
