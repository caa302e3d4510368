"""Do accounts keep the number of a plan, which nobody else gets to see?"""

import ast
import re
from collections.abc import Iterator

from verifier.constants import constants, meant
from verifier.tree import SHARED, Function, Source, Sources, Tree

OWNERS = ("accounts", SHARED)
PLANS = {"hobby", "plus", "studio"}
FILLED = re.compile(r"\bINSERT\b.*?\bINTO\s+(\w+)", re.IGNORECASE | re.DOTALL)
ASKED_BY_NAME = ("classmethod", "staticmethod", "property")


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
    owned = tree.together(*OWNERS)
    places = {
        f"{file.path}:{statement.lineno}": statement
        for file in owned.python
        for statement in _statements(file)
        if _numbers_plans(statement)
    }
    if len(places) != 1:
        told = ", ".join(places) or "nowhere"
        return f"which number is which plan should stand in one place of accounts, stands {told}"
    ((where, numbering),) = places.items()
    if not _is_used(owned, tree.context("accounts").domain.function("Accounts.open"), numbering):
        return f"an account is opened without the numbers of {where}"
    for name, context in tree.contexts.items():
        if name not in OWNERS:
            if "plan_number" in context.names():
                return f"{name} see the number of a plan"
            for place in context.string_literals():
                if "plan_number" in place.text:
                    return f"{place.path}:{place.line} gets at the number of a plan"
    return None


def _tables(tree: Tree) -> Iterator[dict[str, str]]:
    """Column -> type of the tables of accounts."""
    tables = tree.together(*OWNERS).tables()
    return (table.columns for table in tables if table.name.endswith("accounts"))


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


def _is_used(owned: Sources, opening: Function, numbering: ast.stmt) -> bool:
    """Whether the numbers are named, or their table is, on the way to an account that is kept."""
    known = constants(owned.modules)
    reached = owned.onward(opening, *(f for f in owned.functions() if _runs_unasked(f)))
    nodes = [part for function in reached for part in meant(function.node, known)]
    texts = (n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str))
    used = {word for text in texts for word in re.findall(r"\w+", text)}
    used |= {getattr(n, field, None) for n in nodes for field in ("id", "attr", "name")}
    return bool(_defined(numbering) & used)


def _runs_unasked(function: Function) -> bool:
    """Whether a function is called by Python or by what decorates it."""
    decorators = {ast.unparse(each) for each in function.node.decorator_list}
    return function.name.startswith("__") or bool(decorators.difference(ASKED_BY_NAME))


def _defined(statement: ast.stmt) -> set[object]:
    """What a statement defines, and the tables that its SQL puts something into."""
    found: set[object] = {getattr(statement, "name", None)} - {None}
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.update(FILLED.findall(node.value))
    return found


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
