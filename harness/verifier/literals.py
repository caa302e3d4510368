"""Strings that code puts together from constant parts."""

import ast
from collections.abc import Iterator

_JOINING = frozenset({"join", "Path", "PurePath", "PosixPath", "joinpath"})


def joined_strings(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """The constant strings that `+`, `/`, f-strings, `join` and `Path` make, and their lines.

    What depends on a variable is not followed.
    """
    for node in ast.walk(tree):
        if isinstance(node, (ast.BinOp, ast.JoinedStr, ast.Call)):
            text = folded(node)
            if text is not None:
                yield text, node.lineno


def folded(node: ast.AST) -> str | None:
    """The constant string that an expression gives, or null."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Div)):
        return _glued([node.left, node.right], "" if isinstance(node.op, ast.Add) else "/")
    if isinstance(node, ast.JoinedStr):
        return _glued(node.values, "")
    if isinstance(node, ast.FormattedValue):
        return folded(node.value)
    if isinstance(node, ast.Call):
        return _called(node)
    return None


def _glued(nodes: list[ast.expr], glue: str) -> str | None:
    parts = [folded(node) for node in nodes]
    return glue.join(part for part in parts if part is not None) if None not in parts else None


def _called(node: ast.Call) -> str | None:
    name = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
    if name not in _JOINING or node.keywords:
        return None
    if len(node.args) == 1 and isinstance(node.args[0], (ast.List, ast.Tuple)):
        glue = folded(node.func.value) if isinstance(node.func, ast.Attribute) else None
        return _glued(node.args[0].elts, glue or "")
    return _glued(node.args, "/") if node.args else None
