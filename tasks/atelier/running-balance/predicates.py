"""Is a balance kept, or still replayed from the ledger?"""

import ast
import re

from verifier.constants import constants, texts
from verifier.tree import SHARED, Function, Tree

OWNERS = ("accounts", SHARED)
LEDGER = re.compile(r"\b(?:FROM|JOIN)\s+\w*entries\b", re.IGNORECASE)


def a_balance_reads_no_ledger(tree: Tree) -> str | None:
    balance = tree.function("Accounts.balance")
    if balance.parameters != ("self", "account_id"):
        return f"{balance} should take an account's id alone"
    known = constants(module for name in OWNERS for _, module in tree.context(name).trees())
    for function in _reached(tree, balance):
        if function.name == "entries":
            return f"{balance} still gets at the ledger through {function}"
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
    known: dict[str, list[Function]] = {}
    for name in OWNERS:
        for function in tree.context(name).functions():
            known.setdefault(function.name, []).append(function)
    found = [start]
    for function in found:
        for name in sorted(_used(function)):
            found += [f for f in known.get(name, []) if f not in found]
    return found


def _used(function: Function) -> set[str]:
    """What is called, and attributes, which may be called elsewhere."""
    places = list(ast.walk(function.node))
    called = {n.func.id for n in places if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    return called | {n.attr for n in places if isinstance(n, ast.Attribute)}
