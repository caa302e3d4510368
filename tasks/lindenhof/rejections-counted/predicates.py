"""Are rejections kept as rows of a reason and a procedure, and spelled in one place?"""

import ast
import re

from verifier.tree import SHARED, Function, Tree

COLUMNS = {"claim_id", "reason", "procedure"}
COLON = ":"
IDS = frozenset({"id", "claim_id"})
SPELLED = re.compile(r"\b(?:no_coverage|not_covered|authorisation_missing)\s*:")
APART = ("split", "rsplit", "partition", "rpartition", "startswith", "endswith", "removeprefix")


def rejections_have_a_table(tree: Tree) -> str | None:
    tables = _tables(tree, "rejections")
    if len(tables) != 1:
        return f"there should be one table of rejections, not {len(tables)}"
    if missing := COLUMNS - tables[0].keys():
        return f"the table of rejections has no column {min(missing)}"
    return None


def claims_keep_none_themselves(tree: Tree) -> str | None:
    assert tree.base is not None
    (before,) = _tables(tree.base, "claims")
    tables = _tables(tree, "claims")
    if len(tables) != 1:
        return f"there should be one table of claims, not {len(tables)}"
    if "rejections" in tables[0]:
        return "the table of claims has a column rejections"
    if missing := before.keys() - tables[0].keys() - {"rejections"}:
        return f"the table of claims has no column {min(missing)}"
    for column in tables[0].keys() - before.keys():
        if "INT" not in tables[0][column]:
            return f"the table of claims has a column {column} that may say what is rejected"
    return None


def rejections_are_spelled_once(tree: Tree) -> str | None:
    for name in ("claims", SHARED):
        for place in tree.context(name).string_literals():
            if SPELLED.search(place.text):
                return f"{place.path}:{place.line} spells a rejection"
    spelling = [function for function in _functions(tree) if _spells(function)]
    if len(spelling) > 1:
        return f"rejections are spelled by {' and by '.join(map(str, spelling))}"
    return None


def no_rule_looks_at_a_text(tree: Tree) -> str | None:
    spelling = {function.name for function in _functions(tree) if _spells(function)}
    for function in _functions(tree):
        for node in ast.walk(function.node):
            if isinstance(node, ast.Call) and _takes_apart(node):
                return f"{function} takes a rejection's text apart"
            if isinstance(node, ast.Compare) and spelling & _words(node):
                return f"{function} spells a rejection to compare it"
    return None


def _functions(tree: Tree) -> tuple[Function, ...]:
    """The rules of claims."""
    return tree.context("claims").domain.functions()


def _spells(function: Function) -> bool:
    """Whether something is joined by a colon, other than a reference, which ends in an id."""
    nodes = list(ast.walk(function.node))
    joined = (n.values for n in nodes if isinstance(n, ast.JoinedStr))
    references = [parts for parts in joined if parts and _words(parts[-1]) & IDS]
    left_out = {id(part) for parts in references for part in parts}
    return any(
        isinstance(n, ast.Constant) and n.value == COLON and id(n) not in left_out for n in nodes
    )


def _takes_apart(call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in APART:
        return False
    said = (each.value for each in ast.walk(call) if isinstance(each, ast.Constant))
    words = ("no_coverage", "not_covered", "authorisation_missing", COLON)
    return any(isinstance(text, str) and text.startswith(words) for text in said)


def _words(node: ast.AST) -> set[str]:
    found = (getattr(each, "attr", getattr(each, "id", "")) for each in ast.walk(node))
    return {str(each) for each in found}


def _tables(tree: Tree, name: str) -> list[dict[str, str]]:
    """Column -> type of the tables of claims that are called so, behind whatever prefix."""
    tables = tree.together("claims", SHARED).tables()
    return [table.columns for table in tables if re.search(rf"(?:^|_){name}$", table.name)]
