"""Is what keeps a consignment a block everywhere in consignments, and called nothing else?"""

import ast
import re

from verifier.tree import SHARED, Tree

OLD = re.compile(r"(?<![A-Za-z])marks?(?![a-z])|Marks?(?![a-z])|(?<![A-Za-z])MARKS?(?![A-Z])")


def no_mark_is_left(tree: Tree) -> str | None:
    consignments = tree.context("consignments")
    for path, module in consignments.trees():
        if path.endswith("rows.py"):
            continue  # whose marks stand for the values of any row
        for node in ast.walk(module):
            if found := next((text for text in _named(node) if OLD.search(text)), None):
                return f"{path}:{getattr(node, 'lineno', 1)} has something named {found}"
    for name in ("consignments", SHARED):
        for place in tree.context(name).string_literals():
            if found := OLD.search(place.text):
                return f"{place.path}:{place.line} still says {found[0]}"
    return None


def a_consignment_has_blocks(tree: Tree) -> str | None:
    assert tree.base is not None
    domain, before = (each.context("consignments").domain for each in (tree, tree.base))
    wanted = ["blocks" if name == "marks" else name for name in before.class_("Consignment").fields]
    record = domain.class_("Consignment")
    if list(record.fields) != wanted:
        return f"{record} should have the fields {', '.join(wanted)}"
    for name in before.class_("Consignments").methods:
        method = f"Consignments.{name}"
        known = not name.startswith("_")
        if known and domain.function(method).parameters != before.function(method).parameters:
            return f"{method} takes something else than before"
    return None


def blocks_have_the_column_of_marks(tree: Tree) -> str | None:
    assert tree.base is not None
    wanted = sorted(
        (name, tuple("blocks" if each == "marks" else each for each in columns))
        for name, columns in _tables(tree.base)
    )
    if wanted == _tables(tree):
        return None
    found = [table for table in _tables(tree) if table not in wanted]
    name, columns = found[0] if found else ("a table", ())
    return f"{name} should not have the columns {', '.join(columns)}"


def _named(node: ast.AST) -> list[str]:
    """What a node calls something by."""
    fields = ("id", "attr", "arg", "name", "asname")
    return [text for field in fields if isinstance(text := getattr(node, field, None), str)]


def _tables(tree: Tree) -> list[tuple[str, tuple[str, ...]]]:
    """Names and columns of all tables."""
    return sorted((table.name, tuple(table.columns)) for table in tree.tables())
