"""Are promotions a part of their own, which the catalogue and jobs ask and which asks nobody?"""

import re
import tomllib
from collections.abc import Iterator

from verifier.tree import SHARED, Tree

NAME = "promotions"
CODES = {"FIRSTLIGHT", "LOYAL5", "REELS2", "OLDMASTER"}
USES = re.compile(r"redemptions\b", re.IGNORECASE)
TABLE = re.compile(
    r"CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(\w+)\s*\((.*?)\n?\);", re.IGNORECASE | re.DOTALL
)


def promotions_are_a_part_like_the_others(tree: Tree) -> str | None:
    if not tree.context(NAME).functions():
        return f"there is no part {NAME}"
    started = _started(tree)
    if "catalogue" in started and NAME not in started:
        return f"{NAME} are not started as the other parts are"
    return None


def the_parts_ask_one_another_as_wanted(tree: Tree) -> str | None:
    assert tree.base is not None
    wanted = dict(tree.base.asked)
    wanted[NAME] = frozenset()
    for name in ("catalogue", "jobs"):
        wanted[name] |= {NAME}
    for name, others in wanted.items():
        if more := tree.asked[name] - others:
            return f"{name} should not ask {min(more)}"
        if fewer := others - tree.asked[name]:
            return f"{name} should ask {min(fewer)}"
    return None


def promotions_keep_what_was_used(tree: Tree) -> str | None:
    assert tree.base is not None
    before = [columns for _, columns in _tables(tree.base)]
    now = [columns for _, columns in _tables(tree)]
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


def _started(tree: Tree) -> set[str]:
    """What app.toml starts: one for all parts, or each part for itself."""
    files = [file for file in tree.files if file.path == "app.toml"]
    return {name for file in files for name in tomllib.loads(file.text)["programs"]}


def _tables(tree: Tree) -> Iterator[tuple[str, list[str]]]:
    """Name and columns of the tables of what was used, as they are created."""
    for file in tree.files:
        for name, body in TABLE.findall(file.text):
            if name.lower().endswith("redemptions"):
                lines = [line.strip() for line in body.strip().splitlines()]
                yield name, [line.split()[0] for line in lines if line]
