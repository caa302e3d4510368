"""One rule for the clinic's open days: billing has it, and the schedule asks."""

import ast
from collections.abc import Iterable

from verifier.tree import Function, Source, Tree

HOLIDAYS = ((1, 1), (5, 1), (10, 3), (12, 25), (12, 26))
ENOUGH = 3
"""So many of the holidays in one statement make a list of them."""
DAYS_OF_THE_WEEK = frozenset({"weekday", "isoweekday", "isocalendar"})
LETTERS = ("%a", "%A", "%u", "%w")
"""How a format spells the day of the week."""
ASKING = ("open_shift", "move", "cancel")


def the_schedule_knows_no_closed_day(tree: Tree) -> str | None:
    schedule = tree.context("schedule")
    if "CLOSED_DAYS" in schedule.domain.names():
        return "the schedule still has CLOSED_DAYS"
    if any(function.qualname == "is_open" for function in schedule.domain.functions()):
        return "the schedule still has is_open"
    for file in schedule.files:
        if not file.is_python:
            continue
        for statement in file.statements:
            if any(_names_day(statement, day) for day in HOLIDAYS):
                return f"{file.path}:{statement.lineno} knows a holiday"
        if _weekly(file.tree):
            return f"{file.path} looks at the day of the week"
    return None


def one_rule_and_billing_has_it(tree: Tree) -> str | None:
    rules = _rules(tree)
    for file, statement in rules:
        if (file.context, file.kind) != ("billing", "domain"):
            return f"{file.path}:{statement.lineno} has a list of holidays"
    if len(rules) != 1:
        return f"the holidays stand {len(rules)} times in billing"
    for file in tree.files:
        elsewhere = file.is_python and (file.context, file.kind) != ("billing", "domain")
        if elsewhere and _weekly(file.tree) > _weekly_before(tree, file.path):
            return f"{file.path} looks at the day of the week"
    by_rule = {function.name for function in _by_rule(tree)}
    for name in ("raise_invoice", "agree_instalments"):
        if name not in by_rule:
            return f"{name} finds no due day by the rule"
    return None


def the_schedule_asks_billing(tree: Tree) -> str | None:
    assert tree.base is not None
    before = {function.name for function in tree.base.context("billing").domain.functions()}
    asked_before = before & tree.base.context("schedule").domain.names()
    asked = {function.name for function in _by_rule(tree)} - asked_before
    domain = tree.context("schedule").domain
    for name in ASKING:
        start = domain.function(f"Schedule.{name}")
        if not any(asked & function.names() for function in domain.onward(start)):
            return f"{start} does not ask billing which days are open"
    return None


def _rules(tree: Tree) -> list[tuple[Source, ast.stmt]]:
    """Where the holidays are listed."""
    return [
        (file, statement)
        for file in tree.files
        if file.is_python
        for statement in file.statements
        if sum(_names_day(statement, day) for day in HOLIDAYS) >= ENOUGH
    ]


def _by_rule(tree: Tree) -> list[Function]:
    """Billing's functions that rest on the list of holidays, directly or through others."""
    domain = tree.context("billing").domain
    words: set[str] = set()
    for file, statement in _rules(tree):
        if file.context == "billing":
            words |= _bound(statement)
    found: list[Function] = []
    every = [f for f in domain.functions() if f.name != "__init__"]
    while new := [f for f in every if f not in found and _uses(f, words)]:
        found += new
        words |= {function.name for function in new}
    return found


def _uses(function: Function, words: set[str]) -> bool:
    return function.name in words or bool(words & function.names())


def _bound(statement: ast.stmt) -> set[str]:
    """The name that a statement defines or assigns."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Assign):
        return {node.id for node in statement.targets if isinstance(node, ast.Name)}
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return {statement.target.id}
    return set()


def _names_day(statement: ast.stmt, day: tuple[int, int]) -> bool:
    """Whether a day of the year is spelled: "12-25", (12, 25), date(year, 12, 25) and the like."""
    month, number = day
    texts = {f"{month:02}{mark}{number:02}" for mark in ("-", "", ".", "/")}
    texts |= {f"{number:02}{mark}{month:02}" for mark in (".", "/")}
    for node in ast.walk(statement):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and text.strip("-.") in texts:
            return True
        if _pair(node) == [month, number]:
            return True
    return False


def _pair(node: ast.AST) -> list[object]:
    """The last two constants of a tuple, a list or a call; a truth value is no number here."""
    parts: Iterable[ast.AST] = ()
    if isinstance(node, ast.Tuple | ast.List):
        parts = node.elts
    elif isinstance(node, ast.Call):
        parts = [*node.args, *(each.value for each in node.keywords)]
    values = [part.value if isinstance(part, ast.Constant) else None for part in parts]
    return [None if isinstance(value, bool) else value for value in values[-2:]]


def _weekly(node: ast.AST) -> int:
    """How often the day of the week is looked at."""
    return sum(
        (isinstance(each, ast.Attribute) and each.attr in DAYS_OF_THE_WEEK)
        or (
            isinstance(each, ast.Constant)
            and isinstance(each.value, str)
            and any(letters in each.value for letters in LETTERS)
        )
        for each in ast.walk(node)
    )


def _weekly_before(tree: Tree, path: str) -> int:
    assert tree.base is not None
    return sum(_weekly(file.tree) for file in tree.base.files if file.path == path)
