"""Does the schedule leave the waiting list to a class that knows nothing of the schedule?"""

import ast
from collections.abc import Iterator

from verifier.receivers import asked, storage
from verifier.tree import Tree

OF_THE_LIST = frozenset({"add_waiting", "get_waiting", "save_waiting", "waiting_for", "offered_by"})
OF_THE_SCHEDULE = frozenset(
    {"add_practitioner", "get_practitioner", "add_shift", "get_shift", "shifts", "add_booking",
     "get_booking", "save_booking", "bookings_in", "count_ahead"}
)  # fmt: skip
OF_AN_ENTRY = frozenset({"since", "offered_start", "offered_until", "booking_id"})
RANKING = frozenset({"waiting_rank", "URGENCIES", "AGING"})
OPERATIONS = (
    "engage", "practitioner", "open_shift", "slots", "book", "get", "move", "cancel",
    "mark_no_show", "arrive", "minutes", "complete", "wait", "waiting", "accept_offer",
    "decline_offer", "lapse_offers",
)  # fmt: skip
LIST = "WaitingList"


def the_storage_is_divided(tree: Tree) -> str | None:
    domain = tree.context("schedule").domain
    found = domain.class_(LIST)
    store = storage(domain.modules)
    used = asked(found.node, store)
    if wrong := used & OF_THE_SCHEDULE:
        return f"{found} asks the storage for {min(wrong)}"
    if missing := OF_THE_LIST - used:
        return f"{found} does not ask the storage for {min(missing)}"
    for function in domain.functions():
        inside = function.qualname.split(".")[0] == LIST
        if not inside and (used := asked(function.node, store) & OF_THE_LIST):
            return f"{function} asks the storage for {min(used)}"
    return None


def entries_are_the_waiting_lists(tree: Tree) -> str | None:
    domain = tree.context("schedule").domain
    domain.class_(LIST)
    for function in domain.functions():
        if function.qualname.split(".")[0] == LIST:
            continue
        if "Waiting" in function.calls():
            return f"{function} makes an entry of the waiting list"
        if changed := OF_AN_ENTRY & set(_changed(function.node)):
            return f"{function} changes an entry: {min(changed)}"
        if function.qualname.startswith("Schedule.") and RANKING & function.names():
            return f"{function} finds out who is next"
    return None


def the_waiting_list_stands_alone(tree: Tree) -> str | None:
    found = tree.context("schedule").domain.class_(LIST)
    words = found.mentions()
    if "Schedule" in words or "Schedule" in found.bases:
        return f"{found} knows Schedule"
    for node in ast.walk(found.node):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Booking", "Shift"):
            return f"{found} makes an object of {ast.unparse(node.func)}"
    return None


def the_schedule_keeps_its_operations(tree: Tree) -> str | None:
    assert tree.base is not None
    domain = tree.context("schedule").domain
    known = tree.base.context("schedule").domain
    schedule = domain.class_("Schedule")
    if missing := set(OPERATIONS) - set(schedule.methods):
        return f"{schedule} has no {min(missing)} any more"
    for name in OPERATIONS:
        now, before = (each.function(f"Schedule.{name}") for each in (domain, known))
        if now.parameters != before.parameters:
            return f"Schedule.{name} takes something else than before"
    if LIST in schedule.bases:
        return f"{schedule} is still one with {LIST}"
    if LIST not in schedule.mentions():
        return f"{schedule} does not use {LIST}"
    return None


def _changed(node: ast.AST) -> Iterator[str]:
    """The attributes that are assigned to."""
    for each in ast.walk(node):
        if isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store):
            yield each.attr
