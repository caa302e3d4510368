"""What must hold between app.yaml and the domain code; each error names file, line and key."""

import ast
import builtins
import inspect
import re
import sys
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from typing import Any, Union

from pydantic import BaseModel, TypeAdapter, ValidationError

from harness.errors import BadInput
from harness.pairs.weave.sources import App, Context, Method, Module
from harness.pairs.weave.spec import CouplingSpec, Operation, field_parts
from harness.pairs.weave.stored import check_stored

_BUILT_IN = {name for name, each in vars(builtins).items() if isinstance(each, type)}
_GIVEN = {"store", "now", "new_id"}
"""what a service is made of beside the contexts that it asks"""
_ROUTED = {"router", "app"}
RESERVED = sys.stdlib_module_names | {
    "cache", "clients", "clock", "common", "contracts", "db", "edge", "errors", "interactions",
    "main", "openapi", "replies", "repositories", "routes", "rows", "schemas", "service",
    "services", "store", "stores", "tests", "web", "wiring",
    "aiohttp", "anyio", "fastapi", "httptools", "httpx", "pydantic", "pytest", "starlette",
    "urllib3", "uvicorn", "uvloop", "yarl",
}  # fmt: skip
"""what modules and folders of the arms are called, and what they import"""
Keys = tuple[str | int, ...]


def check(app: App) -> None:
    """Raises BadInput for the first thing that does not hold."""
    _check_names(app)
    _check_errors(app)
    for name in app.spec.types:
        if not name[0].isupper():
            raise app.wrong("the name of a type starts with a capital", "types", name)
    for context in app.contexts.values():
        if context.service not in context.module.classes:
            told = f"{context.module.path}: no class {context.service}, which answers for it"
            raise app.wrong(told, "contexts", context.name)
    if not any(context.is_public for context in app.contexts.values()):
        raise app.wrong("none has operations, so nothing can be asked", "contexts")
    for context in app.contexts.values():
        _check_parts(app, context)
        check_stored(app, context)
        _check_asked(app, context)
        _check_imports(app, context)
        _check_models(app, context)
        for name, operation in context.spec.operations.items():
            _check_operation(app, context, name, operation)
    _check_circles(app)
    _check_routes(app)
    for number, coupling in enumerate(app.spec.couplings):
        _check_coupling(app, coupling, ("couplings", number))


def _check_names(app: App) -> None:
    """No context, table or operation takes the name of something else in an arm."""
    tables: dict[str, str] = {}
    for name, context in app.contexts.items():
        if name in RESERVED or name == app.spec.package:
            raise app.wrong("a name that an arm needs for something else", "contexts", name)
        for table in context.spec.tables:
            if tables.setdefault(table, name) != name:
                keys = ("contexts", name, "tables", table)
                raise app.wrong(f"{tables[table]} has a table of that name", *keys)
        taken = {*_ROUTED, *context.spec.bodies, *context.spec.answers}
        for operation, each in context.spec.operations.items():
            keys = ("contexts", name, "operations", operation)
            called = {node.id for node in ast.walk(_parsed(app, each.call, (*keys, "call")))
                      if isinstance(node, ast.Name)}  # fmt: skip
            if operation in taken | called:
                raise app.wrong("a name that the code of its route needs", *keys)


def _check_imports(app: App, context: Context) -> None:
    """What a context takes of its neighbours: errors, its store, and whom it asks."""
    services = {name: {other.service} for name, other in app.contexts.items()}
    offered = services | {"stores": {str(context.store)}}
    offered["errors"] = {*app.spec.errors, "DomainError"}
    for node in ast.walk(context.module.tree):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        where = f"{context.module.path}:{node.lineno}"
        if node not in context.module.tree.body or node.level > 1 or node.module not in offered:
            told = "a domain file imports from .errors, .stores and contexts, at its top"
            raise BadInput(f"{where}: {ast.unparse(node)}: {told}")
        for alias in node.names:
            if alias.name not in offered[node.module]:
                told = f"{alias.name} is not among the errors of app.yaml"
                if node.module != "errors":
                    told = f"only {', '.join(sorted(offered[node.module]))} comes from there"
                raise BadInput(f"{where}: {told}")
            if alias.asname:
                raise BadInput(f"{where}: {alias.name} keeps its name: write no `as`")


def _check_errors(app: App) -> None:
    for name, status in app.spec.errors.items():
        if name not in app.errors.classes:
            raise app.wrong(f"{app.errors.path} has no class {name}", "errors", name)
        for part in app.errors.classes[name].body:
            if isinstance(part, ast.Assign) and ast.unparse(part) != f"status = {status}":
                told = f"{status}, and {ast.unparse(part)} in {app.errors.path}:{part.lineno}"
                raise app.wrong(told, "errors", name)


def _check_parts(app: App, context: Context) -> None:
    ports = app.ports(context)
    for name, kind in context.parts.items():
        if name not in ports and name not in _GIVEN:
            line = context.module.line(context.service, name)
            raise BadInput(f"{context.module.path}:{line}: {context.service}.{name}: "
                           f"{kind} answers for no context")  # fmt: skip


def _check_asked(app: App, context: Context) -> None:
    """What the domain code asks of other contexts and of its store is there."""
    asked: dict[str, Module] = {}
    services = {name: other.service for name, other in app.ports(context).items()}
    asked |= {name: other.module for name, other in app.ports(context).items()}
    if context.store:
        asked, services = asked | {"store": app.stores}, services | {"store": context.store}
    fields = _fields(context.module)
    for owner, called in sorted(context.module.asked):
        if owner not in fields:
            where = f"{context.module.path}:{_line_of(context.module, owner, called)}"
            raise BadInput(f"{where}: self.{owner}.{called}: no class here has a field {owner}")
        if owner in asked and called not in asked[owner].methods(services[owner]):
            where = f"{context.module.path}:{_line_of(context.module, owner, called)}"
            told = f"{services[owner]} in {asked[owner].path.name} has no method {called}"
            raise BadInput(f"{where}: self.{owner}.{called}: {told}")


def _fields(module: Module) -> set[str]:
    """What `self` may have in a module: fields, methods, what is set."""
    found = {each.attr for each in ast.walk(module.tree)
             if isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store)}  # fmt: skip
    for name, node in module.classes.items():
        found |= module.fields(name).keys() | module.methods(name).keys()
        found |= {ast.unparse(target) for part in node.body if isinstance(part, ast.Assign)
                  for target in part.targets}  # fmt: skip
    return found


def _line_of(module: Module, owner: str, called: str) -> int:
    sought = f"self.{owner}.{called}"
    lines = [node.lineno for node in ast.walk(module.tree)
             if isinstance(node, ast.Attribute) and ast.unparse(node) == sought]  # fmt: skip
    return min(lines)


def _check_models(app: App, context: Context) -> None:
    """The fields of bodies and answers are of types that are known where they stand."""
    known = _BUILT_IN | app.spec.types.keys() | context.module.names
    for kind, models in (("bodies", context.spec.bodies), ("answers", context.spec.answers)):
        for name, fields in models.items():
            for field, told in fields.items():
                _check_field(app, told, known, ("contexts", context.name, kind, name, field))
            known |= {name}


def _check_field(app: App, told: str, known: Collection[str], keys: Keys) -> None:
    found = field_parts(told)
    for part in filter(None, (found["type"], found["default"])):
        _check_type(app, part, known, keys)
    if found["default"]:
        _check_default(app, found["type"], found["default"], keys)


def _check_default(app: App, kind: str, default: str, keys: Keys) -> None:
    """A default that is written out is one that a request could have said."""
    plain: dict[str, Any] = {"str": str, "int": int, "bool": bool, "None": None}
    parts = [part.strip() for part in kind.split("|")]
    try:
        value = ast.literal_eval(default)
        told: Any = Union[
            *(plain[p] if p in plain else app.spec.types[p].as_python() for p in parts)
        ]
    except (KeyError, ValueError):  # what the domain defines is Python's to check
        return
    try:
        TypeAdapter[Any](told).validate_python(value, strict=True)
    except ValidationError:
        raise app.wrong(f"the default {default} is no {kind}", *keys) from None


def _check_type(app: App, text: str, known: Collection[str], keys: Keys) -> None:
    for name in _names(_parsed(app, text, keys)):
        if name not in known:
            raise app.wrong(_unknown("type", name, known), *keys)


def _check_operation(app: App, context: Context, name: str, operation: Operation) -> None:
    keys: Keys = ("contexts", context.name, "operations", name)
    spec = context.spec
    if operation.body and operation.body not in spec.bodies:
        raise app.wrong(_unknown("body", operation.body, spec.bodies), *keys, "body")
    here = _BUILT_IN | context.module.names | spec.bodies.keys() | spec.answers.keys()
    types = here | app.spec.types.keys()
    for parameter, told in operation.query.items():
        _check_field(app, told, types, (*keys, "query", parameter))
        if parameter in operation.path_parameters:
            raise app.wrong("stands in the path already", *keys, "query", parameter)
    shown = here | {"Items"} | (context.vocabulary & app.spec.types.keys())
    _check_type(app, operation.answer, shown, (*keys, "answer"))
    _check_call(app, context, operation, here | {"Items"}, (*keys, "call"))


def _check_call(
    app: App, context: Context, operation: Operation, here: set[str], keys: Keys
) -> None:
    """A call names what there is, and gives methods what they take."""
    tree = _parsed(app, operation.call, keys)
    known = here | {context.name, *operation.path_parameters, *operation.query}
    known |= ({"store"} if context.store else set()) | ({"body"} if operation.body else set())
    for name in _names(tree):
        if name not in known and not hasattr(builtins, name):
            raise app.wrong(_unknown("name", name, known), *keys)
    owners = {context.name: context.methods}
    owners |= {"store": app.stores.methods(context.store)} if context.store else {}
    fields = context.spec.bodies[operation.body] if operation.body else {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner, name = node.value.id, node.attr
            if owner in owners and name not in owners[owner]:
                raise app.wrong(_unknown(f"method of {owner}", name, owners[owner]), *keys)
            if owner == "body" and name not in fields and not hasattr(BaseModel, name):
                raise app.wrong(_unknown(f"field of {operation.body}", name, fields), *keys)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            method = owners.get(ast.unparse(node.func.value), {}).get(node.func.attr)
            if method and (told := _misfit(node, method)):
                raise app.wrong(f"{ast.unparse(node.func)}: {told}", *keys)


def _misfit(call: ast.Call, method: Method) -> str | None:
    """Why a method cannot take the arguments of a call."""
    arguments = method.node.args
    if arguments.vararg or arguments.kwarg or arguments.kwonlyargs or arguments.posonlyargs:
        return None
    if any(isinstance(each, ast.Starred) for each in call.args):
        return None
    named = {each.arg: each.value for each in call.keywords if each.arg is not None}
    if len(named) < len(call.keywords):
        return None
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter(name, kind, default=inspect.Parameter.empty
                                    if default is None else default)
                  for name, _, default in method.parameters]  # fmt: skip
    try:
        inspect.Signature(parameters).bind(*call.args, **named)
    except TypeError as error:
        return str(error)
    return None


def _check_circles(app: App) -> None:
    """Contexts that ask one another in a circle cannot be made one after the other."""
    asks = {name: {other.name for other in app.ports(context).values()}
            for name, context in app.contexts.items()}  # fmt: skip
    try:
        TopologicalSorter(asks).prepare()
    except CycleError as error:
        names = list(reversed(error.args[1]))
        told = f"{' asks '.join(names)}: none of them can be made first"
        raise app.wrong(told, "contexts", names[0]) from None


def _check_routes(app: App) -> None:
    taken: dict[tuple[str, str], str] = {}
    for context in app.contexts.values():
        for name, each in context.spec.operations.items():
            route = each.method, re.sub(r"\{\w+\}", "{}", each.path)
            place = f"{context.name}.{name}"
            if taken.setdefault(route, place) != place:
                keys = ("contexts", context.name, "operations", name, "route")
                raise app.wrong(f"{each.route} is what {taken[route]} answers", *keys)


def _check_coupling(app: App, coupling: CouplingSpec, keys: Keys) -> None:
    for number, name in enumerate(coupling.contexts):
        if name not in app.contexts:
            told = _unknown("context", name, app.contexts)
            raise app.wrong(told, *keys, "contexts", number)
    for name in coupling.readers:
        if name not in app.contexts:
            raise app.wrong(_unknown("context", name, app.contexts), *keys, "readers", name)
    if coupling.kind != "cache_key":
        return
    queries = {name for context in app.contexts.values() for name in context.spec.queries}
    if coupling.query not in queries:
        raise app.wrong(f"no context has a query {coupling.query!r}", *keys, "query")
    if coupling.key is None:
        raise app.wrong("a cache_key has a key", *keys, "key")
    holder = next(each for each in app.contexts.values() if coupling.query in each.spec.queries)
    method = app.stores.methods(str(holder.store))[coupling.query]
    if len(method.parameters) != 1 or not method.returns.endswith(" | None"):
        told = f"{holder.store}.{method.name} finds no one row by one parameter"
        raise app.wrong(told, *keys, "query")
    if why := _not_kept(holder, coupling.query):
        raise app.wrong(why, *keys, "query")


def _not_kept(holder: Context, query: str) -> str | None:
    """Why the row that a query finds cannot be kept in memory by what its service is asked."""
    asks = f"self.store.{query}"
    asking = [each for each in holder.methods.values() if asks in ast.unparse(each.node)]
    if not asking:
        return f"no method of {holder.service} asks for it, so nothing is kept in memory"
    given = asking[0].node.args
    if len(given.args) != 2 or given.posonlyargs or given.kwonlyargs or given.vararg:
        return f"{holder.service}.{asking[0].name}, which asks for it, must take one parameter"
    return None


def _parsed(app: App, text: str, keys: Keys) -> ast.expr:
    try:
        return _expression(text)
    except SyntaxError as error:
        raise app.wrong(f"{error.msg}: {text}", *keys) from None


@lru_cache(maxsize=4096)
def _expression(text: str) -> ast.expr:
    return ast.parse(text.strip(), mode="eval").body


def _names(tree: ast.expr) -> Iterator[str]:
    """The names that an expression takes from outside it."""
    found = [each for each in ast.walk(tree) if isinstance(each, ast.Name)]
    bound = {each.id for each in found if isinstance(each.ctx, ast.Store)}
    bound |= {each.arg for each in ast.walk(tree) if isinstance(each, ast.arg)}
    yield from (each.id for each in found if each.id not in bound)


def _unknown(kind: str, name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, sorted(known), n=1)
    return f"unknown {kind} {name!r}" + (f"; there is {near[0]}" if near else "")
