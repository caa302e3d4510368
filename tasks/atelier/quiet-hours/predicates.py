"""Are quiet hours one thing with rules of its own, and nowhere taken apart?"""

import ast

from verifier.tree import Function, Tree
from verifier.values import is_fixed, rules

HOURS = frozenset({"quiet_from", "quiet_until"})
OWNERS = ("QuietHours", "Preferences")


def quiet_hours_are_a_type(tree: Tree) -> str | None:
    quiet = tree.context("notifications").domain.class_("QuietHours")
    if len(rules(quiet)) < 2:
        return f"{quiet} should know whether a time is within it and when it is over"
    if not is_fixed(quiet):
        return f"{quiet} can be changed once it is made"
    return None


def no_other_hours_can_be_made(tree: Tree) -> str | None:
    domain = tree.context("notifications").domain
    quiet = domain.class_("QuietHours")
    making = domain.onward(*domain.makers(quiet), by=Function.called)
    if _is_bounded(quiet.node) or any(_raises(function.node) for function in making):
        return None
    return f"{quiet} can be made of hours that no clock shows"


def nobody_takes_them_apart(tree: Tree) -> str | None:
    domain = tree.context("notifications").domain
    for function in domain.functions():
        if function.name == "in_quiet_hours":
            return f"{function} is still there"
        if not _belongs_to_an_owner(function) and HOURS & function.names():
            return f"{function} still says {min(HOURS & function.names())}"
    return None


def _belongs_to_an_owner(function: Function) -> bool:
    return function.qualname.split(".")[0] in OWNERS


def _raises(node: ast.AST) -> bool:
    return any(isinstance(each, (ast.Raise, ast.Assert)) for each in ast.walk(node))


def _is_bounded(node: ast.ClassDef) -> bool:
    """Whether its fields have bounds, as pydantic says them."""
    fields = [part.annotation for part in node.body if isinstance(part, ast.AnnAssign)]
    return bool(fields) and all("le=" in ast.unparse(field) for field in fields)
