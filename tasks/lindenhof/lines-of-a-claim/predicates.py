"""Are a claim's lines one thing with rules of its own, and nowhere taken apart?"""

import ast

from verifier.constants import constants, meant, texts
from verifier.tree import Class, Function, Sources, Tree
from verifier.values import beside, is_checked, is_fixed, rules, why_unused

LINE = "ProcedureLine"
STAR = "*"
GONE = ("parse_line", "price")
SMALLEST = frozenset({("ge", "1"), ("gt", "0")})


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
    if _is_bounded(line, domain) or any(_raises(function.node) for function in making):
        return None
    return f"{line} can be made of no code, or of nothing done"


def nobody_takes_them_apart(tree: Tree) -> str | None:
    domain = tree.context("claims").domain
    domain.class_(LINE)
    known = constants(domain.modules)
    for function in beside(LINE, domain):
        if function.qualname in GONE:
            return f"{function} is still there"
        if any(STAR in text for text in texts(function.node, known)):
            return f"{function} still knows how a line's text is put together"
    return None


def decisions_rest_on_lines(tree: Tree) -> str | None:
    claims = tree.context("claims")
    case = claims.domain.class_("Case")
    for part in case.node.body:
        if isinstance(part, ast.AnnAssign) and ast.unparse(part.target) == "procedures":
            if LINE not in ast.unparse(part.annotation):
                return f"{case} has lines of text"
            # The type is there, and an annotation may say it, and still no rule rest on it.
            return why_unused(claims.domain.class_(LINE), claims)
    return f"{case} has no procedures"


def _raises(node: ast.AST) -> bool:
    return any(isinstance(each, ast.Raise | ast.Assert) for each in ast.walk(node))


def _is_bounded(line: Class, domain: Sources) -> bool:
    """Whether its number has a bound, as pydantic says them; its type may have a name."""
    known = constants(domain.modules)
    fields = (part for part in line.node.body if isinstance(part, ast.AnnAssign))
    said = (part for field in fields for part in meant(field, known))
    bounds = ((part.arg, ast.unparse(part.value)) for part in said if isinstance(part, ast.keyword))
    return any(bound in SMALLEST for bound in bounds) and is_checked(line, domain)
