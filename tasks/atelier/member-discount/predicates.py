"""One rule for what a plan saves, and the catalogue has it."""

import ast
from collections.abc import Iterator

from verifier.tree import Function, Source, Sources, Tree

PAID_PLANS = {"plus", "studio"}
# The saving of a paid plan, or what is left to pay, in any usual unit. The 5 % are left out: 5 is
# no sign of anything.
SHARES = {500, 950, 9_500, 0.05, 0.95, 125, 875, 1_250, 8_750, 12.5, 87.5, 0.125, 0.875}
SHARES_AS_TEXT = {"0.05", "0.95", "0.125", "0.875", "12.5", "87.5"}


def _is_type(node: ast.AST) -> bool:
    return isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("Literal")


def _constants(node: ast.AST) -> Iterator[object]:
    """Constants, those of `Literal[...]` and docstrings left out."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Constant):
            yield child.value
        elif not _is_type(child) and not (
            isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
        ):
            yield from _constants(child)


def _names_paid_plans(statement: ast.stmt) -> bool:
    texts = {value for value in _constants(statement) if isinstance(value, str)}
    return bool(texts & PAID_PLANS)


def _has_shares(statement: ast.stmt) -> bool:
    for value in _constants(statement):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if (number and value in SHARES) or (isinstance(value, str) and value in SHARES_AS_TEXT):
            return True
    return False


def _rules(sources: Sources) -> list[tuple[Source, ast.stmt]]:
    """Where plans are told apart by what they save."""
    return [
        (file, statement)
        for file in sources.files
        if file.is_python
        for statement in file.statements
        if _names_paid_plans(statement) and _has_shares(statement)
    ]


def accounts_know_no_saving(tree: Tree) -> str | None:
    accounts = tree.context("accounts")
    if any(function.name == "member_price" for function in accounts.domain.functions()):
        return "accounts still work out a member price"
    for file in accounts.domain.files:
        if not file.is_python:
            continue
        for statement in file.statements:
            if _names_paid_plans(statement):
                return f"{file.path}:{statement.lineno} tells plans apart"
    for file, statement in _rules(accounts):
        return f"{file.path}:{statement.lineno} knows what a plan saves"
    return None


def one_rule_and_the_catalogue_has_it(tree: Tree) -> str | None:
    rules = _rules(tree)
    for file, statement in rules:
        if file.context != "catalogue" or file.kind != "domain":
            return f"{file.path}:{statement.lineno} has a rule of what a plan saves"
    if len(rules) > 1:
        places = ", ".join(f"{file.path}:{statement.lineno}" for file, statement in rules)
        return f"the rule stands more than once: {places}"
    if circle := tree.circle():
        return f"parts ask one another in a circle: {', '.join(circle)}"
    return None


def quotes_use_plan_saving(tree: Tree) -> str | None:
    domain = tree.context("catalogue").domain
    if not any(function.name == "plan_saving" for function in domain.functions()):
        return "the catalogue has no plan_saving"
    reached = domain.onward(domain.function("Catalogue.quote"), by=Function.called)
    if not any(function.name == "plan_saving" for function in reached):
        return "a quote is made without plan_saving"
    return None
