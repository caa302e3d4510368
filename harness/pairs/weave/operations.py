"""What must hold of operations: their fields, their calls and their routes."""

import ast
import builtins
import re

from pydantic import BaseModel

from harness.pairs.weave.expressions import Keys, free_names, misfit, parsed, unknown
from harness.pairs.weave.models import BUILT_IN, check_field, check_type
from harness.pairs.weave.sources import App, Context
from harness.pairs.weave.spec import Operation


def check_operations(app: App, context: Context) -> None:
    """Raises BadInput that names file, line and key."""
    for name, operation in context.spec.operations.items():
        _check_operation(app, context, name, operation)


def check_routes(app: App) -> None:
    """No route is answered twice, and the edge knows by its first word who answers it."""
    taken: dict[tuple[str, str], str] = {}
    owners: dict[str, str] = {}
    for context in app.contexts.values():
        for name, each in context.spec.operations.items():
            keys = ("contexts", context.name, "operations", name, "route")
            route = each.method, re.sub(r"\{\w+\}", "{}", each.path)
            place = f"{context.name}.{name}"
            if taken.setdefault(route, place) != place:
                raise app.wrong(f"{each.route} is what {taken[route]} answers", *keys)
            first = each.path.split("/")[2]
            if first.startswith("{"):
                raise app.wrong("the first word of a path is no parameter", *keys)
            if owners.setdefault(first, context.name) != context.name:
                told = f"paths below /v1/{first} are what {owners[first]} answers"
                raise app.wrong(told, *keys)


def _check_operation(app: App, context: Context, name: str, operation: Operation) -> None:
    keys: Keys = ("contexts", context.name, "operations", name)
    spec = context.spec
    if operation.body and operation.body not in spec.bodies:
        raise app.wrong(unknown("body", operation.body, spec.bodies), *keys, "body")
    here = BUILT_IN | context.module.names | spec.bodies.keys() | spec.answers.keys()
    types = here | app.spec.types.keys()
    for parameter, told in operation.query.items():
        check_field(app, told, types, (*keys, "query", parameter))
        if parameter in operation.path_parameters:
            raise app.wrong("stands in the path already", *keys, "query", parameter)
    shown = here | {"Items"} | (context.vocabulary & app.spec.types.keys())
    check_type(app, operation.answer, shown, (*keys, "answer"))
    _check_call(app, context, operation, here | {"Items"}, (*keys, "call"))


def _check_call(
    app: App, context: Context, operation: Operation, here: set[str], keys: Keys
) -> None:
    """A call names what there is, and gives methods what they take."""
    tree = parsed(app, operation.call, keys)
    known = here | {context.name, *operation.path_parameters, *operation.query}
    known |= ({"store"} if context.store else set()) | ({"body"} if operation.body else set())
    for name in free_names(tree):
        if name not in known and not hasattr(builtins, name):
            raise app.wrong(unknown("name", name, known), *keys)
    owners = {context.name: context.methods}
    owners |= {"store": app.stores.methods(context.store)} if context.store else {}
    fields = context.spec.bodies[operation.body] if operation.body else {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner, name = node.value.id, node.attr
            if owner in owners and name not in owners[owner]:
                raise app.wrong(unknown(f"method of {owner}", name, owners[owner]), *keys)
            if owner == "body" and name not in fields and not hasattr(BaseModel, name):
                raise app.wrong(unknown(f"field of {operation.body}", name, fields), *keys)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            method = owners.get(ast.unparse(node.func.value), {}).get(node.func.attr)
            if method and (told := misfit(node, method)):
                raise app.wrong(f"{ast.unparse(node.func)}: {told}", *keys)
