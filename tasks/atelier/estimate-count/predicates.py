"""The estimate counts outputs where it is worked out, and nobody makes up for it."""

import ast

from verifier.tree import Function, Missing, Sources, Tree


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
    way = _path(tree.context("catalogue").domain, "quote")
    by_name = {function.name for function in way if "seconds_per_unit" in function.names()}
    if not by_name:
        return "no quote looks at seconds_per_unit"
    for function in way:
        leads = by_name & {call.rsplit(".", 1)[-1] for call in function.calls()}
        if (function.name in by_name or leads) and "count" in function.names():
            return None
    return "the estimate of a quote does not look at how many outputs are ordered"


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


def _path(domain: Sources, name: str) -> list[Function]:
    """A function, and those that it calls, directly or through others of the same context."""
    every = domain.functions()
    found = [function for function in every if function.name == name]
    if not found:
        raise Missing(f"{domain.title} has no {name}")
    for function in found:
        called = {call.rsplit(".", 1)[-1] for call in function.calls()}
        found += [f for f in every if f.name in called and f not in found]
    return found
