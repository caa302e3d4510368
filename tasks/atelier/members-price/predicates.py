"""Does the catalogue ask accounts for a plan, instead of accounts the catalogue for a saving?"""

import ast
from collections.abc import Iterable

from verifier.constants import constants, meant
from verifier.receivers import asked, last_word, port
from verifier.tree import Function, Sources, Tree

PLANS = {"hobby", "plus", "studio"}
PAYING = frozenset({"charge", "refund", "top_up", "place_hold", "capture_hold", "release_hold"})


def the_question_is_turned_round(tree: Tree) -> str | None:
    assert tree.base is not None
    if others := tree.asked["accounts"]:
        return f"accounts still ask {min(others)}"
    if "accounts" not in tree.asked["catalogue"]:
        return "the catalogue does not ask accounts"
    if circle := tree.circle():
        return f"parts ask one another in a circle: {', '.join(circle)}"
    wanted = dict(tree.base.asked)
    wanted["catalogue"] |= {"accounts"}
    return tree.asks_more(wanted)


def the_catalogue_says_what_a_member_pays(tree: Tree) -> str | None:
    domain = tree.context("catalogue").domain
    sold_by = {call.text.rsplit(".", 1)[-1] for call in tree.context("gallery").domain.calls()}
    accounts = port(domain.modules, "Accounts")
    for function in domain.functions():
        reached = domain.onward(function, by=Function.called)
        saves = any(each.name == "plan_saving" for each in reached)
        asks = any(asked(each.node, accounts) for each in reached)
        if function.name in sold_by and saves and asks:
            return None
    return (
        "nothing that the gallery asks the catalogue for looks up a plan and takes its saving off"
    )


def accounts_take_what_they_are_told(tree: Tree) -> str | None:
    domain = tree.context("accounts").domain
    charge = domain.function("Accounts.charge")
    if charge.parameters != ("self", "account_id", "amount_mc", "reference"):
        return f"{charge} should take an account, an amount and a reference"
    paying = _paying(domain)
    for function in domain.functions():
        named = _names_a_plan(ast.walk(function.node))
        if named and (function in paying or _decides(function)):
            return f"{function} looks at a plan"
    return None


def nobody_else_takes_a_saving_off(tree: Tree) -> str | None:
    for name, context in tree.contexts.items():
        if name == "catalogue":
            continue
        if places := context.references("plan_saving"):
            return f"{places[0].path}:{places[0].line} takes a saving off"
        if name == "gallery":
            for place in context.string_literals():
                if place.text in PLANS:
                    return f"{place.path}:{place.line} tells plans apart"
    return None


def _paying(domain: Sources) -> tuple[Function, ...]:
    """What takes, holds or gives back credits, with all that it calls."""
    start = (f for f in domain.functions() if f.name in PAYING)
    return domain.onward(*start, by=Function.called)


def _names_a_plan(nodes: Iterable[ast.AST]) -> bool:
    return any(isinstance(node, ast.Attribute) and node.attr == "plan" for node in nodes)


def _decides(function: Function) -> bool:
    """Whether a function does something by a plan, other than to keep it or to tell it."""
    known = constants([function.node])
    parts = (part for node in ast.walk(function.node) for part in _deciding(node))
    return any(_names_a_plan(meant(part, known)) for part in parts)


def _deciding(node: ast.AST) -> list[ast.AST]:
    """What a comparison or a lookup rests on, or a call, if it does not make a record."""
    if isinstance(node, ast.Compare | ast.Subscript):
        return [node]
    if isinstance(node, ast.Match):
        return [node.subject]
    if isinstance(node, ast.Call) and not last_word(node.func)[:1].isupper():
        return [*node.args, *node.keywords]
    return []
