"""Are quiet hours one thing with rules of its own, and nowhere taken apart?"""

import ast
from collections.abc import Iterator, Sequence

from verifier.constants import constants, meant
from verifier.receivers import last_word
from verifier.tree import SHARED, Class, Function, Sources, Tree
from verifier.values import is_fixed, rules
from verifier.walk import dotted, names

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
    return _why_unused(tree, quiet)


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
    for function in _others(tree.together("notifications", SHARED)):
        if _compares_hours(function.node):
            return f"{function} still compares hours"
    return None


def _why_unused(tree: Tree, quiet: Class) -> str | None:
    context = tree.context("notifications")
    if not any(_makes(each) for function in _others(context) for each in ast.walk(function.node)):
        return f"nobody makes {quiet}"
    if not any(_asked(each) & {*rules(quiet)} for each in _others(context.domain)):
        return f"nobody asks {quiet} for anything"
    return None


def _others(sources: Sources) -> Iterator[Function]:
    return (each for each in sources.functions() if not _belongs_to((QUIET,), each))


def _belongs_to(owners: Sequence[str], function: Function) -> bool:
    return function.qualname.split(".")[0] in owners


def _makes(node: ast.AST) -> bool:
    """Whether it is a call of the type, or hands it on to be called."""
    parts = (node.func, *node.args) if isinstance(node, ast.Call) else ()
    return any(QUIET in dotted(part).split(".") for part in parts)


def _asked(function: Function) -> set[str]:
    """What a function asks of anything but the type itself, which is how one is made."""
    attributes = (n for n in ast.walk(function.node) if isinstance(n, ast.Attribute))
    return {n.attr for n in attributes if last_word(n.value) != QUIET}


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
    if not _makes(node):
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
    return bool(bounds) and all(LARGEST & each for each in bounds) and _is_checked(quiet, domain)


def _is_checked(made: Class, domain: Sources) -> bool:
    """Whether types of its fields are more than told: a plain dataclass checks none."""
    told = {dotted(getattr(each, "func", each)) for each in made.node.decorator_list}
    here = (i for i in domain.imports if i.path == made.path and i.module == "dataclasses")
    return not told & {i.name or "dataclasses.dataclass" for i in here}
