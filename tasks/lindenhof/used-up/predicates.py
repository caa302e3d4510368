"""Is what a year has used up kept, or still summed up from shares?"""

import ast
import re

from verifier.queries import asks
from verifier.tree import SHARED, Tree

SHARES = re.compile(r"\b(?:FROM|JOIN)\s+\w*shares\b", re.IGNORECASE)
OF_A_CLAIM = re.compile(r"\bWHERE\s+(?:\w+\.)?claim_id\s*=", re.IGNORECASE)
PARAMETERS = {
    "Claims.allowance": ("self", "patient_id", "plan", "year"),
    "Claims.estimate": ("self", "patient_id", "procedures", "diagnoses"),
}


def allowances_and_estimates_read_no_shares(tree: Tree) -> str | None:
    claims = tree.together("claims", SHARED)
    for name, parameters in PARAMETERS.items():
        start = tree.context("claims").domain.function(name)
        if start.parameters != parameters:
            return f"{start} should take {', '.join(parameters[1:])}"
        if function := asks(claims, start, SHARES):
            return f"{start} still reads shares in {function}"
    return None


def shares_are_read_for_a_claim_alone(tree: Tree) -> str | None:
    for name in ("claims", SHARED):
        for place in tree.context(name).string_literals():
            if SHARES.search(place.text) and not OF_A_CLAIM.search(place.text):
                return f"{place.path}:{place.line} reads shares of many claims"
    return None


def a_case_has_no_shares(tree: Tree) -> str | None:
    case = tree.context("claims").domain.class_("Case")
    for part in case.node.body:
        if isinstance(part, ast.AnnAssign) and re.search(
            r"\bShare\b", ast.unparse(part.annotation)
        ):
            return f"{case} has shares in {ast.unparse(part.target)}"
    return None
