"""Ages are completed years where they are told, and nobody makes up for them."""

import ast

from verifier.tree import Function, Tree

BIRTHDAY = "born_on"
AGE = "age"


def the_age_is_cured_where_it_is_told(tree: Tree) -> str | None:
    assert tree.base is not None
    before = {function.fingerprint for function in _path(tree.base, "Patients.age")}
    way = _path(tree, "Patients.age")
    changed = {function.name for function in way if function.fingerprint not in before}
    if not changed:
        return f"{way[0]} works an age out as before"
    consent = _path(tree, "Patients.decide_consent")
    if not changed & {function.name for function in consent}:
        return "whether a guardian decides rests on another age"
    return None


def nobody_makes_up_for_it(tree: Tree) -> str | None:
    for name, context in tree.contexts.items():
        if name == "patients":
            continue
        for function in context.domain.functions():
            if BIRTHDAY in function.names():
                return f"{function} looks at when somebody was born"
            if any(_makes_up(node) for node in ast.walk(function.node)):
                return f"{function} changes the age that it is told"
    return None


def _makes_up(node: ast.AST) -> bool:
    """Whether an age is added to or taken from: `age -= 1`, `patients.age(...) - 1`."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        return _is_age(node.left) or _is_age(node.right)
    return isinstance(node, ast.AugAssign) and _is_age(node.target)


def _is_age(node: ast.AST) -> bool:
    """A variable or attribute `age`, or what a call of that name answers."""
    if isinstance(node, ast.Call):
        node = node.func
    return AGE in (getattr(node, "id", None), getattr(node, "attr", None))


def _path(tree: Tree, name: str) -> tuple[Function, ...]:
    """A function of patients, and those that it calls there, directly or through others."""
    domain = tree.context("patients").domain
    return domain.onward(domain.function(name), by=Function.called)
