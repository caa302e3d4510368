"""Does everybody announce, and is the old way to tell people gone?"""

import ast
import re
from collections.abc import Iterator

from verifier.tree import Function, Tree

TELLERS = ("jobs", "gallery", "moderation")
OLD = re.compile(r"(?<![a-z])notify(?![a-z])", re.IGNORECASE)


def notifications_announce(tree: Tree) -> str | None:
    announce = tree.context("notifications").domain.function("Notifications.announce")
    if announce.parameters != ("self", "account_ids", "kind", "subject", "text"):
        return f"{announce} should take accounts, a kind, a subject and a text"
    return None


def everybody_announces(tree: Tree) -> str | None:
    for name in TELLERS:
        if not tree.context(name).domain.calls("announce"):
            return f"{name} announce nothing"
    return None


def the_old_way_is_gone(tree: Tree) -> str | None:
    named = sorted(name for name in tree.names() if OLD.search(name))
    if named:
        return f"something is still named {named[0]}"
    for place in tree.string_literals():
        if OLD.search(place.text):
            return f"{place.path}:{place.line} still says {place.text:.40}"
    for name in TELLERS:
        for call in tree.context(name).domain.calls():
            if ".notifications." in call.text and not call.text.endswith(".announce"):
                return f"{call.path}:{call.line} tells people by {call.text}"
    return None


def reporters_are_told_in_one_call(tree: Tree) -> str | None:
    moderation = tree.context("moderation").domain
    ways = {"announce", "notify"}
    tell = ways | {f.name for f in moderation.functions() if _calls(f.node, ways)}
    for function in moderation.functions():
        for loop in _loops(function):
            if "reporters" in _words(loop) and _calls(loop, tell):
                return f"{function} tells reporters one by one"
    return None


def _loops(function: Function) -> Iterator[ast.AST]:
    kinds = (ast.For, ast.While, ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
    return (node for node in ast.walk(function.node) if isinstance(node, kinds))


def _words(node: ast.AST) -> set[str]:
    return {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}


def _calls(node: ast.AST, names: set[str]) -> bool:
    calls = (n.func for n in ast.walk(node) if isinstance(n, ast.Call))
    return any(isinstance(f, ast.Attribute) and f.attr in names for f in calls)
