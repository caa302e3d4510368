"""Is a shift a duty everywhere in the schedule, but for the words that users see?"""

import re

from verifier.tree import SHARED, Tree

OLD = re.compile(r"shifts?(?![a-z])", re.IGNORECASE)
KEPT = frozenset({"unknown_shift", "shift_overlap", "shift_full"})
"""The codes of refusals."""
THE_ID = "shift_id"


def no_shift_is_left(tree: Tree) -> str | None:
    assert tree.base is not None
    schedule = tree.context("schedule")
    for name in sorted(schedule.names() - KEPT):
        if OLD.search(name.replace(THE_ID, "")):
            return f"the schedule still has something named {name}"
    said = _said(tree.base)
    for name in ("schedule", SHARED):
        for place in tree.context(name).string_literals():
            kept = place.text in said and not _is_sql(place.text)
            if not kept and OLD.search(place.text.replace(THE_ID, "")):
                return f"{place.path}:{place.line} still says shift"
    return None


def a_duty_has_the_fields_of_a_shift(tree: Tree) -> str | None:
    assert tree.base is not None
    shift = tree.base.context("schedule").domain.class_("Shift")
    duty = tree.context("schedule").domain.class_("Duty")
    if duty.fields != shift.fields:
        return f"{duty} should have the fields {', '.join(shift.fields)}"
    return None


def duties_have_their_own_table(tree: Tree) -> str | None:
    assert tree.base is not None
    before = _columns(tree.base, "shifts")
    after = _columns(tree, "duties")
    if len(after) != 1:
        return f"there should be one table of duties, not {len(after)}"
    return None if after == before else "the columns of the table of duties have changed"


def _said(base: Tree) -> set[str]:
    """The texts of the untouched schedule: users see those that are no SQL and name no table."""
    texts = {place.text for place in base.context("schedule").string_literals()}
    return {text for text in texts if text != "shifts"}


def _is_sql(text: str) -> bool:
    return bool(re.search(r"\b(?:SELECT|INSERT|UPDATE|DELETE|CREATE)\b", text))


def _columns(tree: Tree, ending: str) -> list[set[str]]:
    """Columns of the tables of schedule whose names end so."""
    tables = tree.together("schedule", SHARED).tables()
    return [set(table.columns) for table in tables if table.name.endswith(ending)]
