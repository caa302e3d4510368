"""Do billing and the schedule ask what follows, and do patients alone know points and words?"""

import ast
import re

from verifier.receivers import called, port
from verifier.tree import SHARED, Tree

ASKING = ("billing", "schedule")
GRADES = frozenset({"good", "fair", "doubtful", "poor"})
LIMITS = frozenset({40, 80})
INSIDE = re.compile(r"(?:reliability|grade|points)(?![a-z])", re.IGNORECASE)
OTHERS = frozenset({"basis_points"})
"""What has such a name and is another matter."""
NEW = "trust"


def patients_say_what_follows(tree: Tree) -> str | None:
    domain = tree.context("patients").domain
    trust = domain.function(f"Patients.{NEW}")
    if trust.parameters != ("self", "patient_id"):
        return f"{trust} should take a patient's id alone"
    told = ast.unparse(trust.node.returns) if trust.node.returns else ""
    record = domain.class_(told.strip("\"'"))
    if not (fields := record.fields):
        return f"{record} has no fields"
    if shown := [name for name in fields if INSIDE.search(name)]:
        return f"{told} shows {shown[0]}"
    if len(set(fields) - {"patient_id"}) < 3:
        return f"{told} should say what follows in three cases"
    return None


def billing_and_the_schedule_ask_for_it(tree: Tree) -> str | None:
    for name in ASKING:
        if NEW not in _asked(tree, name):
            return f"{name} does not ask patients for {NEW}"
    return None


def nobody_else_knows_points_or_words(tree: Tree) -> str | None:
    for name in ASKING:
        domain = tree.context(name).domain
        for word in sorted(domain.names() - OTHERS):
            if INSIDE.search(word):
                return f"{name} still has to do with {word}"
        for place in domain.string_literals():
            if place.text in GRADES:
                return f"{place.path}:{place.line} knows the word {place.text}"
        if line := _limit(tree, name):
            return f"{name} knows a limit in points, in line {line}"
    return None


def the_old_way_is_gone(tree: Tree) -> str | None:
    assert tree.base is not None
    for name, context in tree.contexts.items():
        if name in ("patients", SHARED):
            continue
        known = _asked(tree.base, name) - {"reliability"} | {NEW}
        if more := _asked(tree, name) - known:
            return f"{name} asks patients for {min(more)}"
        for place in context.string_literals():
            if "internal/patients/reliability" in place.text:
                return f"{place.path}:{place.line} still asks for the reliability"
    for place in tree.context("patients").string_literals():
        if "internal/patients/reliability" in place.text:
            return f"{place.path}:{place.line} still tells others the reliability"
    return None


def _asked(tree: Tree, name: str) -> set[str]:
    """What a context asks patients for."""
    domain = tree.context(name).domain
    patients = port(domain.modules, "Patients")
    return {name for module in domain.modules for name in called(module, patients)}


def _limit(tree: Tree, name: str) -> int | None:
    """The line of a comparison with one of the limits, which the untouched app has but one of."""
    for _, module in tree.context(name).domain.trees():
        for node in ast.walk(module):
            if isinstance(node, ast.Compare) and any(
                isinstance(each, ast.Constant) and each.value in LIMITS for each in ast.walk(node)
            ):
                return node.lineno
    return None
