"""Are consents a part of their own, which four parts ask and which asks nobody?"""

import re

from verifier.tree import SHARED, Tree

NAME = "consents"
ASKERS = ("patients", "reminders", "careplans", "encounters")
KINDS = frozenset({"treatment", "data_sharing"})
REFUSAL = "guardian_needed"
STORED = re.compile(r'\b(?:FROM|INTO|UPDATE|TABLE|EXISTS)\s+"?\w*consents\b', re.IGNORECASE)


def consents_are_a_part_like_the_others(tree: Tree) -> str | None:
    return tree.no_part(NAME)


def the_parts_ask_one_another_as_wanted(tree: Tree) -> str | None:
    assert tree.base is not None
    wanted = dict(tree.base.asked)
    wanted[NAME] = frozenset()
    for name in ASKERS:
        wanted[name] |= {NAME}
    wanted["encounters"] -= {"patients"}
    return tree.asks_otherwise(wanted)


def consents_keep_what_was_decided(tree: Tree) -> str | None:
    assert tree.base is not None
    before, now = _kept(tree.base), _kept(tree)
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


def _kept(tree: Tree) -> list[set[str]]:
    """The columns of the tables of consents."""
    return [set(table.columns) for table in tree.tables() if table.name.endswith("consents")]
