"""Is a line of the ledger a posting everywhere in accounts, and called nothing else?"""

import ast
import re
from collections.abc import Iterator

from verifier.tree import SHARED, Class, Source, Tree

OLD = re.compile(r"entr(?:y|ies)(?![a-z])", re.IGNORECASE)
TABLE = re.compile(
    r"CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(\w+)\s*\((.*?)\n?\);", re.IGNORECASE | re.DOTALL
)


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
    if _fields(posting) != _fields(entry):
        return f"{posting} should have the fields {', '.join(_fields(entry))}"
    return None


def postings_have_their_own_table(tree: Tree) -> str | None:
    assert tree.base is not None
    before = [columns for name, columns in _tables(tree.base) if name.endswith("entries")]
    after = [columns for name, columns in _tables(tree) if name.endswith("postings")]
    if len(after) != 1:
        return f"there should be one table of postings, not {len(after)}"
    return None if after == before else "the columns of the table of postings have changed"


def _fields(record: Class) -> list[str]:
    parts = (part for part in record.node.body if isinstance(part, ast.AnnAssign))
    return [part.target.id for part in parts if isinstance(part.target, ast.Name)]


def _tables(tree: Tree) -> Iterator[tuple[str, list[str]]]:
    """Name and columns of the tables of accounts, as they are created."""
    for name in ("accounts", SHARED):
        for file in tree.context(name).files:
            yield from _created(file)


def _created(file: Source) -> Iterator[tuple[str, list[str]]]:
    for name, body in TABLE.findall(file.text):
        lines = [line.strip() for line in body.strip().splitlines()]
        yield name, [line.split()[0] for line in lines if line]
