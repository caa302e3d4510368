"""The strings of code, as it writes them and as it puts them together from constant parts."""

import ast
from collections.abc import Callable, Iterator

_JOINING = frozenset({"join", "Path", "PurePath", "PosixPath", "joinpath"})


def constant_strings(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """The strings, also those that `+`, `/`, `%`, f-strings, `format`, `join` and `Path` make.

    Each comes with its line. What depends on a variable is not followed.
    """
    for node in ast.walk(tree):
        if isinstance(node, (ast.Constant, ast.BinOp, ast.JoinedStr, ast.Call)):
            text = folded(node)
            if text is not None:
                yield text, node.lineno


def folded(node: ast.AST) -> str | None:
    """The constant string that an expression gives, or null."""
    if isinstance(node, ast.Constant):
        text = node.value.decode("latin-1") if isinstance(node.value, bytes) else node.value
        return text if isinstance(text, str) else None
    if isinstance(node, ast.BinOp):
        return _operated(node)
    if isinstance(node, ast.JoinedStr):
        return _glued(node.values, "")
    if isinstance(node, ast.FormattedValue):
        return folded(node.value)
    if isinstance(node, ast.Call):
        return _called(node)
    return None


def _operated(node: ast.BinOp) -> str | None:
    if isinstance(node.op, (ast.Add, ast.Div)):
        return _glued([node.left, node.right], "" if isinstance(node.op, ast.Add) else "/")
    if not isinstance(node.op, ast.Mod):
        return None
    values = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
    return _filled(node.left, values, lambda form, parts: form % tuple(parts))


def _glued(nodes: list[ast.expr], glue: str) -> str | None:
    parts = [folded(node) for node in nodes]
    return glue.join(part for part in parts if part is not None) if None not in parts else None


def _filled(
    form: ast.expr, values: list[ast.expr], fill: Callable[[str, list[str]], str]
) -> str | None:
    text = folded(form)
    parts = [part for value in values if (part := folded(value)) is not None]
    if text is None or len(parts) < len(values):
        return None
    try:
        return fill(text, parts)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return None


def _called(node: ast.Call) -> str | None:
    name = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
    if name == "format" and isinstance(node.func, ast.Attribute) and not node.keywords:
        return _filled(node.func.value, node.args, lambda form, parts: form.format(*parts))
    if name not in _JOINING or node.keywords:
        return None
    if len(node.args) == 1 and isinstance(node.args[0], (ast.List, ast.Tuple)):
        glue = folded(node.func.value) if isinstance(node.func, ast.Attribute) else None
        return _glued(node.args[0].elts, glue or "")
    return _glued(node.args, "/") if node.args else None
