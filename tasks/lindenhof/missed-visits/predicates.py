"""Does the schedule say what a missed visit costs, and billing only invoice it?"""

import re

from verifier.receivers import asked, called, port
from verifier.tree import Tree

FEES = "FEES"
OLD = re.compile(r"charge[-_ ]?absence", re.IGNORECASE)
WORDS = frozenset({"late_cancellation", "no_show", "late_arrival", "followup"})
LOOKS = frozenset({"reliability", "grade", "age"})
ABSENCES = ("cancel", "mark_no_show")
LEADS = (("Patients", "age"), ("Billing", "raise_invoice"))


def billing_knows_no_absences(tree: Tree) -> str | None:
    billing = tree.context("billing").domain
    for name in sorted(billing.names()):
        if name == FEES or name in LOOKS:
            return f"billing still has to do with {name}"
    for place in billing.string_literals():
        if place.text in WORDS:
            return f"{place.path}:{place.line} knows {place.text}"
    return None


def the_schedule_says_what_it_costs(tree: Tree) -> str | None:
    domain = tree.context("schedule").domain
    for name in ABSENCES:
        absence = domain.function(f"Schedule.{name}")
        reached = domain.onward(absence)
        if not any(FEES in function.names() for function in reached):
            return f"{absence} does not look into {FEES}"
        for kind, question in LEADS:
            names = port(domain.modules, kind)
            if not any(question in asked(function.node, names) for function in reached):
                return f"{absence} does not lead to {kind}.{question}"
    readers = [function for function in domain.functions() if FEES in function.names()]
    if len(readers) > 1:
        return f"{' and '.join(map(str, readers))} look into {FEES}"
    return None


def the_old_way_is_gone(tree: Tree) -> str | None:
    assert tree.base is not None
    for name, context in tree.contexts.items():
        named = {each for each in context.names() if OLD.search(each)}
        if name == "schedule":  # what it keeps to itself may be called like that
            named -= {each for each in context.domain.names() if each.startswith("_")}
        if named:
            return f"{name} still has something named {min(named)}"
    for place in tree.string_literals():
        if OLD.search(place.text):
            return f"{place.path}:{place.line} still says {place.text:.40}"
    schedule = tree.context("schedule").domain
    billing = port(schedule.modules, "Billing")
    for path, module in schedule.trees():
        if more := called(module, billing) - {"raise_invoice", "account"}:
            return f"{path} asks billing for {min(more)}"
    return _why_others_changed(tree, tree.base)


def _why_others_changed(tree: Tree, base: Tree) -> str | None:
    """What is wrong with how invoices are raised, or with who asks whom."""
    invoice = tree.context("billing").domain.function("Billing.raise_invoice")
    if invoice.parameters != ("self", "patient_id", "reference", "amount_cents"):
        return f"{invoice} should take a patient, a reference and an amount"
    if circle := tree.circle():
        return f"parts ask one another in a circle: {', '.join(circle)}"
    return tree.asks_more(base.asked)
