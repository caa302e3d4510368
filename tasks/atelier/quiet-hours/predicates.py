"""Are quiet hours one thing with rules of its own, and nowhere taken apart?"""

import ast
from collections.abc import Iterator, Sequence

from verifier.constants import constants, meant
from verifier.tree import SHARED, Class, Function, Sources, Tree
from verifier.values import beside, is_checked, is_fixed, makes, rules, why_unused
from verifier.walk import names

HOURS = frozenset({"quiet_from", "quiet_until"})
QUIET = "QuietHours"
OWNERS = (QUIET, "Preferences")
LARGEST = frozenset({"le", "lt"})
GIVING = (ast.Assign, ast.AnnAssign, ast.NamedExpr)


def quiet_hours_are_a_type(tree: Tree) -> str | None:
    quiet = tree.context("notifications").domain.class_(QUIET)
    if len(rules(quiet)) < 2:
        return f"{quiet} should know whether a time is within it and when it is over"
    if not is_fixed(quiet):
        return f"{quiet} can be changed once it is made"
    return why_unused(quiet, tree.context("notifications"))


def no_other_hours_can_be_made(tree: Tree) -> str | None:
    domain = tree.context("notifications").domain
    quiet = domain.class_(QUIET)
    making = domain.onward(*domain.makers(quiet), by=Function.called)
    if _is_bounded(quiet, domain) or any(_raises(function.node) for function in making):
        return None
    return f"{quiet} can be made of hours that no clock shows"


def nobody_takes_them_apart(tree: Tree) -> str | None:
    for function in tree.context("notifications").domain.functions():
        if function.name == "in_quiet_hours":
            return f"{function} is still there"
        if not _belongs_to(OWNERS, function) and HOURS & function.names():
            return f"{function} still says {min(HOURS & function.names())}"
    # Glue keeps and shows the hours, and preferences hold them: neither has rules about them.
    for function in beside(QUIET, tree.together("notifications", SHARED)):
        if _compares_hours(function.node):
            return f"{function} still compares hours"
    return None


def _belongs_to(owners: Sequence[str], function: Function) -> bool:
    return function.qualname.split(".")[0] in owners


def _compares_hours(function: ast.AST) -> bool:
    """Whether it compares an hour, or a name that it gives one, with anything but None."""
    nodes = list(_beside_quiet(function))
    giving = (n for n in nodes if isinstance(n, GIVING) and HOURS & _words(n))
    inside = (n for each in giving for n in ast.walk(each) if isinstance(n, ast.Name))
    given = {n.id for n in inside if isinstance(n.ctx, ast.Store)}
    compared = (n for n in nodes if isinstance(n, ast.Compare) and not _is_with_none(n))
    return any((HOURS | given) & _words(n) for n in compared)


def _is_with_none(node: ast.Compare) -> bool:
    return all(isinstance(op, ast.Is | ast.IsNot) for op in node.ops)


def _words(node: ast.AST) -> set[str]:
    return set(names(_beside_quiet(node)))


def _beside_quiet(node: ast.AST) -> Iterator[ast.AST]:
    """A node and its parts, but for what quiet hours are made of."""
    if not makes(QUIET, node):
        yield node
        for child in ast.iter_child_nodes(node):
            yield from _beside_quiet(child)


def _raises(node: ast.AST) -> bool:
    return any(isinstance(each, (ast.Raise, ast.Assert)) for each in ast.walk(node))


def _is_bounded(quiet: Class, domain: Sources) -> bool:
    """Whether its fields have bounds, as pydantic says them; their type may have a name."""
    known = constants(domain.modules)
    fields = [part for part in quiet.node.body if isinstance(part, ast.AnnAssign)]
    bounds = [{getattr(part, "arg", "") for part in meant(field, known)} for field in fields]
    return bool(bounds) and all(LARGEST & each for each in bounds) and is_checked(quiet, domain)
