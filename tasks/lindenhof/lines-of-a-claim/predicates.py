"""Are a claim's lines one thing with rules of its own, and nowhere taken apart?"""

import ast

from verifier.constants import constants, texts
from verifier.tree import Function, Tree
from verifier.values import is_fixed, rules

LINE = "ProcedureLine"
STAR = "*"
GONE = ("parse_line", "price")


def lines_are_a_type(tree: Tree) -> str | None:
    domain = tree.context("claims").domain
    line = domain.class_(LINE)
    if not rules(line):
        return f"{line} should know its price"
    if not is_fixed(line):
        return f"{line} can be changed once it is made"
    known = constants(domain.modules)
    if not any(STAR in text for text in texts(line.node, known)):
        return f"{line} is not read from the text by itself"
    return None


def no_other_lines_can_be_made(tree: Tree) -> str | None:
    domain = tree.context("claims").domain
    line = domain.class_(LINE)
    making = domain.onward(*domain.makers(line), by=Function.called)
    if _is_bounded(line.node) or any(_raises(function.node) for function in making):
        return None
    return f"{line} can be made of no code, or of nothing done"


def nobody_takes_them_apart(tree: Tree) -> str | None:
    domain = tree.context("claims").domain
    domain.class_(LINE)
    known = constants(domain.modules)
    for function in domain.functions():
        if function.qualname in GONE:
            return f"{function} is still there"
        if _is_a_lines(function):
            continue
        if any(STAR in text for text in texts(function.node, known)):
            return f"{function} still knows how a line's text is put together"
    return None


def decisions_rest_on_lines(tree: Tree) -> str | None:
    case = tree.context("claims").domain.class_("Case")
    for part in case.node.body:
        if isinstance(part, ast.AnnAssign) and ast.unparse(part.target) == "procedures":
            return None if LINE in ast.unparse(part.annotation) else f"{case} has lines of text"
    return f"{case} has no procedures"


def _is_a_lines(function: Function) -> bool:
    return function.qualname.split(".")[0] == LINE


def _raises(node: ast.AST) -> bool:
    return any(isinstance(each, ast.Raise | ast.Assert) for each in ast.walk(node))


def _is_bounded(node: ast.ClassDef) -> bool:
    """Whether its number has a bound, as pydantic says them."""
    fields = [ast.unparse(part) for part in node.body if isinstance(part, ast.AnnAssign)]
    return any(mark in field for field in fields for mark in ("ge=1", "gt=0"))
