"""The arm of services: one program a context, each with its own database, and an edge."""

from collections.abc import Iterable

from harness.pairs.weave import routes, schemas, stores, wire
from harness.pairs.weave.domain import settle
from harness.pairs.weave.sources import App, Context
from harness.pairs.weave.trees import Tree, bare, public, template, types_of

FIRST_PORT = 8101
_HTTP_ERROR = """class DomainError(HTTPException):
    status = 400

    def __init__(self, code: str, message: str) -> None:
        super().__init__(self.status, {"code": code, "message": message})
"""


def microservices(app: App, _: int) -> Tree:
    """One program a context, each with its own database, and an edge before them."""
    tree: Tree = {
        "edge/__init__.py": "",
        "edge/main.py": template("own/edge.py", MAP=repr(_segments(app)), APP=app.spec.app),
        "app.toml": _programs(app),
    }
    for context in app.contexts.values():
        tree |= _program(app, context)
    return tree


def _segments(app: App) -> dict[str, list[str]]:
    """Context -> the first words of the paths that it answers."""
    found: dict[str, list[str]] = {}
    for name, context in public(app).items():
        firsts = [each.path.split("/")[2] for each in context.spec.operations.values()]
        found[name] = list(dict.fromkeys(firsts))
    return found


def _programs(app: App) -> str:
    parts = ['[app]\nentry = "edge"\n', '[programs.edge]\nmodule = "edge.main:app"\nport = 8000\n']
    parts += [f'[programs.{name}]\nmodule = "{name}.main:app"\nport = {FIRST_PORT + index}\n'
              for index, name in enumerate(app.contexts)]  # fmt: skip
    return "\n".join(parts)


def _program(app: App, context: Context) -> Tree:
    name = context.name
    service = settle(app, context, ".errors", ".store", lambda _: ".clients")
    inner = wire.internal(app, context)
    tree = {
        f"{name}/__init__.py": "",
        f"{name}/service.py": service,
        f"{name}/errors.py": _http_errors(app, service),
        f"{name}/platform.py": template("own/platform.py"),
        f"{name}/main.py": _main(app, context, inner),
    }
    if models := schemas.own_schemas(app, context, ".service", inner):
        tree[f"{name}/schemas.py"] = models
    if _has_rows(context):
        tree[f"{name}/rows.py"] = stores.rows(app, [context])
    if wire.keeps_replies(app, context):
        tree[f"{name}/replies.py"] = template("own/replies.py")
    if context.store:
        imports = "from .rows import Rows\nfrom .service import {records}"
        tree[f"{name}/store.py"] = stores.with_tables(app, context, imports, bare)
    if app.ports(context):
        tree[f"{name}/clients.py"] = template("own/clients.py") + wire.clients(app, context)
    return tree


def _has_rows(context: Context) -> bool:
    return not context.parts.keys().isdisjoint({"store", "new_id"})


def _main(app: App, context: Context, inner: str) -> str:
    ports = {each.service for each in app.ports(context).values()}
    public = routes.own_program(app, context, {
        "service": ".service", "schemas": ".schemas", "types": types_of(app, context),
    })  # fmt: skip
    imports, first, handlers = public.partition("@app.")
    kinds = routes.names_in(inner) & context.module.names | {context.service}
    rows = "rows = Rows(session.db)\n    " if _has_rows(context) else ""
    build = f"{rows}return {context.service}({', '.join(_parts(context, ports))})"
    return "\n".join([
        f'"""{context.spec.title}, over HTTP."""\n',
        "from typing import Annotated\n",
        "from fastapi import Depends, Query\n",
        f"from .clients import {', '.join(sorted(ports))}" if ports else "",
        "from .platform import Session, create_app",
        "from .errors import refusals",
        "from .replies import REPLIES, once",
        "from .rows import COUNTERS, Rows",
        "from .schemas import Body, Items",
        f"from .service import {', '.join(sorted(kinds))}",
        imports,
        f"from .store import TABLES, {context.store}" if context.store else "",
        f"\napp = create_app({', '.join(_tables(app, context))})\n",
        f"async def build(session: Session) -> {context.service}:\n    {build}\n",
        f"Service = Annotated[{context.service}, Depends(build)]\n",
        f"{first}{handlers}",
        inner,
    ])  # fmt: skip


def _tables(app: App, context: Context) -> Iterable[str]:
    """The statements that create what a program stores."""
    yield from ["COUNTERS"] if "new_id" in context.parts else []
    yield from ["REPLIES"] if wire.keeps_replies(app, context) else []
    yield from ["TABLES"] if context.store else []


def _parts(context: Context, ports: set[str]) -> Iterable[str]:
    """What a service is made of, in a program of its own."""
    for name, kind in context.parts.items():
        if name == "store":
            yield f"{kind}(rows)"
        elif kind in ports:
            yield f"{kind}(session)"
        elif name == "new_id":
            yield "rows.new_id"
        else:
            yield f"session.{name}"


def _http_errors(app: App, service: str) -> str:
    said = routes.names_in(service)
    names = [name for name in app.spec.errors if name in said]
    classes = [f"class {name}(DomainError):\n    status = {app.spec.errors[name]}\n"
               for name in names]  # fmt: skip
    return "\n\n".join([
        '"""What can go wrong here; each carries a code for programs and a sentence for people."""',
        "from typing import Any\n",
        "from fastapi import HTTPException",
        "from pydantic import BaseModel\n",
        _HTTP_ERROR if names or "DomainError" in said else "",
        *classes,
        template("refusals.py", ANSWERED="detail: Problem | list[dict[str, Any]]"),
    ])  # fmt: skip
