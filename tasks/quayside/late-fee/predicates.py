"""Do consignments know what lateness costs, and declarations only ask?"""

import ast
from collections.abc import Iterator

from verifier.receivers import asked, port
from verifier.tree import Function, Source, Tree

TERMS = {"sea": 10, "air": 3, "road": 1}
PRICES = {1_500, 30_000}
NAMES = frozenset({"DAYS_TO_DECLARE", "FEE_PER_LATE_DAY", "MOST_LATE_FEE"})
DETAILS = frozenset({"mode", "days_here", "arrived_at", "leave_by"})


def consignments_answer_what_lateness_costs(tree: Tree) -> str | None:
    domain = tree.context("consignments").domain
    question = domain.function("Consignments.late_fee")
    if question.parameters != ("self", "consignment_id"):
        return f"{question} should take the id of a consignment and nothing else"
    if not any(
        "consignment_id" in _arguments(each) for each in domain.onward(question, by=Function.called)
    ):
        return f"{question} does not look the consignment up"
    return None


def declarations_ask(tree: Tree) -> str | None:
    assert tree.base is not None
    domain = tree.context("declarations").domain
    consignments = port(domain.modules, "Consignments")
    if not any("late_fee" in asked(module, consignments) for module in domain.modules):
        return "declarations do not ask consignments for the fee"
    return tree.asks_more(tree.base.asked)


def declarations_do_not_reckon(tree: Tree) -> str | None:
    domain = tree.context("declarations").domain
    for function in domain.functions():
        if function.name == "late_fee":
            return f"{function} is still there"
        read = {n.attr for n in ast.walk(function.node) if isinstance(n, ast.Attribute)}
        if found := DETAILS & (read | function.string_literals()):
            return f"{function} looks at the {min(found)} of goods"
    if found := NAMES & domain.names():
        return f"declarations still know {min(found)}"
    for path, module in domain.trees():
        for node in ast.walk(module):
            if isinstance(node, ast.Constant) and node.value in {*PRICES, *TERMS}:
                return f"{path}:{node.lineno} still knows what lateness costs: {node.value}"
    return None


def the_terms_stand_once(tree: Tree) -> str | None:
    places = {
        file.path: list(_terms(file)) for file in tree.files if file.is_python and any(_terms(file))
    }
    for file in tree.files:
        if file.path in places and file.context != "consignments":
            return f"{file.path}:{places[file.path][0]} has the terms of declarations"
    count = sum(len(lines) for lines in places.values())
    return f"the terms should stand once, not {count} times" if count > 1 else None


def _terms(file: Source) -> Iterator[int]:
    """Where ways to come stand beside the days that goods which came like this may wait."""
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Dict):
            pairs = [(getattr(key, "value", None), _first(value))
                     for key, value in zip(node.keys, node.values, strict=True)]  # fmt: skip
            if dict(pairs) == TERMS:
                yield node.lineno


def _first(node: ast.expr) -> object:
    """A number, or the first of what something is made of."""
    numbers = (n.value for n in ast.walk(node) if isinstance(n, ast.Constant))
    return next((each for each in numbers if isinstance(each, int)), None)


def _arguments(function: Function) -> set[str]:
    calls = (n for n in ast.walk(function.node) if isinstance(n, ast.Call))
    given = (each for call in calls for each in (*call.args, *(k.value for k in call.keywords)))
    return {each.id for each in given if isinstance(each, ast.Name)}
