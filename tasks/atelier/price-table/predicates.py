"""Is a list price looked up by kind and tier, instead of asked for?"""

import ast

from verifier.constants import Constants, constants, gives_one_thing, meant, words
from verifier.receivers import last_word
from verifier.tree import SHARED, Function, Sources, Tree, branches_on

WORDS = frozenset({"image", "video", "draft", "standard", "fine"})
ASKED = ("kind", "tier")
MOST_COMPLEX = 8
"""The instruction says so. The conditional of the untouched app has several times that."""


def list_price_looks_up_a_rule(tree: Tree) -> str | None:
    price = tree.function("list_price")
    if price.parameters != ("model", "work"):
        return f"{price} should take model and work"
    if price.complexity:
        return f"{price} still holds a condition or a loop"
    if "PRICE_RULES" not in price.names():
        return f"{price} does not look into PRICE_RULES"
    return _why_no_table(tree)


def no_price_asks_for_a_kind_or_tier(tree: Tree) -> str | None:
    assert tree.base is not None
    # Checks of what is offered ask for the kind of work too: those may stay, or go.
    kept = sum(count for f, count in _asking(tree.base) if f.name != "list_price")
    found = _asking(tree)
    if sum(count for _, count in found) > kept:
        places = ", ".join(str(f) for f, _ in found)
        return f"kinds or tiers are still compared with words in {places}"
    # A lambda is no function here, and what it asks for need be none of the words.
    old = branches_on(tree.base.function("list_price").node, ASKED)
    if _branches(tree) > _branches(tree.base) - old:
        return "prices still branch on the kind or the tier"
    return None


def no_long_conditional_is_left(tree: Tree) -> str | None:
    assert tree.base is not None
    before = _pricing(tree.base).functions()
    known = {f.fingerprint for f in before if f.name != "list_price"}
    for function in _pricing(tree).functions():
        if function.fingerprint not in known and function.complexity > MOST_COMPLEX:
            return f"{function} is a long conditional (complexity {function.complexity})"
    return None


def _pricing(tree: Tree) -> Sources:
    """Where prices may be worked out: a new file need not lie in the catalogue."""
    return tree.together("catalogue", SHARED)


def _why_no_table(tree: Tree) -> str | None:
    modules = _pricing(tree).modules
    tables = constants(modules).get("PRICE_RULES", ())
    if len(tables) != 1:
        return f"PRICE_RULES should be made in one place, not in {len(tables)}"
    value = tables[0]
    if isinstance(value, ast.Dict) and value.keys and len(value.keys) != 2:
        return f"PRICE_RULES should have 2 entries, not {len(value.keys)}"
    if gives_one_thing(modules, "PRICE_RULES"):
        return "PRICE_RULES has one and the same entry for every kind of work"
    return None


def _branches(tree: Tree) -> int:
    """How often files branch on a kind or a tier, other than on whether a table has it."""
    modules = _pricing(tree).modules
    looked_for = sum(_is_looked_for(node) for module in modules for node in ast.walk(module))
    return sum(branches_on(module, ASKED) for module in modules) - looked_for


def _is_looked_for(node: ast.AST) -> bool:
    if not isinstance(node, ast.If | ast.IfExp) or not isinstance(node.test, ast.Compare):
        return False
    test = node.test
    is_in = all(isinstance(op, ast.In | ast.NotIn) for op in test.ops)
    return is_in and last_word(test.left) in ASKED and all(map(last_word, test.comparators))


def _asking(tree: Tree) -> list[tuple[Function, int]]:
    """The functions that compare something with kinds or tiers, and how often they do."""
    functions = _pricing(tree).functions()
    nodes = [*_pricing(tree).modules, *(f.node for f in functions)]
    known = words(constants(nodes))
    every = ((function, _asks(function.node, known)) for function in functions)
    return [(function, count) for function, count in every if count]


def _asks(function: ast.AST, known: Constants) -> int:
    """How many comparisons and cases name a kind or a tier, by itself or by a constant."""
    places = (n for n in ast.walk(function) if isinstance(n, (ast.Compare, ast.MatchValue)))
    return sum(
        any(isinstance(c, ast.Constant) and c.value in WORDS for c in meant(place, known))
        for place in places
    )
