"""Is the time of a quota one thing with rules of its own, and nowhere taken apart?"""

import ast

from verifier.tree import Class, Function, Tree

TEXTS = frozenset({"opens_on", "closes_on"})
OWNERS = ("Period", "Quota")
DAYS = frozenset({"fromisoformat", "strptime", "day_of"})
COUNTS = frozenset({"days", "total_seconds", "toordinal"})


def a_period_is_a_type(tree: Tree) -> str | None:
    period = tree.context("tariff").domain.class_("Period")
    if not any(not name.startswith("_") for name in period.methods):
        return f"{period} should know how a day lies to it"
    if not any(isinstance(node, ast.Compare) for node in ast.walk(period.node)):
        return f"{period} compares no days"
    return None if _is_fixed(period) else f"{period} can be changed once it is made"


def no_other_period_can_be_made(tree: Tree) -> str | None:
    domain = tree.context("tariff").domain
    period = domain.class_("Period")
    called = {n.func.id for n in ast.walk(period.node)
              if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}  # fmt: skip
    makers = [f for f in domain.functions() if f.qualname in called]
    if not any(_refuses(node) for node in (period.node, *(f.node for f in makers))):
        return f"{period} can be made of any two days"
    return None


def a_quota_has_a_period(tree: Tree) -> str | None:
    domain = tree.context("tariff").domain
    quota = domain.class_("Quota")
    given = [f for f in domain.functions()
             if f.qualname.startswith("Quota.") and _gives_a_period(f)]  # fmt: skip
    if not given:
        return f"{quota} does not give its time as a Period"
    others = [f for f in domain.functions() if not f.qualname.startswith("Quota.")]
    read = {n.attr for f in others for n in ast.walk(f.node) if isinstance(n, ast.Attribute)}
    if not any(f.name in read for f in given):
        return f"nobody asks {quota} for its Period"
    if "Period" not in domain.function("Tariff.open_quota").names():
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
            if "bad_period" in function.string_literals():
                return f"{function} still refuses periods"
    return None


def _is_fixed(period: Class) -> bool:
    """A frozen dataclass or model, a named tuple, or a class that sets nothing from outside."""
    if any("NamedTuple" in base for base in period.bases):
        return True
    told = [ast.unparse(node) for node in period.node.decorator_list]
    told += [ast.unparse(node) for node in period.node.body if isinstance(node, ast.Assign)]
    return any("frozen=True" in each or "__slots__" in each for each in told)


def _refuses(node: ast.AST) -> bool:
    return "bad_period" in {getattr(n, "value", None) for n in ast.walk(node)
                            if isinstance(n, ast.Constant)}  # fmt: skip


def _gives_a_period(function: Function) -> bool:
    return any(
        isinstance(n, ast.Call) and "Period" in ast.unparse(n.func).split(".")
        for n in ast.walk(function.node)
    )


def _compared(function: Function) -> set[str]:
    """Names and attributes that a function compares."""
    compared = (n for n in ast.walk(function.node) if isinstance(n, ast.Compare))
    inside = [n for node in compared for n in ast.walk(node)]
    names = {n.id for n in inside if isinstance(n, ast.Name)} & TEXTS
    return names | {n.attr for n in inside if isinstance(n, ast.Attribute)}
