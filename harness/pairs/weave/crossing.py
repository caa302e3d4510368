"""What must hold of what a context asks of the others and of its store."""

import ast
from collections.abc import Collection, Iterator

from harness.errors import BadInput
from harness.pairs.weave.expressions import is_plain, misfit
from harness.pairs.weave.sources import App, Context, Method, Module

_SCALARS = {"str", "int", "bool"}
"""what goes from one program to another, beside lists of these and records"""
_SPOKEN = "between contexts go str, int, bool, lists of these, and records of these"


def check_asked(app: App, context: Context) -> None:
    """What the domain code asks of other contexts and of its store is there, and takes it."""
    asked: dict[str, tuple[str, Module]] = {
        name: (other.service, other.module) for name, other in app.ports(context).items()
    }
    if context.store:
        asked["store"] = context.store, app.stores
    fields = _fields(context.module)
    calls = {id(each.func): each for each in context.module.nodes if isinstance(each, ast.Call)}
    for node, owner in _attributes(context.module):
        told: str | None = None
        if owner not in fields:
            told = f"no class here has a field {owner}"
        elif owner in asked:
            kind, module = asked[owner]
            method = module.methods(kind).get(node.attr)
            if method is None:
                told = f"{kind} in {module.path.name} has no method {node.attr}"
            elif id(node) in calls:
                told = misfit(calls[id(node)], method)
        if told:
            where = f"{context.module.path}:{node.lineno}: {ast.unparse(node)}"
            raise BadInput(f"{where}: {told}")


def check_answered(app: App, context: Context) -> None:
    """What the other contexts ask of this one can be sent from one program to another."""
    for method in app.asked(context):
        where = f"{context.module.path}:{method.node.lineno}: {context.service}.{method.name}"
        if not is_plain(method):
            raise BadInput(f"{where}: another context asks for it: no *, ** or / in its parameters")
        for name, kind, default in method.parameters:
            if told := _unnamed(context, name) or _unsent(context, kind) or _unspoken(default):
                raise BadInput(f"{where}: {name}: {told}")
        if told := _unanswered(context, method):
            raise BadInput(f"{where}: {told}")


def _unnamed(context: Context, name: str) -> str | None:
    """Why a parameter cannot have its name."""
    return "its context stands beside it by that name" if name == context.name else None


def _unsent(context: Context, kind: str) -> str | None:
    """Why a parameter cannot be sent."""
    if kind in context.module.classes:
        fields = context.module.fields(kind)
        wrong = next((name for name, each in fields.items() if not _is_told(each, _SCALARS)), None)
        return f"{kind}.{wrong} is {fields[wrong]}; {_SPOKEN}" if wrong else None
    return None if kind != "None" and _is_told(kind, _SCALARS) else f"{kind}; {_SPOKEN}"


def _unspoken(default: str | None) -> str | None:
    """Why a default cannot stand in the client of another program."""
    try:
        ast.literal_eval(default or "None")
    except ValueError:
        return f"the default {default} is a name that other programs do not have"
    return None


def _unanswered(context: Context, method: Method) -> str | None:
    """Why what a method answers cannot be."""
    if method.node.returns is None:
        return "it does not say what it answers"
    known = _SCALARS | context.module.classes.keys()
    if method.returns != "None" and not _is_told(method.returns, known):
        return f"it answers {method.returns}; {_SPOKEN}"
    record = method.returns.removesuffix(" | None").removeprefix("list[").removesuffix("]")
    fields = context.module.fields(record) if record in context.module.classes else {}
    for name, kind in fields.items():
        if not _is_told(kind, known | {"datetime"}):
            return f"{record}.{name} is {kind}; {_SPOKEN}"
    return None


def _is_told(kind: str, known: Collection[str]) -> bool:
    """Whether a type is a known one, a list of one, or either `| None`."""
    inner = kind.removesuffix(" | None")
    if inner.startswith("list[") and inner.endswith("]"):
        inner = inner.removeprefix("list[").removesuffix("]")
    return inner in known


def _fields(module: Module) -> set[str]:
    """What `self` may have in a module: fields, methods, what is set."""
    found = {each.attr for each in module.nodes
             if isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store)}  # fmt: skip
    for name, node in module.classes.items():
        found |= module.fields(name).keys() | module.methods(name).keys()
        found |= {ast.unparse(target) for part in node.body if isinstance(part, ast.Assign)
                  for target in part.targets}  # fmt: skip
    return found


def _attributes(module: Module) -> Iterator[tuple[ast.Attribute, str]]:
    """Each `self.a.b` of a module, with `a`."""
    for node in module.nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
            inner = node.value.value
            if isinstance(inner, ast.Name) and inner.id == "self":
                yield node, node.value.attr
