"""Is a line of the ledger a posting everywhere in accounts, and called nothing else?"""

import re

from verifier.tree import SHARED, Tree

OLD = re.compile(r"entr(?:y|ies)(?![a-z])", re.IGNORECASE)


def no_entry_is_left(tree: Tree) -> str | None:
    accounts = tree.context("accounts")
    named = sorted(name for name in accounts.names() if OLD.search(name))
    if named:
        return f"accounts still have something named {named[0]}"
    for name in ("accounts", SHARED):
        for place in tree.context(name).string_literals():
            if found := OLD.search(place.text):
                return f"{place.path}:{place.line} still says {found[0]}"
    return None


def a_posting_has_the_fields_of_an_entry(tree: Tree) -> str | None:
    assert tree.base is not None
    entry = tree.base.context("accounts").domain.class_("Entry")
    posting = tree.context("accounts").domain.class_("Posting")
    if posting.fields != entry.fields:
        return f"{posting} should have the fields {', '.join(entry.fields)}"
    return None


def postings_have_their_own_table(tree: Tree) -> str | None:
    assert tree.base is not None
    before = _columns(tree.base, "entries")
    after = _columns(tree, "postings")
    if len(after) != 1:
        return f"there should be one table of postings, not {len(after)}"
    return None if after == before else "the columns of the table of postings have changed"


def _columns(tree: Tree, ending: str) -> list[set[str]]:
    """Columns of the tables of accounts whose names end so."""
    tables = tree.together("accounts", SHARED).tables()
    return [set(table.columns) for table in tables if table.name.endswith(ending)]
