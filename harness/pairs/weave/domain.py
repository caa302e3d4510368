"""The domain code as it stands in an arm: the same bodies, other imports."""

import ast
from collections.abc import Callable

from harness.pairs.weave.sources import App, Context

Place = Callable[[str], str]
"""context name -> the module that a context is imported from"""


def settle(app: App, context: Context, errors: str, store: str, others: Place) -> str:
    """The module of a context, its imports turned to where things are in the arm."""
    lines = context.module.text.splitlines()
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
    text = "\n".join(lines) + "\n"
    return text.replace(f"    store: {context.store}\n", f'    store: "{context.store}"\n')


def _target(app: App, node: ast.ImportFrom, errors: str, others: Place) -> str:
    if node.module == "errors":
        return errors
    return others(str(node.module)) if node.module in app.contexts else str(node.module)


def _after_imports(tree: ast.Module) -> int:
    imports = [n for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom)]
    return max(node.end_lineno or 0 for node in imports)
