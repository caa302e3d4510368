"""Are quotas a part of their own, which the tariff and declarations ask and which asks nobody?"""

import re
import tomllib
from collections.abc import Iterator

from verifier.tree import SHARED, Tree

NAME = "quotas"
ASKERS = ("tariff", "declarations")
TABLES = ("quotas", "allocations")
KNOWLEDGE = frozenset({"critical", "exhausted", "unknown_quota", "quota_mismatch", "bad_period"})
WAY_ROUND = re.compile(r"draw|return|give_?back", re.IGNORECASE)
TABLE = re.compile(
    r'CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?"?\w*(quotas|allocations)"?\s*\(', re.IGNORECASE
)
STORED = re.compile(
    r'\b(?:FROM|INTO|UPDATE|TABLE|EXISTS)\s+"?\w*(?:quotas|allocations)\b', re.IGNORECASE
)
KEYS = frozenset({"UNIQUE", "PRIMARY", "FOREIGN", "CHECK", "CONSTRAINT"})


def quotas_are_a_part_like_the_others(tree: Tree) -> str | None:
    if not tree.context(NAME).functions():
        return f"there is no part {NAME}"
    started = _started(tree)
    if "tariff" in started and NAME not in started:
        return f"{NAME} are not started as the other parts are"
    return None


def the_parts_ask_one_another_as_wanted(tree: Tree) -> str | None:
    assert tree.base is not None
    wanted = dict(tree.base.asked)
    wanted[NAME] = frozenset()
    for name in ASKERS:
        wanted[name] |= {NAME}
    for name, others in wanted.items():
        if more := tree.asked[name] - others:
            return f"{name} should not ask {min(more)}"
        if fewer := others - tree.asked[name]:
            return f"{name} should ask {min(fewer)}"
    return None


def quotas_keep_what_was_drawn(tree: Tree) -> str | None:
    assert tree.base is not None
    before, now = list(_tables(tree.base)), list(_tables(tree))
    for each in TABLES:
        found = [columns for name, columns in now if name == each]
        if len(found) != 1:
            return f"there should be one table of {each}, not {len(found)}"
        if (each, found[0]) not in before:
            return f"the columns of the table of {each} have changed"
    for name, context in tree.contexts.items():
        for place in context.string_literals():
            if STORED.search(place.text) and name not in (NAME, SHARED):
                return f"{place.path}:{place.line} still gets at quotas"
    for each in TABLES:
        if not any(each in place.text for place in tree.context(NAME).string_literals()):
            return f"{NAME} do not keep {each}"
    return None


def nobody_else_knows_what_a_quota_is(tree: Tree) -> str | None:
    for name, context in tree.contexts.items():
        for place in context.domain.string_literals():
            if place.text in KNOWLEDGE and name != NAME:
                return f"{place.path}:{place.line} knows {place.text}"
    for function in tree.context("tariff").domain.functions():
        if WAY_ROUND.search(function.name) and not function.qualname.startswith("Quotas"):
            return f"{function} still stands before {NAME}"
    for call in tree.context("declarations").domain.calls():
        *way, last = call.text.split(".")
        if "tariff" in way and (last == "available" or WAY_ROUND.search(last)):
            return f"{call.path}:{call.line} goes by way of the tariff: {call.text}"
    missing = KNOWLEDGE - {place.text for place in tree.context(NAME).domain.string_literals()}
    return f"{NAME} do not know {min(missing)}" if missing else None


def _started(tree: Tree) -> set[str]:
    """What app.toml starts: one for all parts, or each part for itself."""
    files = [file for file in tree.files if file.path == "app.toml"]
    return {name for file in files for name in tomllib.loads(file.text)["programs"]}


def _tables(tree: Tree) -> Iterator[tuple[str, set[str]]]:
    """How the names of the tables of quotas end, and their columns, as they are created."""
    for file in tree.files:
        for found in TABLE.finditer(file.text):
            words = [part.split()[0] for part in _parts(file.text[found.end() :])]
            yield found[1].lower(), {word for word in words if word.upper() not in KEYS}


def _parts(text: str) -> Iterator[str]:
    """What stands between the commas before the bracket that closes, if it is anything."""
    part, depth = "", 0
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if depth < 0 or (depth == 0 and sign == ","):
            yield from [part] if part.strip() else []
            part = ""
        else:
            part += sign
        if depth < 0:
            return
