"""Are a claim's lines one thing with rules of its own, and nowhere taken apart?"""

import ast

from verifier.tree import Class, Function, Tree

LINE = "ProcedureLine"
STAR = "*"
GONE = ("parse_line", "price")


def lines_are_a_type(tree: Tree) -> str | None:
    line = tree.context("claims").domain.class_(LINE)
    rules = [name for name in line.methods if not name.startswith("__")]
    if not rules:
        return f"{line} should know its price"
    if not _is_fixed(line):
        return f"{line} can be changed once it is made"
    if not any(STAR in function.string_literals() for function in _own(tree)):
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
    own = {function.qualname for function in _own(tree)}
    domain = tree.context("claims").domain
    domain.class_(LINE)
    for function in domain.functions():
        if function.qualname in GONE:
            return f"{function} is still there"
        if function.qualname not in own and any(STAR in s for s in function.string_literals()):
            return f"{function} still knows how a line's text is put together"
    return None


def decisions_rest_on_lines(tree: Tree) -> str | None:
    case = tree.context("claims").domain.class_("Case")
    for part in case.node.body:
        if isinstance(part, ast.AnnAssign) and ast.unparse(part.target) == "procedures":
            return None if LINE in ast.unparse(part.annotation) else f"{case} has lines of text"
    return f"{case} has no procedures"


def _own(tree: Tree) -> list[Function]:
    functions = tree.context("claims").domain.functions()
    return [function for function in functions if function.qualname.split(".")[0] == LINE]


def _is_fixed(line: Class) -> bool:
    """A frozen dataclass or model, a named tuple, or a class that sets nothing from outside."""
    if any("NamedTuple" in base for base in line.bases):
        return True
    told = [ast.unparse(node) for node in line.node.decorator_list]
    told += [ast.unparse(node) for node in line.node.body if isinstance(node, ast.Assign)]
    return any("frozen=True" in each or "__slots__" in each for each in told)


def _raises(node: ast.AST) -> bool:
    return any(isinstance(each, ast.Raise | ast.Assert) for each in ast.walk(node))


def _is_bounded(node: ast.ClassDef) -> bool:
    """Whether its number has a bound, as pydantic says them."""
    fields = [ast.unparse(part) for part in node.body if isinstance(part, ast.AnnAssign)]
    return any(mark in field for field in fields for mark in ("ge=1", "gt=0"))
