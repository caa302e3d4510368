"""Is a list price looked up by kind and tier, instead of asked for?"""

import ast
from collections.abc import Iterator

from verifier.tree import SHARED, Function, Source, Tree, branches_on

WORDS = frozenset({"image", "video", "draft", "standard", "fine"})
MOST_COMPLEX = 8
"""The conditional of the untouched app has several times that."""


def list_price_looks_up_a_rule(tree: Tree) -> str | None:
    price = tree.function("list_price")
    if price.parameters != ("model", "work"):
        return f"{price} should take model and work"
    if price.complexity:
        return f"{price} still holds a condition or a loop"
    if "PRICE_RULES" not in price.names():
        return f"{price} does not look into PRICE_RULES"
    tables = [table for file in _pricing(tree) for table in _tables(file.tree)]
    if len(tables) != 1:
        return f"PRICE_RULES should be made in one place, not in {len(tables)}"
    value = tables[0]
    if isinstance(value, ast.Dict) and value.keys and len(value.keys) != 2:
        return f"PRICE_RULES should have 2 entries, not {len(value.keys)}"
    return None


def no_price_asks_for_a_kind_or_tier(tree: Tree) -> str | None:
    assert tree.base is not None
    # Checks of what is offered ask for the kind of work too: those may stay, or go.
    kept = sum(_asks(f.node) for f in _functions(tree.base) if f.name != "list_price")
    found = [f for f in _functions(tree) if _asks(f.node)]
    if sum(_asks(f.node) for f in found) > kept:
        places = ", ".join(str(f) for f in found)
        return f"kinds or tiers are still compared with words in {places}"
    if branches_on(tree.function("list_price").node, ["kind", "tier"]):
        return "list_price still branches on the kind or the tier"
    return None


def no_long_conditional_is_left(tree: Tree) -> str | None:
    assert tree.base is not None
    known = {f.fingerprint for f in _functions(tree.base) if f.name != "list_price"}
    for function in _functions(tree):
        if function.fingerprint not in known and function.complexity > MOST_COMPLEX:
            return f"{function} is a long conditional (complexity {function.complexity})"
    return None


def _pricing(tree: Tree) -> Iterator[Source]:
    """Where prices may be worked out: a new file need not lie in the catalogue."""
    for name in ("catalogue", SHARED):
        yield from (file for file in tree.context(name).files if file.is_python)


def _functions(tree: Tree) -> list[Function]:
    return [f for name in ("catalogue", SHARED) for f in tree.context(name).functions()]


def _tables(module: ast.Module) -> Iterator[ast.expr | None]:
    for node in module.body:
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        else:
            continue
        if any(isinstance(t, ast.Name) and t.id == "PRICE_RULES" for t in targets):
            yield node.value


def _asks(function: ast.AST) -> int:
    """How many comparisons and cases name a kind or a tier."""
    places = (n for n in ast.walk(function) if isinstance(n, (ast.Compare, ast.MatchValue)))
    return sum(
        any(isinstance(c, ast.Constant) and c.value in WORDS for c in ast.walk(place))
        for place in places
    )
