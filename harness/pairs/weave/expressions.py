"""Expressions of app.yaml and calls of the domain, as the checks read them."""

import ast
import inspect
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from functools import lru_cache

from harness.pairs.weave.sources import App, Method

Keys = tuple[str | int, ...]
"""where something stands in app.yaml"""


def parsed(app: App, text: str, keys: Keys) -> ast.expr:
    """The expression at a key of app.yaml. Raises BadInput."""
    try:
        return _expression(text)
    except SyntaxError as error:
        raise app.wrong(f"{error.msg}: {text}", *keys) from None


@lru_cache(maxsize=4096)
def _expression(text: str) -> ast.expr:
    return ast.parse(text.strip(), mode="eval").body


def free_names(tree: ast.expr) -> Iterator[str]:
    """The names that an expression takes from outside it."""
    found = [each for each in ast.walk(tree) if isinstance(each, ast.Name)]
    bound = {each.id for each in found if isinstance(each.ctx, ast.Store)}
    bound |= {each.arg for each in ast.walk(tree) if isinstance(each, ast.arg)}
    yield from (each.id for each in found if each.id not in bound)


def unknown(kind: str, name: str, known: Collection[str]) -> str:
    """What is said of a name that nobody knows."""
    near = get_close_matches(name, sorted(known), n=1)
    return f"unknown {kind} {name!r}" + (f"; there is {near[0]}" if near else "")


def misfit(call: ast.Call, method: Method) -> str | None:
    """Why a method cannot take the arguments of a call; None where it can, or nobody can tell."""
    if any(isinstance(each, ast.Starred) for each in call.args):
        return None
    named = {each.arg: each.value for each in call.keywords if each.arg is not None}
    if len(named) < len(call.keywords):
        return None
    try:
        inspect.Signature(list(_parameters(method.node.args))).bind(*call.args, **named)
    except TypeError as error:
        return str(error)
    return None


def is_plain(method: Method) -> bool:
    """Whether every parameter is given by place or by name, as the arms write them."""
    given = method.node.args
    return not (given.posonlyargs or given.vararg or given.kwonlyargs or given.kwarg)


def _parameters(given: ast.arguments) -> Iterator[inspect.Parameter]:
    """The parameters of a method but for `self`; a default is there or not, whatever it says."""
    kind, ordinary = inspect.Parameter, [*given.posonlyargs, *given.args]
    optional = ordinary[len(ordinary) - len(given.defaults) :]
    for each in ordinary:
        how = kind.POSITIONAL_ONLY if each in given.posonlyargs else kind.POSITIONAL_OR_KEYWORD
        if each.arg != "self":
            yield kind(each.arg, how, default=None if each in optional else kind.empty)
    if given.vararg:
        yield kind(given.vararg.arg, kind.VAR_POSITIONAL)
    for each, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        yield kind(each.arg, kind.KEYWORD_ONLY, default=None if default else kind.empty)
    if given.kwarg:
        yield kind(given.kwarg.arg, kind.VAR_KEYWORD)
