"""The arm of services: one program a context, each with its own database, and an edge."""

import re
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
    tree = {
        f"{name}/__init__.py": "",
        f"{name}/service.py": service,
        f"{name}/errors.py": _http_errors(app, service),
        f"{name}/platform.py": template("own/platform.py"),
        f"{name}/rows.py": template("rows.py"),
        f"{name}/schemas.py": schemas.schemas(app, context, ".service", None),
        f"{name}/main.py": _main(app, context),
    }
    if context.store:
        imports = "from .rows import Rows\nfrom .service import {records}"
        text = stores.store(app, context, imports, bare)
        made = stores.tables(app, context, bare, tangled=False)
        head, body = text.split("\n\n\nclass ", 1)
        tree[f"{name}/store.py"] = f'{head}\n\nTABLES = """\n{made}\n"""\n\n\nclass {body}'
    if app.ports(context):
        tree[f"{name}/clients.py"] = template("own/clients.py") + wire.clients(app, context)
    return tree


def _main(app: App, context: Context) -> str:
    ports = {each.service for each in app.ports(context).values()}
    store = f"from .store import TABLES, {context.store}" if context.store else ""
    tables = "TABLES" if context.store else '""'
    public = routes.own_program(app, context, {
        "service": ".service", "schemas": ".schemas", "types": types_of(app, context),
    })  # fmt: skip
    imports, first, handlers = public.partition("@app.")
    inner = wire.internal(app, context)
    kinds = routes.names_in(inner) & context.module.names | {context.service}
    build = f"return {context.service}({', '.join(_parts(context, ports))})"
    return "\n".join([
        f'"""{context.spec.title}, over HTTP."""\n',
        "from typing import Annotated\n",
        "from fastapi import Depends, Query\n",
        f"from .clients import {', '.join(sorted(ports))}" if ports else "",
        "from .platform import Session, create_app",
        "from .schemas import Body, Items",
        f"from .service import {', '.join(sorted(kinds))}",
        imports,
        store,
        f"\napp = create_app({tables})\n",
        f"async def build(session: Session) -> {context.service}:\n    {build}\n",
        f"Service = Annotated[{context.service}, Depends(build)]\n",
        f"{first}{handlers}",
        inner,
    ])  # fmt: skip


def _parts(context: Context, ports: set[str]) -> Iterable[str]:
    """What a service is made of, in a program of its own."""
    for name, kind in context.parts.items():
        if name == "store":
            yield f"{kind}(session.rows)"
        elif kind in ports:
            yield f"{kind}(session)"
        elif name == "new_id":
            yield "session.rows.new_id"
        else:
            yield f"session.{name}"


def _http_errors(app: App, service: str) -> str:
    names = [name for name in app.spec.errors if re.search(rf"\b{name}\b", service)]
    classes = [f"class {name}(DomainError):\n    status = {app.spec.errors[name]}\n"
               for name in names]  # fmt: skip
    return "\n\n".join([
        '"""What can go wrong here; each carries a code for programs and a sentence for people."""',
        "from fastapi import HTTPException\n",
        _HTTP_ERROR,
        *classes,
    ])  # fmt: skip
