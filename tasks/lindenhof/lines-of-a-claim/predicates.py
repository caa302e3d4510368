"""Are a claim's lines one thing with rules of its own, and nowhere taken apart?"""

import ast
from collections.abc import Iterator

from verifier.constants import constants, meant, texts
from verifier.receivers import last_word
from verifier.tree import Class, Function, Sources, Tree
from verifier.values import is_fixed, rules
from verifier.walk import dotted

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
    for function in _others(domain):
        if function.qualname in GONE:
            return f"{function} is still there"
        if any(STAR in text for text in texts(function.node, known)):
            return f"{function} still knows how a line's text is put together"
    return None


def decisions_rest_on_lines(tree: Tree) -> str | None:
    case = tree.context("claims").domain.class_("Case")
    for part in case.node.body:
        if isinstance(part, ast.AnnAssign) and ast.unparse(part.target) == "procedures":
            is_of_lines = LINE in ast.unparse(part.annotation)
            return _why_unused(tree) if is_of_lines else f"{case} has lines of text"
    return f"{case} has no procedures"


def _why_unused(tree: Tree) -> str | None:
    """That the type is there, and an annotation may say it, but no rule rests on it."""
    context = tree.context("claims")
    line = context.domain.class_(LINE)
    if not any(_makes(each) for function in _others(context) for each in ast.walk(function.node)):
        return f"nobody makes {line}"
    if not any(_asked(function) & {*rules(line)} for function in _others(context.domain)):
        return f"nobody asks {line} for anything"
    return None


def _others(sources: Sources) -> Iterator[Function]:
    return (each for each in sources.functions() if each.qualname.split(".")[0] != LINE)


def _makes(node: ast.AST) -> bool:
    """Whether it is a call of the type, or hands it on to be called."""
    parts = (node.func, *node.args) if isinstance(node, ast.Call) else ()
    return any(LINE in dotted(part).split(".") for part in parts)


def _asked(function: Function) -> set[str]:
    """What a function asks of anything but the type itself, which is how one is made."""
    attributes = (n for n in ast.walk(function.node) if isinstance(n, ast.Attribute))
    return {n.attr for n in attributes if last_word(n.value) != LINE}


def _raises(node: ast.AST) -> bool:
    return any(isinstance(each, ast.Raise | ast.Assert) for each in ast.walk(node))


def _is_bounded(line: Class, domain: Sources) -> bool:
    """Whether its number has a bound, as pydantic says them; its type may have a name."""
    known = constants(domain.modules)
    fields = (part for part in line.node.body if isinstance(part, ast.AnnAssign))
    said = (part for field in fields for part in meant(field, known))
    bounds = ((part.arg, ast.unparse(part.value)) for part in said if isinstance(part, ast.keyword))
    return any(bound in SMALLEST for bound in bounds) and _is_checked(line, domain)


def _is_checked(made: Class, domain: Sources) -> bool:
    """Whether types of its fields are more than told: a plain dataclass checks none."""
    told = {dotted(getattr(each, "func", each)) for each in made.node.decorator_list}
    here = (i for i in domain.imports if i.path == made.path and i.module == "dataclasses")
    return not told & {i.name or "dataclasses.dataclass" for i in here}
