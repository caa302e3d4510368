"""Are channels looked up in one table, instead of asked for by word?"""

import ast
from collections.abc import Iterator

from verifier.constants import constants, texts
from verifier.tree import SHARED, Function, Tree

TABLE = "CHANNELS"
WORDS = frozenset({"sms", "email", "letter", "none"})
IN_ONE_PLACE = ("sms", "email")
RULES = ("prefer", "tell", "remind", "send_batch")
COMPARING = ("startswith", "endswith", "__eq__", "__contains__")
ASKING = ("isinstance", "issubclass", "type")


def channels_stand_in_one_table(tree: Tree) -> str | None:
    domain = tree.context("reminders").domain
    known = constants(domain.modules)
    tables = known.get(TABLE, ())
    if len(tables) != 1:
        return f"{TABLE} should be made in one place of the reminders, not in {len(tables)}"
    keys = tables[0].keys if isinstance(tables[0], ast.Dict) else []
    named = [texts(key, known) for key in keys if key]
    if named and None not in keys and (missing := WORDS.difference(*named)):
        return f"{TABLE} has no entry for {min(missing)}"
    for word in IN_ONE_PLACE:
        places = [place for _, module in domain.trees() for place in _saying(module, word)]
        if len(places) != 1:
            return f"{word} should stand in one place of the reminders, stands in {len(places)}"
    return None


def every_rule_looks_channels_up(tree: Tree) -> str | None:
    domain = tree.context("reminders").domain
    for name in RULES:
        rule = domain.function(f"Reminders.{name}")
        if not any(_looks_up(each) for each in domain.onward(rule)):
            return f"{rule} looks nothing up in {TABLE}"
    return None


def no_rule_asks_which_channel_it_is(tree: Tree) -> str | None:
    for path, module in tree.context("reminders").domain.trees():
        known = _constants(module)
        for node in ast.walk(module):
            if _asks(node, known) or _asks_for_a_class(node):
                return f"{path}:{getattr(node, 'lineno', 1)} asks which channel it is"
    for path, module in tree.context(SHARED).trees():
        for node in ast.walk(module):
            if _asks(node, frozenset()):
                return f"{path}:{getattr(node, 'lineno', 1)} asks which channel it is"
    return None


def _saying(module: ast.Module, word: str) -> list[ast.stmt]:
    """The statements at the top of a file that say a word, but for `Literal[...]`."""
    return [statement for statement in module.body if _says(statement, word)]


def _says(node: ast.AST, word: str) -> bool:
    if isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("Literal"):
        return False
    if isinstance(node, ast.Constant):
        return bool(node.value == word)
    return any(_says(child, word) for child in ast.iter_child_nodes(node))


def _looks_up(function: Function) -> bool:
    """Whether a function takes an entry of the table, or goes through it."""
    return any(isinstance(n, ast.Name) and n.id == TABLE for n in ast.walk(function.node))


def _constants(module: ast.Module) -> frozenset[str]:
    """Names at the top of a file that stand for words of channels, or for entries made by them.

    `POST = "letter"`, `QUIET = {"sms"}`, `LETTER = CHANNELS["letter"]`, `SMS = Channel("sms")`; and
    those in a class at the top, with the class: `Channel.SMS`.
    """
    found = set(_stand_for_words(module.body))
    for statement in module.body:
        if isinstance(statement, ast.ClassDef):
            found |= {f"{statement.name}.{name}" for name in _stand_for_words(statement.body)}
    return frozenset(found - {TABLE})


def _stand_for_words(body: list[ast.stmt]) -> Iterator[str]:
    for statement in body:
        if not isinstance(statement, ast.Assign | ast.AnnAssign) or statement.value is None:
            continue
        if any(_says(statement.value, word) for word in WORDS):
            told = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            yield from (target.id for target in told if isinstance(target, ast.Name))


def _asks(node: ast.AST, known: frozenset[str]) -> bool:
    """A comparison, case or call that tells one channel from another."""
    asks = isinstance(node, ast.Compare | ast.MatchValue)
    if isinstance(node, ast.Call):
        asks = getattr(node.func, "attr", "") in COMPARING
    return asks and any(_is_known(each, known) for each in ast.walk(node))


def _asks_for_a_class(node: ast.AST) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in ASKING
    return isinstance(node, ast.MatchClass)


def _is_known(node: ast.AST, known: frozenset[str]) -> bool:
    """A word of channels, or a constant that stands for one or for an entry."""
    if isinstance(node, ast.Constant):
        return node.value in WORDS
    if isinstance(node, ast.Attribute):
        return node.attr in known or ast.unparse(node) in known
    return isinstance(node, ast.Name) and node.id in known
