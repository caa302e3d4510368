"""Does the catalogue ask accounts for a plan, instead of accounts the catalogue for a saving?"""

import ast

from verifier.tree import Function, Tree

PLANS = {"hobby", "plus", "studio"}


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
    asked = {call.text.rsplit(".", 1)[-1] for call in tree.context("gallery").domain.calls()}
    for function in domain.functions():
        reached = domain.onward(function, by=Function.called)
        saves = any(each.name == "plan_saving" for each in reached)
        if function.name in asked and saves and any(_asks_accounts(each) for each in reached):
            return None
    return (
        "nothing that the gallery asks the catalogue for looks up a plan and takes its saving off"
    )


def accounts_take_what_they_are_told(tree: Tree) -> str | None:
    domain = tree.context("accounts").domain
    charge = domain.function("Accounts.charge")
    if charge.parameters != ("self", "account_id", "amount_mc", "reference"):
        return f"{charge} should take an account, an amount and a reference"
    for function in domain.functions():
        if any(isinstance(n, ast.Attribute) and n.attr == "plan" for n in ast.walk(function.node)):
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


def _asks_accounts(function: Function) -> bool:
    return any("accounts" in call.split(".")[:-1] for call in function.calls())
