"""Types of values: whether what they make can be changed, which rules they have, who uses them."""

import ast
import re
from collections.abc import Iterator

from .receivers import last_word
from .syntax import FunctionNode
from .tree import Class, Context, Function, Sources
from .walk import dotted

_MAKING = frozenset({"__init__", "__new__", "__post_init__", "__attrs_post_init__", "__setstate__"})
_NO_RULES = _MAKING | {
    "__setattr__", "__delattr__", "__getstate__", "__reduce__", "__repr__", "__str__", "__format__",
    "__eq__", "__ne__", "__hash__",
}  # fmt: skip
"""Making, changing, showing and telling apart: what any type of values may have."""


def rules(made: Class) -> tuple[str, ...]:
    """What objects of a class know: its methods, but for private ones and what any type has."""
    shown = (name for name in made.methods if name.startswith("__") or not name.startswith("_"))
    return tuple(name for name in shown if name not in _NO_RULES)


def is_fixed(made: Class) -> bool:
    """Whether nothing sets a part of an object once it is made, as far as its class says.

    It is frozen, or a tuple, or refuses that by `__setattr__`; or all its parts are private, and
    nothing but its making sets one. That parts have slots does not keep them from being set.
    """
    methods = [each for each in made.node.body if isinstance(each, FunctionNode)]
    return (
        any(map(_is_frozen, _told(made.node)))
        or any(_is_tuple(base) for base in made.bases)
        or any(each.name == "__setattr__" and _raises(each) for each in methods)
        or _is_private(made, methods)
    )


def why_unused(made: Class, context: Context) -> str | None:
    """That the code of a context never makes an object of a class, or its domain asks none."""
    around = list(beside(made.name, context))
    if not any(makes(made.name, node) for each in around for node in ast.walk(each.node)):
        return f"nobody makes {made}"
    domain = beside(made.name, context.domain)
    if not any(_asked(function, made.name) & {*rules(made)} for function in domain):
        return f"nobody asks {made} for anything"
    return None


def beside(name: str, sources: Sources) -> Iterator[Function]:
    """The functions outside the class of that name."""
    return (each for each in sources.functions() if each.qualname.split(".")[0] != name)


def makes(name: str, node: ast.AST) -> bool:
    """Whether it is a call of the class of that name, or hands it on to be called."""
    parts = (node.func, *node.args) if isinstance(node, ast.Call) else ()
    return any(name in dotted(part).split(".") for part in parts)


def is_checked(made: Class, domain: Sources) -> bool:
    """Whether types of its fields are more than told: a plain dataclass checks none."""
    told = {dotted(getattr(each, "func", each)) for each in made.node.decorator_list}
    here = (i for i in domain.imports if i.path == made.path and i.module == "dataclasses")
    return not told & {i.name or "dataclasses.dataclass" for i in here}


def _asked(function: Function, name: str) -> set[str]:
    """What a function asks of anything but the class itself, which is how one is made."""
    attributes = (n for n in ast.walk(function.node) if isinstance(n, ast.Attribute))
    return {n.attr for n in attributes if last_word(n.value) != name}


def _told(node: ast.ClassDef) -> Iterator[str]:
    """What decorators, keywords and assignments say of a class."""
    assigned = (each for each in node.body if isinstance(each, ast.Assign | ast.AnnAssign))
    return map(ast.unparse, (*node.decorator_list, *node.keywords, *assigned))


def _is_frozen(told: str) -> bool:
    return any(mark in told for mark in ("frozen=True", "'frozen': True")) or told in _FROZEN


_FROZEN = ("frozen", "attrs.frozen", "attr.frozen")


def _is_tuple(base: str) -> bool:
    return re.split(r"[(\[]", base)[0].split(".")[-1] in ("NamedTuple", "namedtuple", "tuple")


def _raises(method: FunctionNode) -> bool:
    return any(isinstance(each, ast.Raise) for each in ast.walk(method))


def _is_private(made: Class, methods: list[FunctionNode]) -> bool:
    own = {part for each in made.node.body for part in _declared(each)}
    own |= {part for method in methods for _, part in _set(method)}
    changing = (method for method in methods if method.name not in _MAKING)
    changed = any(whose == _first(method) for method in changing for whose, _ in _set(method))
    return bool(own) and not changed and all(part.startswith("_") for part in own)


def _declared(statement: ast.stmt) -> Iterator[str]:
    """The parts that a statement of a class declares: a field, or the slots."""
    if isinstance(statement, ast.AnnAssign) and "ClassVar" not in ast.unparse(statement.annotation):
        yield ast.unparse(statement.target)
    elif isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__slots__":
        slots = (n.value for n in ast.walk(statement.value) if isinstance(n, ast.Constant))
        yield from map(str, slots)


def _first(method: FunctionNode) -> str | None:
    """What a method calls its object; None where it has none."""
    parameters = [*method.args.posonlyargs, *method.args.args]
    unbound = {"classmethod", "staticmethod"} & set(map(ast.unparse, method.decorator_list))
    return parameters[0].arg if parameters and not unbound else None


def _set(method: FunctionNode) -> Iterator[tuple[str, str]]:
    """The parts that a method sets, each with the name of the object whose part it is."""
    for node in ast.walk(method):
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            yield ast.unparse(node.value), node.attr
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(_SETTING):
            # Without its object: super().__setattr__(part, value).
            whose, part = ["self", *map(ast.unparse, node.args)][-3:-1]
            yield whose, part.strip("'\"")


_SETTING = ("setattr", "__setattr__")
