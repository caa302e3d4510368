"""Is a balance kept, or still replayed from the ledger?"""

import re

from verifier.queries import asks
from verifier.tree import SHARED, Tree

LEDGER = re.compile(r"\b(?:FROM|JOIN)\s+\w*entries\b", re.IGNORECASE)


def a_balance_reads_no_ledger(tree: Tree) -> str | None:
    balance = tree.function("Accounts.balance")
    if balance.parameters != ("self", "account_id"):
        return f"{balance} should take an account's id alone"
    function = asks(tree.together("accounts", SHARED), balance, LEDGER)
    return f"{balance} still reads the ledger in {function}" if function else None


def the_replay_is_gone(tree: Tree) -> str | None:
    assert tree.base is not None
    replay = tree.base.context("accounts").function("settled")
    copies = [f for f in tree.functions() if f.fingerprint == replay.fingerprint]
    return f"the replay is still there: {copies[0]}" if copies else None
