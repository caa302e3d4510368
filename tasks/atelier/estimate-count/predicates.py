"""The estimate counts outputs where it is worked out, and nobody makes up for it."""

import ast

from verifier.tree import Function, Sources, Tree

SECONDS = "seconds_per_unit"
STATEMENTS = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return)


def the_workaround_is_gone(tree: Tree) -> str | None:
    for function in _path(tree.context("jobs").domain, "cancellation_fee"):
        if "count" in function.names():
            return f"{function} looks at how many outputs were ordered"
    for file in tree.files:
        if file.is_python and (file.context, file.kind) != ("catalogue", "domain"):
            for node in ast.walk(file.tree):
                if _makes_up(node):
                    return f"{file.path}:{getattr(node, 'lineno', 1)} multiplies an estimate"
    return None


def the_catalogue_counts_outputs(tree: Tree) -> str | None:
    way = _path(tree.context("catalogue").domain, "Catalogue.quote")
    by_name = {function.name for function in way if SECONDS in function.names()}
    if not by_name:
        return f"no quote looks at {SECONDS}"
    domain = tree.context("catalogue").domain
    for function in way:
        if not (function.name in by_name or by_name & function.called()):
            continue
        beside = [f for f in way if f.name in _used_beside(function, {SECONDS, *by_name})]
        counting = (function, *domain.onward(*beside, by=Function.called))
        if any("count" in each.names() for each in counting):
            return None
    return "the estimate of a quote does not look at how many outputs are ordered"


def _used_beside(function: Function, names: set[str]) -> set[str]:
    """What goes into the results that rest on one of the names, as far as this function shows."""
    statements = [n for n in ast.walk(function.node) if isinstance(n, STATEMENTS)]
    results = set(names)
    while more := {r for s in statements if results & _words(s) for r in _stored(s)} - results:
        results |= more
    made = [s for s in statements if names & _words(s) or results & _stored(s)]
    used = {word for statement in made for word in _words(statement)}
    return used | {word for s in statements if used & _stored(s) for word in _words(s)}


def _words(node: ast.AST) -> set[str]:
    return {getattr(each, "attr", getattr(each, "id", "")) for each in ast.walk(node)}


def _stored(node: ast.AST) -> set[str]:
    names = (each for each in ast.walk(node) if isinstance(each, ast.Name))
    return {name.id for name in names if isinstance(name.ctx, ast.Store)}


def _makes_up(node: ast.AST) -> bool:
    """Whether this is a product of an estimate and a number of outputs."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        factors: tuple[ast.expr, ...] = (node.left, node.right)
    elif isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Mult):
        factors = (node.target, node.value)
    else:
        return False
    return _mentions(factors, "estimate") and _mentions(factors, "count")


def _mentions(nodes: tuple[ast.expr, ...], word: str) -> bool:
    """Whether a variable, attribute or key has the word as a part of its name."""
    for top in nodes:
        for node in ast.walk(top):
            for field in ("id", "attr", "value"):
                text = getattr(node, field, None)
                if isinstance(text, str) and word in text.split("_"):
                    return True
    return False


def _path(domain: Sources, name: str) -> tuple[Function, ...]:
    """A function, and those that it calls, directly or through others of the same context."""
    return domain.onward(domain.function(name), by=Function.called)
