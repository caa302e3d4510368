"""The operators of mutants: what can be wrong at a node, as a change of the text."""

import ast
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import cached_property

Change = tuple[int, int, str]
"""start and end in the text, and what stands there instead"""

_COMPARISONS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
}
_ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "//"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "*"),
    ast.Pow: ("**", "*"),
    ast.BitOr: ("|", "&"),
    ast.BitAnd: ("&", "|"),
}
_REVERSED = (ast.Eq, ast.NotEq, ast.Is, ast.IsNot, ast.In, ast.NotIn)
"""comparisons whose other form is their negation"""
_SYMMETRIC = {"min", "max"}
_SUFFIX = "_x"
_Conditional = ast.If | ast.While | ast.IfExp
_Block = ast.If | ast.While | ast.For | ast.FunctionDef


class Text:
    """A Python text in which nodes can be found."""

    def __init__(self, content: str) -> None:
        self.content = content

    @cached_property
    def _starts(self) -> list[int]:
        """Where each line starts."""
        return [0, *(found.end() for found in re.finditer("\n", self.content))]

    def line(self, position: int) -> int:
        """The line of a position, from 1."""
        return bisect_right(self._starts, position)

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Start and end of a node. Columns of `ast` count bytes, positions characters."""
        end = (node.end_lineno or node.lineno, node.end_col_offset or 0)
        return self._position(node.lineno, node.col_offset), self._position(*end)

    def of(self, node: ast.expr | ast.stmt) -> str:
        start, end = self.span(node)
        return self.content[start:end]

    def between(self, left: ast.expr, right: ast.expr, token: str, new: str) -> Change:
        """The token between two nodes, replaced."""
        words = r"\s+".join(re.escape(word) for word in token.split())
        found = re.compile(words).search(self.content, self.span(left)[1], self.span(right)[0])
        if found is None:
            raise ValueError(f"no {token!r} between {self.of(left)!r} and {self.of(right)!r}")
        return found.start(), found.end(), new

    def _position(self, line: int, column: int) -> int:
        start = self._starts[line - 1]
        row = self.content[start : start + column]  # a character has at least one byte
        return start + len(row.encode()[:column].decode())


def _comparison(text: Text, node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        for left, kind, right in zip(sides, node.ops, node.comparators, strict=False):
            yield text.between(left, right, *_COMPARISONS[type(kind)])


def _arithmetic(text: Text, node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.BinOp() if type(node.op) in _ARITHMETIC:
            yield text.between(node.left, node.right, *_ARITHMETIC[type(node.op)])
        case ast.AugAssign() if type(node.op) in _ARITHMETIC:
            token, new = _ARITHMETIC[type(node.op)]
            yield text.between(node.target, node.value, f"{token}=", f"{new}=")
        case ast.UnaryOp(op=ast.USub()):
            start, _ = text.span(node)
            yield start, start + 1, ""


def _boolean(text: Text, node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.BoolOp():
            token, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
            for left, right in zip(node.values, node.values[1:], strict=False):
                yield text.between(left, right, token, new)
        case ast.UnaryOp(op=ast.Not()):
            start, _ = text.span(node)
            yield start, start + len("not"), ""


def _constant(text: Text, node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Constant(value=bool(value)):
            yield *text.span(node), str(not value)
        case ast.Constant(value=int(value) | float(value)):
            yield *text.span(node), str(value + 1)
        case ast.Constant(value=str()) | ast.JoinedStr():
            said = text.of(node)
            if said[-3:] not in ('"""', "'''"):
                yield *text.span(node), f"{said[:-1]}{_SUFFIX}{said[-1]}"


def _condition(text: Text, node: ast.AST) -> Iterator[Change]:
    tests = [node.test] if isinstance(node, _Conditional) else []
    tests += node.ifs if isinstance(node, ast.comprehension) else []
    for test in tests:
        if not _is_reversed(test):
            yield *text.span(test), f"not ({text.of(test)})"


def _is_reversed(test: ast.expr) -> bool:
    """Whether another operator makes the negation of this already."""
    if isinstance(test, ast.Compare):
        return len(test.ops) == 1 and isinstance(test.ops[0], _REVERSED)
    return isinstance(test, ast.UnaryOp)


def _statement(text: Text, node: ast.AST) -> Iterator[Change]:
    if not isinstance(node, _Block):
        return
    inner = not isinstance(node, ast.FunctionDef)
    for each in [*node.body, *getattr(node, "orelse", [])]:
        if _can_go(each) or (inner and isinstance(each, ast.Return)):
            yield *text.span(each), "pass"


def _can_go(statement: ast.stmt) -> bool:
    """Whether the code still means something without it: no name is missing then."""
    match statement:
        case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Raise() | ast.Continue():
            return True
        case ast.Assign(targets=targets):
            return not any(isinstance(each, ast.Name | ast.Tuple) for each in targets)
    return False


def _argument(text: Text, node: ast.AST) -> Iterator[Change]:
    if not isinstance(node, ast.Call) or ast.unparse(node.func) in _SYMMETRIC:
        return
    for left, right in zip(node.args, node.args[1:], strict=False):
        starred = isinstance(left, ast.Starred) or isinstance(right, ast.Starred)
        if not starred and ast.dump(left) != ast.dump(right):
            start, middle = text.span(left)
            rest, end = text.span(right)
            yield start, end, f"{text.of(right)}{text.content[middle:rest]}{text.of(left)}"


OPERATORS: dict[str, Callable[[Text, ast.AST], Iterator[Change]]] = {
    "comparison": _comparison,
    "arithmetic": _arithmetic,
    "boolean": _boolean,
    "constant": _constant,
    "condition": _condition,
    "statement": _statement,
    "argument": _argument,
}
"""operator -> the changes that it makes at a node; a change is one place of the text"""
