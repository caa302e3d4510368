"""Do accounts leave the ledger and the holds to a class each, which know nothing of each other?"""

from verifier.receivers import asked, storage
from verifier.tree import Tree

OF_LEDGER = frozenset({
    "add_entry", "entries", "page_of_entries", "find_top_up", "find_payment", "refunds_of",
})  # fmt: skip
OF_HOLDS = frozenset({"add_hold", "get_hold", "save_hold", "open_holds"})
OF_ACCOUNTS = frozenset({"add_account", "get_account"})
OPERATIONS = (
    "open", "get", "top_up", "balance", "ledger", "place_hold", "capture_hold", "release_hold",
    "charge", "refund",
)  # fmt: skip


def the_storage_is_divided(tree: Tree) -> str | None:
    domain = tree.context("accounts").domain
    theirs = {"Ledger": OF_LEDGER, "Holds": OF_HOLDS, "Accounts": OF_ACCOUNTS}
    every = OF_LEDGER | OF_HOLDS | OF_ACCOUNTS
    store = storage(domain.modules)
    for name, asks in theirs.items():
        found = domain.class_(name)
        used = asked(found.node, store) & every
        if wrong := used - asks:
            return f"{found} asks the storage for {min(wrong)}"
        if missing := asks - used:
            return f"{found} does not ask the storage for {min(missing)}"
    for function in domain.functions():
        inside = function.qualname.split(".")[0] in theirs
        if not inside and every & asked(function.node, store):
            return f"{function} asks the storage too"
    return None


def nobody_else_makes_their_records(tree: Tree) -> str | None:
    domain = tree.context("accounts").domain
    for function in domain.functions():
        for record, owner in (("Entry", "Ledger"), ("Hold", "Holds")):
            if record in function.calls() and function.qualname.split(".")[0] != owner:
                return f"{function} makes an object of {record}, which {owner} should"
    return None


def neither_knows_the_other(tree: Tree) -> str | None:
    domain = tree.context("accounts").domain
    for name, others in (("Ledger", ("Holds", "Accounts")), ("Holds", ("Ledger", "Accounts"))):
        found = domain.class_(name)
        for other in others:
            if other in found.mentions() or other in found.bases:
                return f"{found} knows {other}"
    return None


def accounts_keep_their_operations(tree: Tree) -> str | None:
    assert tree.base is not None
    domain = tree.context("accounts").domain
    known = tree.base.context("accounts").domain
    accounts = domain.class_("Accounts")
    if missing := set(OPERATIONS) - set(accounts.methods):
        return f"{accounts} has no {min(missing)} any more"
    for name in OPERATIONS:
        now, before = (each.function(f"Accounts.{name}") for each in (domain, known))
        if now.parameters != before.parameters:
            return f"Accounts.{name} takes something else than before"
    for base in ("Ledger", "Holds"):
        if base in accounts.bases:
            return f"{accounts} is still one with {base}"
        if base not in accounts.mentions():
            return f"{accounts} does not use {base}"
    return None
