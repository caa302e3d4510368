"""Is the time of a quota one thing with rules of its own, and nowhere taken apart?"""

import ast
import re

from verifier.constants import Constants, constants, errors, texts
from verifier.tree import SHARED, Class, Function, Sources, Tree
from verifier.values import is_fixed, rules

TEXTS = frozenset({"opens_on", "closes_on"})
OWNERS = ("Period", "Quota")
REFUSAL = "bad_period"
DAYS = frozenset({"fromisoformat", "strptime", "day_of"})
COUNTS = frozenset({"days", "total_seconds", "toordinal"})


def a_period_is_a_type(tree: Tree) -> str | None:
    period = tree.context("tariff").domain.class_("Period")
    if not rules(period):
        return f"{period} should know how a day lies to it"
    if not any(isinstance(node, ast.Compare) for node in ast.walk(period.node)):
        return f"{period} compares no days"
    return None if is_fixed(period) else f"{period} can be changed once it is made"


def no_other_period_can_be_made(tree: Tree) -> str | None:
    domain = tree.context("tariff").domain
    period = domain.class_("Period")
    making = domain.onward(*domain.makers(period), by=Function.called)
    known = _known(tree)
    if not any(_refuses(function, known) for function in making):
        return f"{period} can be made of any two days"
    return None


def a_quota_has_a_period(tree: Tree) -> str | None:
    domain = tree.context("tariff").domain
    quota = domain.class_("Quota")
    by_period = _by_period(domain, quota)
    if not by_period:
        return f"{quota} does not give its time as a Period"
    others = [f for f in domain.functions() if not _is_of(f, quota)]
    if not any(by_period & _read(f) for f in others):
        return f"nobody asks {quota} for its Period"
    opening = domain.function("Tariff.open_quota")
    givers = {f.name for f in domain.functions() if _gives_a_period(f)}
    if not ({"Period"} | givers) & opening.names():
        return "a quota is opened without a Period"
    return None


def nobody_takes_it_apart(tree: Tree) -> str | None:
    domain = tree.context("tariff").domain
    parts = TEXTS | set(domain.class_("Period").fields)
    for function in domain.functions():
        if function.qualname.split(".")[0] in OWNERS:
            continue
        if function.name != "open_quota" and TEXTS & function.names():
            return f"{function} still says {min(TEXTS & function.names())}"
        if found := _compared(function) & parts:
            return f"{function} still compares {min(found)}"
        if function.name == "open_quota":
            if found := (DAYS | COUNTS) & function.names():
                return f"{function} still works on days by itself: {min(found)}"
            if _refuses(function, _known(tree)):
                return f"{function} still refuses periods"
    return None


def _by_period(domain: Sources, quota: Class) -> set[str]:
    """The methods of a quota that give its Period, or answer by it."""
    own = [f for f in domain.functions() if _is_of(f, quota)]
    found = {f.name for f in own if _gives_a_period(f)}
    while more := {f.name for f in own if found & _read(f)} - found:
        found |= more
    return found


def _is_of(function: Function, owner: Class) -> bool:
    return function.qualname.startswith(f"{owner.qualname}.")


def _read(function: Function) -> set[str]:
    """The attributes that a function reads."""
    return {n.attr for n in ast.walk(function.node) if isinstance(n, ast.Attribute)}


def _known(tree: Tree) -> Constants:
    """What the code of a refusal may stand for: a constant, or an error of its own."""
    modules = tree.together("tariff", SHARED).modules
    return {**constants(modules), **errors(modules)}


def _refuses(function: Function, known: Constants) -> bool:
    raised = (node for node in ast.walk(function.node) if isinstance(node, ast.Raise))
    said = function.string_literals().union(*(texts(node, known) for node in raised))
    return REFUSAL in said


def _gives_a_period(function: Function) -> bool:
    told = ast.unparse(function.node.returns) if function.node.returns else ""
    return bool(re.search(r"\bPeriod\b", told)) or any(
        isinstance(n, ast.Call) and "Period" in ast.unparse(n.func).split(".")
        for n in ast.walk(function.node)
    )


def _compared(function: Function) -> set[str]:
    """Names and attributes that a function compares."""
    compared = (n for n in ast.walk(function.node) if isinstance(n, ast.Compare))
    inside = [n for node in compared for n in ast.walk(node)]
    names = {n.id for n in inside if isinstance(n, ast.Name)} & TEXTS
    return names | {n.attr for n in inside if isinstance(n, ast.Attribute)}
