"""Are kind and reference of a notice kept apart, and put together by nobody?"""

import ast
import re
from collections.abc import Iterator

from verifier.tree import SHARED, Tree

OLD = "topic"
NEW = frozenset({"kind", "reference"})
INDEX = re.compile(r"CREATE\s+(?:UNIQUE\s+)?INDEX\s[^;]*?\bON\s+(\w+)\s*\(\s*(\w+)", re.IGNORECASE)
PATTERNS = re.compile(
    r"\b(?:LIKE|GLOB)\b|\b(?:substr(?:ing)?|instr|printf|format)\s*\(|\|\|", re.IGNORECASE
)
JOINING = re.compile(r"(?:%s|\{\w*\}|%)?:(?:%s|\{\w*\}|%)?")


def notices_keep_kind_and_reference(tree: Tree) -> str | None:
    name, before = _kept(tree)
    tables = [columns for found, columns in _tables(tree) if found == name]
    if len(tables) != 1:
        return f"there should be one table {name}, not {len(tables)}"
    wanted = before - {OLD} | NEW
    if tables[0] != wanted:
        return f"{name} has {', '.join(sorted(tables[0]))}, not {', '.join(sorted(wanted))}"
    if not any(table == name and first in NEW for table, first in _indexes(tree)):
        return f"no index of {name} begins with kind or reference"
    return None


def nothing_puts_them_together(tree: Tree) -> str | None:
    notices = tree.context("notices")
    for place in notices.domain.string_literals():
        if JOINING.fullmatch(place.text):
            return f"{place.path}:{place.line} joins texts by a colon, or takes one apart"
    for path, module in notices.trees():
        for node in ast.walk(module):
            if isinstance(node, ast.JoinedStr) and _joins(node):
                return f"{path}:{node.lineno} puts kind and reference together"
    return None


def a_kind_is_compared_whole(tree: Tree) -> str | None:
    name, _ = _kept(tree)
    for place in tree.context("notices").string_literals():
        if name in place.text and (found := PATTERNS.search(place.text)):
            return f"{place.path}:{place.line} asks the table with {found[0]}"
    return None


def _joins(node: ast.JoinedStr) -> bool:
    """Whether an f-string has both in it, and no space, as what people read would have."""
    values = [each for each in node.values if isinstance(each, ast.FormattedValue)]
    fixed = [each.value for each in node.values if isinstance(each, ast.Constant)]
    if any(" " in str(text) for text in fixed):
        return False
    words = (getattr(n, "attr", getattr(n, "id", "")) for each in values for n in ast.walk(each))
    return set(words) >= NEW


def _kept(tree: Tree) -> tuple[str, set[str]]:
    """The table that notices were kept in, and its columns."""
    assert tree.base is not None
    (found,) = [table for table in _tables(tree.base) if OLD in table[1]]
    return found


def _tables(tree: Tree) -> Iterator[tuple[str, set[str]]]:
    """Names and columns of tables."""
    return ((t.name, set(t.columns)) for t in tree.together("notices", SHARED).tables())


def _indexes(tree: Tree) -> Iterator[tuple[str, str]]:
    """The table and the first column of each index."""
    for file in tree.together("notices", SHARED).files:
        yield from ((table.lower(), first.lower()) for table, first in INDEX.findall(file.text))
