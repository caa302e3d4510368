"""Is the calendar of working days kept by notices alone, and asked for by the others?"""

import ast
from collections.abc import Iterator

from verifier.tree import Function, Source, Tree

WEEKDAYS = frozenset({"weekday", "isoweekday", "isocalendar", "toordinal"})
FORMATS = ("%a", "%A", "%w", "%u")
LOOPS = (ast.For, ast.While, ast.ListComp, ast.SetComp, ast.GeneratorExp)
CHRISTMAS = {"12-25", "12-26", "1225", "1226"}
CHRISTMAS_DAYS = {(12, 25), (12, 26), (25, 12), (26, 12)}


def notices_count_working_days(tree: Tree) -> str | None:
    notices = tree.context("notices").domain
    for name, parameters in (("day_after", ("day", "count")), ("days_between", ("first", "last"))):
        found = notices.function(f"Notices.{name}")
        if found.parameters != ("self", *parameters):
            return f"{found} should take {' and '.join(parameters)}"
    return None


def the_calendar_is_kept_once(tree: Tree) -> str | None:
    rules, lists = 0, 0
    for file in (file for file in tree.files if file.is_python):
        places = [*_rules(file), *_holidays(file)]
        if file.context != "notices" and places:
            return f"{file.path}:{places[0]} knows which days are worked"
        rules += len(set(_rules(file)))
        lists += len(list(_holidays(file)))
    if rules > 1:
        return "notices have more than one rule about weekends"
    return "notices have more than one list of holidays" if lists > 2 else None


def the_others_ask(tree: Tree) -> str | None:
    for name in ("inspections", "declarations"):
        domain = tree.context(name).domain
        if not any(domain.calls(question) for question in ("day_after", "days_between")):
            return f"{name} do not ask for the calendar"
        for function in domain.functions():
            if _steps(function):
                return f"{function} goes from day to day"
    return None


def _rules(file: Source) -> Iterator[int]:
    """Where what asks which day of the week it is begins."""
    for statement in file.statements:
        for node in ast.walk(statement):
            if isinstance(node, ast.Attribute) and node.attr in WEEKDAYS:
                yield statement.lineno
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and len(text) < 9 and any(each in text for each in FORMATS):
                yield statement.lineno


def _holidays(file: Source) -> Iterator[int]:
    """Where one of the two days of Christmas stands."""
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Constant) and node.value in CHRISTMAS:
            yield node.lineno
        if isinstance(node, ast.Tuple | ast.List | ast.Call):
            parts = node.args if isinstance(node, ast.Call) else node.elts
            values = tuple(part.value for part in parts if isinstance(part, ast.Constant))
            if values[-2:] in CHRISTMAS_DAYS:
                yield node.lineno


def _steps(function: Function) -> bool:
    """Whether a loop adds days to a day."""
    loops = (n for n in ast.walk(function.node) if isinstance(n, LOOPS))
    inside = (node for loop in loops for node in ast.walk(loop))
    return any("timedelta" in (getattr(n, "id", ""), getattr(n, "attr", "")) for n in inside)
