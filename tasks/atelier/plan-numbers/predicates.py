"""Do accounts keep the number of a plan, which nobody else gets to see?"""

import ast
import re
from collections.abc import Iterator

from verifier.tree import SHARED, Source, Tree

PLANS = {"hobby", "plus", "studio"}


def accounts_keep_the_number(tree: Tree) -> str | None:
    assert tree.base is not None
    (before,) = _tables(tree.base)
    tables = list(_tables(tree))
    if len(tables) != 1:
        return f"there should be one table of accounts, not {len(tables)}"
    columns = tables[0]
    wanted = before.keys() - {"plan"} | {"plan_number"}
    if columns.keys() != wanted:
        return f"accounts are kept with {', '.join(columns)}, not with {', '.join(sorted(wanted))}"
    if "INT" not in columns["plan_number"]:
        return f"a plan is kept as {columns['plan_number']}, not as a whole number"
    return None


def the_numbers_stand_once_and_in_accounts(tree: Tree) -> str | None:
    places = [
        f"{file.path}:{statement.lineno}"
        for name in ("accounts", SHARED)
        for file in tree.context(name).files
        if file.is_python
        for statement in _statements(file)
        if _numbers_plans(statement)
    ]
    if len(places) != 1:
        told = ", ".join(places) or "nowhere"
        return f"which number is which plan should stand in one place of accounts, stands {told}"
    for name, context in tree.contexts.items():
        if name not in ("accounts", SHARED):
            if "plan_number" in context.names():
                return f"{name} see the number of a plan"
            for place in context.string_literals():
                if "plan_number" in place.text:
                    return f"{place.path}:{place.line} gets at the number of a plan"
    return None


def _tables(tree: Tree) -> Iterator[dict[str, str]]:
    """Column -> type of the tables of accounts."""
    for name in ("accounts", SHARED):
        for table in tree.context(name).tables():
            if table.name.endswith("accounts"):
                yield table.columns


def _statements(file: Source) -> Iterator[ast.stmt]:
    """Top-level statements; those of a class one by one where one of them numbers the plans."""
    for statement in file.tree.body:
        inner = statement.body if isinstance(statement, ast.ClassDef) else []
        found = [each for each in inner if _numbers_plans(each)]
        yield from found or [statement]


def _numbers_plans(statement: ast.stmt) -> bool:
    """Whether all plans are named, beside no numbers but theirs (or their places in a list)."""
    words = {word for text in _said(statement) for word in re.findall(r"[a-z]+", text.lower())}
    numbers = {n.value for n in ast.walk(statement)
               if isinstance(n, ast.Constant) and type(n.value) in (int, float)}  # fmt: skip
    return words >= PLANS and numbers <= {0, 1, 2, 3}


def _said(node: ast.AST) -> Iterator[str]:
    """Names and strings, those of `Literal[...]` and docstrings left out."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Subscript) and ast.unparse(child.value).endswith("Literal"):
            continue
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue
        for field in ("id", "attr", "arg", "value"):
            text = getattr(child, field, None)
            if isinstance(text, str):
                yield text
        yield from _said(child)
