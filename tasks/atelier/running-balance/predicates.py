"""Is a balance kept, or still replayed from the ledger?"""

import ast
import re

from verifier.constants import constants, texts
from verifier.receivers import asked, receivers
from verifier.tree import SHARED, Function, Tree

OWNERS = ("accounts", SHARED)
PROPERTIES = {"property", "cached_property", "functools.cached_property"}
LEDGER = re.compile(r"\b(?:FROM|JOIN)\s+\w*entries\b", re.IGNORECASE)


def a_balance_reads_no_ledger(tree: Tree) -> str | None:
    balance = tree.function("Accounts.balance")
    if balance.parameters != ("self", "account_id"):
        return f"{balance} should take an account's id alone"
    known = constants(module for name in OWNERS for _, module in tree.context(name).trees())
    for function in _reached(tree, balance):
        said = texts(function.node, known)
        # The name of a table may be put into the query.
        if any(LEDGER.search(one + other) for one in said for other in said):
            return f"{balance} still reads the ledger in {function}"
    return None


def the_replay_is_gone(tree: Tree) -> str | None:
    assert tree.base is not None
    replay = tree.base.context("accounts").function("settled")
    copies = [f for f in tree.functions() if f.fingerprint == replay.fingerprint]
    return f"the replay is still there: {copies[0]}" if copies else None


def _reached(tree: Tree, start: Function) -> list[Function]:
    """What a function uses of accounts and of what is shared, by name, directly or not."""
    every = [function for name in OWNERS for function in tree.context(name).functions()]
    trees = (module for name in OWNERS for _, module in tree.context(name).trees())
    storage = receivers(trees, r"\w*Store", "store", "_store")
    found = [start]
    for function in found:
        used = function.called() | asked(function.node, storage)
        named = {n.attr for n in ast.walk(function.node) if isinstance(n, ast.Attribute)}
        found += [
            f for f in every
            if f not in found and (f.name in used or (f.name in named and _is_meant(f, function)))
        ]  # fmt: skip
    return found


def _is_meant(found: Function, by: Function) -> bool:
    """Whether an attribute that nobody calls is a method: a property, or one of the same class.

    Another attribute of that name may be a field of what is stored.
    """
    owners = {each.qualname.rpartition(".")[0] for each in (found, by)}
    decorators = {ast.unparse(each) for each in found.node.decorator_list}
    return len(owners) == 1 or bool(decorators & PROPERTIES)
