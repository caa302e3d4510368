"""Code that decides by how the app is run: by the mode of its clock, or by who asks."""

import ast
import re
from collections.abc import Iterator, Mapping

from .literals import constant_strings
from .receivers import last_word
from .syntax import FunctionNode, fingerprint
from .unseen import full_name, origins_of

TOLD_APART = re.compile(r"APP_CLOCK|APP_IDS|X[-_]CLOCK|user[-_]agent|python-httpx", re.IGNORECASE)
_GIVING = (ast.Assign, ast.AnnAssign, ast.NamedExpr)
_QUESTIONS = (ast.Compare, ast.BoolOp, ast.UnaryOp)
_CLOCK = {"x-clock"}
_TIMES = {f"datetime.datetime.{name}" for name in ("fromisoformat", "now", "strptime", "utcnow")}
_AROUND = {"?.get", "?.headers.get", "?.replace", "?.astimezone"}
"""What a header is read by, and what is asked of a text or a time on the way."""


def tests_on_mode(tree: ast.Module) -> Iterator[str]:
    """The tests of `mode_tests` as they are written."""
    return map(written, mode_tests(tree))


def written(test: ast.expr) -> str:
    """An expression as text, the same one for the same expression."""
    try:
        return ast.unparse(test)
    except ValueError:  # a number that is too long, an f-string that cannot be written
        return fingerprint(test, rename=False)


def mode_tests(tree: ast.Module) -> Iterator[ast.expr]:
    """The outermost expressions that name how the app is run and decide what does."""
    if not _names_mode(tree):
        return
    inside: set[int] = set()
    told = _told_by(tree)
    for node in ast.walk(tree):
        for test in _decided_by(node):
            if id(test) not in inside and (_names_mode(test) or told & set(_words(test))):
                inside |= {id(part) for part in ast.walk(test)}
                yield test


def time_tests(tree: ast.Module) -> Iterator[ast.expr]:
    """The tests of branches that do nothing but take a time: the one of a request, or now."""
    origins = origins_of(tree)
    for node in ast.walk(tree):
        if not isinstance(node, (ast.If, ast.IfExp)) or _modes(node.test) != _CLOCK:
            continue
        ways = [node.body, node.orelse] if isinstance(node, ast.IfExp) else node.body + node.orelse
        if _calls(node.test, origins) <= _AROUND and all(_is_time(way, origins) for way in ways):
            yield node.test


def _is_time(node: ast.AST | None, origins: Mapping[str, str]) -> bool:
    """Whether an expression is a time and nothing else, or a statement gives it to one name."""
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return all(isinstance(each, ast.Name) for each in targets) and _is_time(node.value, origins)
    if isinstance(node, ast.Return):
        return _is_time(node.value, origins)
    if isinstance(node, ast.Call):
        calls = _calls(node, origins)
        return calls <= _TIMES | _AROUND and (bool(calls & _TIMES) or _modes(node) == _CLOCK)
    if not isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)):
        return False
    return not _calls(node, origins) and _modes(node) == _CLOCK


def _calls(node: ast.AST, origins: Mapping[str, str]) -> set[str]:
    calls = (part.func for part in ast.walk(node) if isinstance(part, ast.Call))
    return {full_name(called, origins) for called in calls}


def _told_by(tree: ast.Module) -> set[str]:
    """The names that are given, and the functions that return, whether the app is run so."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, FunctionNode) and any(map(_asks_mode, _returned(node))):
            found.add(node.name)
        elif isinstance(node, _GIVING) and _asks_mode(node.value):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {last_word(each) for one in targets for each in getattr(one, "elts", [one])}
    return found - {""}


def _asks_mode(value: ast.expr | None) -> bool:
    questions = _questions(value) if value is not None else ()
    return any(map(_names_mode, questions))


def _questions(value: ast.expr) -> list[ast.AST]:
    return [node for node in ast.walk(value) if isinstance(node, _QUESTIONS)]


def _returned(function: FunctionNode) -> Iterator[ast.expr | None]:
    return (node.value for node in ast.walk(function) if isinstance(node, ast.Return))


def _words(node: ast.AST) -> Iterator[str]:
    """The names that an expression holds, those of attributes too."""
    for part in ast.walk(node):
        if isinstance(part, (ast.Name, ast.Attribute)):
            yield part.attr if isinstance(part, ast.Attribute) else part.id


def _decided_by(node: ast.AST) -> list[ast.expr]:
    """The expressions that decide what runs of a node."""
    if isinstance(node, (ast.If, ast.IfExp, ast.While, ast.Assert)):
        return [node.test]
    if isinstance(node, ast.comprehension):
        return node.ifs
    if isinstance(node, ast.Subscript):
        return [node.slice] if _questions(node.slice) else []
    if isinstance(node, ast.Try) and node.handlers:
        return [part.value for part in node.body if isinstance(part, ast.Expr)]
    return [*_matched(node), *_joined(node)]


def _matched(node: ast.AST) -> list[ast.expr]:
    match node:
        case (
            ast.Match(subject=one)
            | ast.MatchValue(value=one)
            | ast.match_case(guard=ast.expr() as one)
        ):
            return [one]
        case ast.MatchMapping(keys=keys):
            return keys
        case _:
            return []


def _joined(node: ast.AST) -> list[ast.expr]:
    match node:
        case ast.BoolOp(op=ast.And(), values=values) | ast.Expr(value=ast.BoolOp(values=values)):
            return values[:-1]
        case ast.BoolOp(values=values):  # the value of an `or` is no branch but a default
            return [value for value in values[:-1] if isinstance(value, _QUESTIONS)]
        case _:
            return []


def _names_mode(node: ast.AST) -> bool:
    return bool(_modes(node))


def _modes(node: ast.AST) -> set[str]:
    """What a node names of how the app is run."""
    texts = (*(text for text, _ in constant_strings(node)), *_words(node))
    named = (word for text in texts for word in TOLD_APART.findall(text))
    return {word.lower().replace("_", "-") for word in named}
