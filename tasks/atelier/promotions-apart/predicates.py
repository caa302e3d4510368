"""Are promotions a part of their own, which the catalogue and jobs ask and which asks nobody?"""

import re

from verifier.tree import SHARED, Tree

NAME = "promotions"
CODES = {"FIRSTLIGHT", "LOYAL5", "REELS2", "OLDMASTER"}
USES = re.compile(r"redemptions\b", re.IGNORECASE)


def promotions_are_a_part_like_the_others(tree: Tree) -> str | None:
    return tree.no_part(NAME)


def the_parts_ask_one_another_as_wanted(tree: Tree) -> str | None:
    assert tree.base is not None
    wanted = dict(tree.base.asked)
    wanted[NAME] = frozenset()
    for name in ("catalogue", "jobs"):
        wanted[name] |= {NAME}
    return tree.asks_otherwise(wanted)


def promotions_keep_what_was_used(tree: Tree) -> str | None:
    assert tree.base is not None
    before = _kept(tree.base)
    now = _kept(tree)
    if len(now) != 1:
        return f"there should be one table of redemptions, not {len(now)}"
    if now != before:
        return "the columns of the table of redemptions have changed"
    for name, context in tree.contexts.items():
        for place in context.string_literals():
            if USES.search(place.text) and name not in (NAME, SHARED):
                return f"{place.path}:{place.line} still gets at what was used"
    used = [place for place in tree.context(NAME).string_literals() if USES.search(place.text)]
    return None if used else f"{NAME} do not keep what was used"


def nobody_else_knows_a_promotion(tree: Tree) -> str | None:
    assert tree.base is not None
    rule = tree.base.context("catalogue").function("saving").fingerprint
    for name, context in tree.contexts.items():
        if name == NAME:
            continue
        for place in context.string_literals():
            if place.text in CODES:
                return f"{place.path}:{place.line} knows the promotion {place.text}"
        for function in context.functions():
            if function.fingerprint == rule:
                return f"{function} knows what a promotion saves"
    for function in tree.context("catalogue").functions():
        if "redeem" in function.name or "redemption" in function.name:
            return f"{function} still stands between jobs and {NAME}"
    found = {
        code for place in tree.context(NAME).string_literals() for code in CODES & {place.text}
    }
    return f"{NAME} do not know {min(CODES - found)}" if CODES - found else None


def _kept(tree: Tree) -> list[set[str]]:
    """The columns of the tables of what was used."""
    tables = (table for table in tree.tables() if table.name.endswith("redemptions"))
    return [set(table.columns) for table in tables]
