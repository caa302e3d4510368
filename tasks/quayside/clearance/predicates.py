"""Do inspections say what follows from a control, and do they alone know states and verdicts?"""

import ast
import re

from verifier.receivers import called, port
from verifier.tree import SHARED, Function, Tree

OLD, NEW = "outcome", "clearance"
WORDS = frozenset(
    {"waived", "started", "concluded", "reopened", "dropped", "conform", "minor", "nonconform"}
)
ALSO = frozenset({"open", "none"})
"""Words of controls that are words of other things as well."""
INSIDE = re.compile(r"_?(?:(?:control|current|last|latest)_)?(?:state|verdict|channel)")
"""A field for one of them. Another may give the words for a state."""
WAY = re.compile(r"internal/inspections/outcome\b")


def inspections_say_what_follows(tree: Tree) -> str | None:
    domain = tree.context("inspections").domain
    clearance = domain.function(f"Inspections.{NEW}")
    if clearance.parameters != ("self", "declaration_id"):
        return f"{clearance} should take a declaration's id alone"
    told = ast.unparse(clearance.node.returns) if clearance.node.returns else ""
    records = [each for each in domain.classes() if each.name in re.findall(r"\w+", told)]
    if not records:
        return f"{clearance} should say with which record it answers"
    for record in records:
        if shown := [name for name in record.fields if INSIDE.fullmatch(name)]:
            return f"{record} shows {shown[0]}"
    return None


def declarations_ask_for_it(tree: Tree) -> str | None:
    assert tree.base is not None
    asked = _asked(tree)
    if NEW not in asked:
        return f"declarations do not ask inspections for {NEW}"
    more = asked - _asked(tree.base) - {NEW}
    return f"declarations ask inspections for {min(more)}" if more else None


def declarations_know_no_words(tree: Tree) -> str | None:
    domain = tree.context("declarations").domain
    for place in domain.string_literals():
        if place.text in WORDS:
            return f"{place.path}:{place.line} knows the word {place.text}"
    for function in domain.functions():
        if NEW in function.called() and (word := _compared(function)):
            return f"{function} decides by the word {word}"
    return None


def the_old_way_is_gone(tree: Tree) -> str | None:
    for name in ("inspections", "declarations", SHARED):
        context = tree.context(name)
        for function in context.functions():
            if function.name == OLD:
                return f"{function} is still there"
        for record in context.classes():
            if record.name == "Outcome":
                return f"{record} is still there"
    for call in tree.context("declarations").calls(OLD):
        return f"{call.path}:{call.line} still asks for the outcome"
    for place in tree.string_literals():
        if WAY.search(place.text):
            return f"{place.path}:{place.line} still leads to the outcome"
    return None


def _asked(tree: Tree) -> set[str]:
    """What declarations ask inspections for."""
    domain = tree.context("declarations").domain
    inspections = port(domain.modules, "Inspections")
    return {name for module in domain.modules for name in called(module, inspections)}


def _compared(function: Function) -> str | None:
    """A word of controls that something is compared with, alone or among others."""
    for node in ast.walk(function.node):
        if isinstance(node, (ast.Compare, ast.MatchValue)):
            for each in ast.walk(node):
                if isinstance(each, ast.Constant) and each.value in ALSO:
                    return str(each.value)
    return None
