"""Is a shift a duty everywhere in the schedule, but for the words that users see?"""

import ast
import re
from collections.abc import Iterator

from verifier.tree import SHARED, Class, Source, Tree

OLD = re.compile(r"shifts?(?![a-z])", re.IGNORECASE)
KEPT = frozenset({"unknown_shift", "shift_overlap", "shift_full"})
"""The codes of refusals."""
THE_ID = "shift_id"
TABLE = re.compile(
    r"CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(\w+)\s*\((.*?)\n?\);", re.IGNORECASE | re.DOTALL
)


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
    if _fields(duty) != _fields(shift):
        return f"{duty} should have the fields {', '.join(_fields(shift))}"
    return None


def duties_have_their_own_table(tree: Tree) -> str | None:
    assert tree.base is not None
    before = [columns for name, columns in _tables(tree.base) if name.endswith("shifts")]
    after = [columns for name, columns in _tables(tree) if name.endswith("duties")]
    if len(after) != 1:
        return f"there should be one table of duties, not {len(after)}"
    return None if after == before else "the columns of the table of duties have changed"


def _said(base: Tree) -> set[str]:
    """The texts of the untouched schedule: users see those that are no SQL and name no table."""
    texts = {place.text for place in base.context("schedule").string_literals()}
    return {text for text in texts if text != "shifts"}


def _is_sql(text: str) -> bool:
    return bool(re.search(r"\b(?:SELECT|INSERT|UPDATE|DELETE|CREATE)\b", text))


def _fields(record: Class) -> list[str]:
    parts = (part for part in record.node.body if isinstance(part, ast.AnnAssign))
    return [part.target.id for part in parts if isinstance(part.target, ast.Name)]


def _tables(tree: Tree) -> Iterator[tuple[str, list[str]]]:
    """Name and columns of the tables of the schedule, as they are created."""
    for name in ("schedule", SHARED):
        for file in tree.context(name).files:
            yield from _created(file)


def _created(file: Source) -> Iterator[tuple[str, list[str]]]:
    for name, body in TABLE.findall(file.text):
        lines = [line.strip() for line in body.strip().splitlines()]
        yield name, [line.split()[0] for line in lines if line]
