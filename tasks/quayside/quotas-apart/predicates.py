"""Are quotas a part of their own, which the tariff and declarations ask and which asks nobody?"""

import re

from verifier.tree import SHARED, Tree

NAME = "quotas"
ASKERS = ("tariff", "declarations")
TABLES = ("quotas", "allocations")
KNOWLEDGE = frozenset({"critical", "exhausted", "unknown_quota", "quota_mismatch", "bad_period"})
WAY_ROUND = re.compile(r"draw|return|give_?back", re.IGNORECASE)
STORED = re.compile(
    r'\b(?:FROM|INTO|UPDATE|TABLE|EXISTS)\s+"?\w*(?:quotas|allocations)\b', re.IGNORECASE
)


def quotas_are_a_part_like_the_others(tree: Tree) -> str | None:
    return tree.no_part(NAME)


def the_parts_ask_one_another_as_wanted(tree: Tree) -> str | None:
    assert tree.base is not None
    wanted = dict(tree.base.asked)
    wanted[NAME] = frozenset()
    for name in ASKERS:
        wanted[name] |= {NAME}
    return tree.asks_otherwise(wanted)


def quotas_keep_what_was_drawn(tree: Tree) -> str | None:
    assert tree.base is not None
    for each in TABLES:
        found = _kept(tree, each)
        if len(found) != 1:
            return f"there should be one table of {each}, not {len(found)}"
        if found != _kept(tree.base, each):
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


def _kept(tree: Tree, ending: str) -> list[set[str]]:
    """The columns of the tables whose names end so."""
    return [set(table.columns) for table in tree.tables() if table.name.endswith(ending)]
