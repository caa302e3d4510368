"""Is the balance of a quota kept, or still added up from allocations?"""

import re

from verifier.queries import asks
from verifier.tree import SHARED, Tree

SIGNATURES = {
    "quota": ("self", "quota_id"),
    "available": ("self", "quota_id", "code", "origin"),
    "assess": ("self", "goods", "granted_g"),
    "draw_quota": ("self", "quota_id", "key", "wanted_g"),
}
READS = re.compile(r"\b(?:FROM|JOIN)\s+\w*allocations\b", re.IGNORECASE)
ADDS = re.compile(r"\bsum\s*\(", re.IGNORECASE)


def a_quota_reads_no_allocations(tree: Tree) -> str | None:
    owned = tree.together("tariff", SHARED)
    for name, parameters in SIGNATURES.items():
        function = tree.context("tariff").domain.function(f"Tariff.{name}")
        if function.parameters != parameters:
            return f"{function} should take {', '.join(parameters[1:])}"
        if reached := asks(owned, function, READS):
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
