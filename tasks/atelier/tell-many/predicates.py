"""Does everybody announce, and is the old way to tell people gone?"""

import ast
import re
from collections.abc import Iterator, Sequence

from verifier.tree import Function, Tree
from verifier.walk import dotted

TELLERS = ("jobs", "gallery", "moderation")
WAYS = ("announce", "notify")
ANNOUNCE = ("account_ids", "kind", "subject", "text")
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
GIVING = (
    ast.Assign,
    ast.AnnAssign,
    ast.AugAssign,
    ast.NamedExpr,
    ast.For,
    ast.AsyncFor,
    ast.comprehension,
)
ONE = "one of them"
OLD = "notify"
WAY = re.compile(r"(?<![a-z])notify(?![a-z])", re.IGNORECASE)
"""How what leads others to it is named, where anything is there for others to call."""


def notifications_announce(tree: Tree) -> str | None:
    announce = tree.context("notifications").domain.function("Notifications.announce")
    if announce.parameters != ("self", *ANNOUNCE):
        return f"{announce} should take accounts, a kind, a subject and a text"
    return None


def everybody_announces(tree: Tree) -> str | None:
    for name in TELLERS:
        if not tree.context(name).domain.calls("announce"):
            return f"{name} announce nothing"
    return None


def the_old_way_is_gone(tree: Tree) -> str | None:
    for name, context in tree.contexts.items():
        named = {each for each in context.glue.names() if WAY.search(each)}
        if named or OLD in context.names():
            return f"{name} still have something named {min(named, default=OLD)}"
    for place in tree.string_literals():
        if WAY.search(place.text):
            return f"{place.path}:{place.line} still says {place.text:.40}"
    for name in TELLERS:
        for call in tree.context(name).domain.calls():
            if ".notifications." in call.text and not call.text.endswith(".announce"):
                return f"{call.path}:{call.line} tells people by {call.text}"
    return None


def reporters_are_told_in_one_call(tree: Tree) -> str | None:
    functions = tree.context("moderation").domain.functions()
    for function in functions:
        for loop, of_one in (*_loops(function.node), *_recursion(function)):
            if _tells_alike(loop, of_one, functions):
                return f"{function} tells reporters one by one"
    return None


def _loops(node: ast.AST) -> Iterator[tuple[ast.AST, set[str]]]:
    """Loops, with the names that stand for another thing in each round."""
    for each in ast.walk(node):
        if isinstance(each, ast.For | ast.AsyncFor):
            yield each, _stored(each.target)
        elif isinstance(each, ast.While):
            yield each, _stored(each)
        elif isinstance(each, ast.Lambda):
            yield each, {parameter.arg for parameter in each.args.args}
        elif isinstance(each, COMPREHENSIONS):
            yield each, {name for part in each.generators for name in _stored(part.target)}
        elif isinstance(each, ast.Call) and _name(each.func) == "map" and each.args:
            yield _call_of_one(each.args[0]), {ONE}


def _call_of_one(called: ast.expr) -> ast.Call:
    """What map() calls, with one of what it goes over."""
    one = ast.Name(ONE, ast.Load())
    if isinstance(called, ast.Call) and _name(called.func) == "partial":
        return ast.Call(called.args[0], [*called.args[1:], one], called.keywords)
    return ast.Call(called, [one], [])


def _recursion(function: Function) -> Iterator[tuple[ast.AST, set[str]]]:
    """A function that calls itself is a loop, with another thing for what it hands on otherwise."""
    itself, takes = (function.name, f"self.{function.name}"), _taken(function)
    for call in (each for each in ast.walk(function.node) if isinstance(each, ast.Call)):
        if dotted(call.func) in itself:
            yield function.node, {p for p, value in _given(call, takes) if ast.unparse(value) != p}


def _tells_alike(
    node: ast.AST, of_one: set[str], functions: Sequence[Function], seen: tuple[str, ...] = ()
) -> bool:
    """Whether it tells people who differ by these names something that does not differ by them."""
    differs = _made_of(node, of_one)
    for call in (each for each in ast.walk(node) if isinstance(each, ast.Call)):
        name = _name(call.func)
        if name in WAYS:
            told = {p for p, value in _given(call, ANNOUNCE) if _names(value) & differs}
            if told == {ANNOUNCE[0]}:
                return True
            continue
        for function in functions:
            if function.name == name and name not in seen:
                takes = _taken(function)
                handed = {p for p, value in _given(call, takes) if _names(value) & differs}
                if handed and _tells_alike(function.node, handed, functions, (*seen, name)):
                    return True
    return False


def _taken(function: Function) -> list[str]:
    return [p for p in function.parameters if p not in ("self", "cls")]


def _given(call: ast.Call, parameters: Sequence[str]) -> list[tuple[str, ast.expr]]:
    """Arguments with the parameters that they are for."""
    named = [(keyword.arg or "", keyword.value) for keyword in call.keywords]
    return [*zip(parameters, call.args, strict=False), *named]


def _made_of(node: ast.AST, names: set[str]) -> set[str]:
    """These names, and those that are given something made of them."""
    found = set(names)
    for each in ast.walk(node):
        value = getattr(each, "value", None) or getattr(each, "iter", None)
        if isinstance(each, GIVING) and value is not None and _names(value) & found:
            targets = each.targets if isinstance(each, ast.Assign) else [each.target]
            found |= {name for target in targets for name in _stored(target)}
    return found if found == names else _made_of(node, found)


def _stored(node: ast.AST) -> set[str]:
    every = (n for n in ast.walk(node) if isinstance(n, ast.Name))
    return {n.id for n in every if isinstance(n.ctx, ast.Store)}


def _name(called: ast.expr) -> str:
    return getattr(called, "attr", getattr(called, "id", ""))


def _names(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
