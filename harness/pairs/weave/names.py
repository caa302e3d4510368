"""Which names an app may give: none that an arm, Python or another part of the app has already."""

import ast
import builtins
import re
import sys
from collections.abc import Iterator

from harness.errors import BadInput
from harness.pairs.weave.expressions import Keys, parsed
from harness.pairs.weave.sources import App, Context
from harness.pairs.weave.trees import bare, prefixed

IMPORTED = sys.stdlib_module_names | {
    "aiohttp", "anyio", "data", "fastapi", "httptools", "httpx", "pydantic", "pytest", "starlette",
    "tests", "urllib3", "uvicorn", "uvloop", "yarl",
}  # fmt: skip
"""what an arm imports from outside its own packages; `data/` is its programs' own"""
RESERVED = IMPORTED | {
    "AsyncIterator", "Request", "asynccontextmanager", "cache", "clients", "clock", "common",
    "contracts", "counters", "db", "edge", "errors", "interactions", "lifespan", "main",
    "openapi", "replies", "repositories", "routes", "rows", "schema", "schemas", "service",
    "services", "store", "stores", "web", "wiring",
}  # fmt: skip
"""what modules and folders of the arms are called, what they import, and what stands beside them"""
_OF_SITE = {"copyright", "credits", "exit", "help", "license", "quit"}
"""builtins for people at a prompt"""
RESERVED_NAMES = (set(dir(builtins)) - _OF_SITE) | {
    "app", "body", "build", "create_app", "once", "refusals", "router", "services", "session",
    "store",
    "APIRouter", "Annotated", "Any", "BaseModel", "Body", "COUNTERS", "Client",
    "ConfigDict", "Depends", "DomainError", "Field", "Generic", "HTTPException", "Health", "Item",
    "Items", "Literal", "Problem", "Query", "REPLIES", "Refusal", "RequestSession",
    "Rows", "Service", "Services", "ServicesDep", "Session", "SimpleNamespace",
    "StringConstraints", "TABLES", "TYPE_CHECKING", "TypeVar",
}  # fmt: skip
"""what the code around an app's own names calls its things, and what Python does"""
_TABLES = {"counters", "replies"}
"""tables of the arms themselves"""
_TAKEN = "a name that an arm needs for something else"


def check_names(app: App) -> None:
    """Raises BadInput for the first name that means two things, with file, line and key."""
    if app.spec.package in IMPORTED:
        raise app.wrong(_TAKEN, "package")
    for name in app.spec.types:
        if name in RESERVED_NAMES:
            raise app.wrong(_TAKEN, "types", name)
    tables: dict[tuple[object, str], tuple[str, ...]] = {}
    models = dict.fromkeys([*app.spec.types, *app.stores.classes], app.spec.package)
    models |= {context.service: name for name, context in app.contexts.items()}
    beside = {app.spec.package, *(f"{name}_store" for name in app.contexts)}
    for name, context in app.contexts.items():
        if {name, context.service} & (RESERVED | RESERVED_NAMES | beside):
            raise app.wrong(_TAKEN, "contexts", name)
        _check_tables(app, context, tables)
        _check_models(app, context, models)
        for operation in context.spec.operations:
            _check_operation(app, context, operation)


def _check_tables(
    app: App, context: Context, taken: dict[tuple[object, str], tuple[str, ...]]
) -> None:
    for table in context.spec.tables:
        keys = ("contexts", context.name, "tables", table)
        if table.lower() in _TABLES:
            raise app.wrong(_TAKEN, *keys)
        for naming in (bare, prefixed):
            name = naming(context.name, table).lower()
            first = taken.setdefault((naming, name), keys)
            if first != keys:
                raise app.wrong(f"{first[1]} has a table of that name in an arm: {name}", *keys)


def _check_models(app: App, context: Context, taken: dict[str, str]) -> None:
    """One document tells of the models of all contexts, each by its own name."""
    for kind, models in (("bodies", context.spec.bodies), ("answers", context.spec.answers)):
        for name in models:
            keys = ("contexts", context.name, kind, name)
            if name in RESERVED_NAMES:
                raise app.wrong(_TAKEN, *keys)
            if name in context.module.names:
                raise app.wrong(f"{context.module.path} has something of that name", *keys)
            if name in taken:
                raise app.wrong(f"{taken[name]} has something of that name", *keys)
            taken[name] = context.name
    for name in _shown(context):
        where = f"{context.module.path}:{context.module.classes[name].lineno}: {name}"
        if name in RESERVED_NAMES:
            raise BadInput(f"{where}: {_TAKEN}")
        if taken.setdefault(name, context.name) != context.name:
            told = f"{taken[name]} has something of that name, and the API shows both"
            raise BadInput(f"{where}: {told}")


def _shown(context: Context) -> Iterator[str]:
    """The records that the public API shows, in order of the alphabet."""
    spec, classes = context.spec, context.module.classes
    todo = [each.answer for each in spec.operations.values()]
    todo += [told for fields in spec.answers.values() for told in fields.values()]
    found: set[str] = set()
    while todo:
        new = set(re.findall(r"\w+", todo.pop())) & classes.keys() - found
        found |= new
        todo += [told for name in new for told in context.module.fields(name).values()]
    yield from sorted(found)


def _check_operation(app: App, context: Context, name: str) -> None:
    keys: Keys = ("contexts", context.name, "operations", name)
    spec, operation = context.spec, context.spec.operations[name]
    called = {node.id for node in ast.walk(parsed(app, operation.call, (*keys, "call")))
              if isinstance(node, ast.Name)}  # fmt: skip
    if name in {*spec.bodies, *spec.answers} | called | RESERVED_NAMES:
        raise app.wrong("a name that the code of its route needs", *keys)
    for parameter in operation.path_parameters:
        if parameter in RESERVED_NAMES | {context.name}:
            raise app.wrong(f"{parameter!r} is {_TAKEN}", *keys, "route")
    for parameter in operation.query:
        if parameter in RESERVED_NAMES | {context.name}:
            raise app.wrong(_TAKEN, *keys, "query", parameter)
