"""Are consents a part of their own, which four parts ask and which asks nobody?"""

import re
import tomllib
from collections.abc import Iterator

from verifier.tree import SHARED, Tree

NAME = "consents"
ASKERS = ("patients", "reminders", "careplans", "encounters")
KINDS = frozenset({"treatment", "data_sharing"})
REFUSAL = "guardian_needed"
TABLE = re.compile(r'CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?"?\w*consents"?\s*\(', re.IGNORECASE)
STORED = re.compile(r'\b(?:FROM|INTO|UPDATE|TABLE|EXISTS)\s+"?\w*consents\b', re.IGNORECASE)
KEYS = frozenset({"UNIQUE", "PRIMARY", "FOREIGN", "CHECK", "CONSTRAINT"})


def consents_are_a_part_like_the_others(tree: Tree) -> str | None:
    if not tree.context(NAME).functions():
        return f"there is no part {NAME}"
    started = _started(tree)
    if "patients" in started and NAME not in started:
        return f"{NAME} are not started as the other parts are"
    return None


def the_parts_ask_one_another_as_wanted(tree: Tree) -> str | None:
    assert tree.base is not None
    wanted = dict(tree.base.asked)
    wanted[NAME] = frozenset()
    for name in ASKERS:
        wanted[name] |= {NAME}
    wanted["encounters"] -= {"patients"}
    for name, others in wanted.items():
        if more := tree.asked[name] - others:
            return f"{name} should not ask {min(more)}"
        if fewer := others - tree.asked[name]:
            return f"{name} should ask {min(fewer)}"
    return None


def consents_keep_what_was_decided(tree: Tree) -> str | None:
    assert tree.base is not None
    before, now = list(_tables(tree.base)), list(_tables(tree))
    if len(now) != 1:
        return f"there should be one table of consents, not {len(now)}"
    if now != before:
        return "the columns of the table of consents have changed"
    for name, context in tree.contexts.items():
        for place in context.string_literals():
            if STORED.search(place.text) and name not in (NAME, SHARED):
                return f"{place.path}:{place.line} still gets at what was decided"
    named = any(NAME in place.text for place in tree.context(NAME).string_literals())
    return None if named else f"{NAME} do not keep what was decided"


def nobody_else_knows_what_a_consent_is(tree: Tree) -> str | None:
    assert tree.base is not None
    rule = tree.base.context("patients").function("has_consented").fingerprint
    for name, context in tree.contexts.items():
        for place in context.domain.string_literals():
            known = place.text == REFUSAL or (name == "patients" and place.text in KINDS)
            if known and name != NAME:
                return f"{place.path}:{place.line} knows {place.text}"
        for function in context.domain.functions():
            left = name == "patients" and function.name == "has_consented"
            if name != NAME and (left or function.fingerprint == rule):
                return f"{function} still says whether somebody has consented"
    found = {each.text for each in tree.context(NAME).string_literals()}
    missing = (KINDS | {REFUSAL}) - found
    return f"{NAME} do not know {min(missing)}" if missing else None


def _started(tree: Tree) -> set[str]:
    """What app.toml starts: one for all parts, or each part for itself."""
    files = [file for file in tree.files if file.path == "app.toml"]
    return {name for file in files for name in tomllib.loads(file.text)["programs"]}


def _tables(tree: Tree) -> Iterator[set[str]]:
    """The columns of the tables of consents, as they are created."""
    for file in tree.files:
        for found in TABLE.finditer(file.text):
            words = [part.split()[0] for part in _parts(file.text[found.end() :])]
            yield {word for word in words if word.upper() not in KEYS}


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
