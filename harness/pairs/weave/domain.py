"""The domain code as it stands in an arm: the same bodies, other imports."""

import ast
from collections.abc import Callable

from harness.pairs.weave.sources import App, Context

Place = Callable[[str], str]
"""context name -> the module that a context is imported from"""


def settle(app: App, context: Context, errors: str, store: str, others: Place) -> str:
    """The module of a context, its imports turned to where things are in the arm."""
    lines = _quoting(context)
    later: list[str] = []
    place = _after_imports(context.module.tree)
    for node in reversed(context.module.tree.body):
        if not isinstance(node, ast.ImportFrom) or node.level == 0:
            continue
        names = ", ".join(alias.name for alias in node.names)
        new = [f"from {_target(app, node, errors, others)} import {names}"]
        if node.module == "stores":
            new = ["from typing import TYPE_CHECKING"]
            later = ["", "if TYPE_CHECKING:", f"    from {store} import {names}"]
        end = node.end_lineno or node.lineno
        lines[node.lineno - 1 : end] = new
        place -= end - node.lineno  # one line stands where there were several
    if later:
        lines[place:place] = later
    return "\n".join(lines) + "\n"


def _quoting(context: Context) -> list[str]:
    """The lines of a context's module, every annotation in quotes that names its store.

    An arm imports the store for those alone who check types. Each line keeps its number.
    """
    lines = context.module.text.splitlines()
    naming = [each for each in context.module.annotations if _names(each, context.store)]
    for each in sorted(naming, key=lambda each: (each.lineno, each.col_offset), reverse=True):
        first, last = each.lineno - 1, (each.end_lineno or each.lineno) - 1
        head = lines[first].encode()[: each.col_offset].decode()
        tail = lines[last].encode()[each.end_col_offset :].decode()
        lines[first : last + 1] = [f'{head}"{ast.unparse(each)}"{tail}', *[""] * (last - first)]
    return lines


def _names(annotation: ast.expr, name: str | None) -> bool:
    walked = ast.walk(annotation)
    return any(isinstance(each, ast.Name) and each.id == name for each in walked)


def _target(app: App, node: ast.ImportFrom, errors: str, others: Place) -> str:
    if node.module == "errors":
        return errors
    return others(str(node.module)) if node.module in app.contexts else str(node.module)


def _after_imports(tree: ast.Module) -> int:
    imports = [n for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom)]
    return max((node.end_lineno or 0 for node in imports), default=0)
