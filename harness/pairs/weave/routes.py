"""The public API of a context, as FastAPI routes."""

import ast
import re
from functools import lru_cache

from harness.pairs.weave.sources import App, Context
from harness.pairs.weave.spec import Operation, field_parts
from harness.pairs.weave.wire import handler


def one_program(app: App, context: Context, places: dict[str, str]) -> str:
    """The routes in an arm of one program: every call goes through the wired services.

    `places` has the modules of service, schemas, common and wiring.
    """
    says = "services: ServicesDep"
    owners = {context.name: f"services.{context.name}", "store": f"services.{context.name}_store"}
    parts = [_route(app, context, name, each, "router", says, owners)
             for name, each in context.spec.operations.items()]  # fmt: skip
    head = [
        f'"""{context.spec.title}: the routes."""\n',
        "from typing import Annotated\n",
        "from fastapi import APIRouter, Query\n",
        _imports(context, places, parts),
        f"from {places['common']} import Items, refusals",
        f"from {places['wiring']} import ServicesDep\n",
        f'router = APIRouter(tags=["{context.name}"])\n\n',
    ]
    return "\n".join([*head, *parts])


def own_program(app: App, context: Context, places: dict[str, str]) -> str:
    """The routes of a context that is a program of its own, as functions of its `app`."""
    says = f"{context.name}: Service"
    owners = {context.name: context.name, "store": f"{context.name}.store"}
    parts = [_route(app, context, name, each, "app", says, owners)
             for name, each in context.spec.operations.items()]  # fmt: skip
    return "\n".join([_imports(context, places, parts), *parts])


def names_in(text: str) -> set[str]:
    """The words of a piece of code."""
    return set(re.findall(r"[A-Za-z_]\w*", text))


def _imports(context: Context, places: dict[str, str], parts: list[str]) -> str:
    # A function of the domain may have the name of a route, which does not use it.
    used = names_in("\n".join(parts)) - context.spec.operations.keys()
    theirs = used & context.module.names
    lines = [f"from {places['service']} import {', '.join(sorted(theirs))}"] if theirs else []
    spec = context.spec
    shared = used & set(places.get("shared", "").split())
    own = used & {*spec.bodies, *spec.answers, *places["types"].split()} - theirs - shared
    if own:
        lines.append(f"from {places['schemas']} import {', '.join(sorted(own))}")
    if shared:
        lines.append(f"from {places['common']} import {', '.join(sorted(shared))}")
    return "\n".join(lines)


def _route(
    app: App, context: Context, name: str, operation: Operation, router: str, says: str,
    owners: dict[str, str],
) -> str:  # fmt: skip
    starts = "async def" if router == "router" else handler(app, context)
    call = _call(operation.call, tuple(owners.items()))
    parameters = [f"{each}: str" for each in operation.path_parameters]
    parameters += [f"body: {operation.body}"] if operation.body else []
    told = [_query(key, kind) for key, kind in operation.query.items()]
    parameters += [each for each in told if "=" not in each]
    parameters += [says]
    parameters += [each for each in told if "=" in each]
    options = [f'"{operation.path}"']
    options += [f"status_code={operation.status}"] if operation.status != 200 else []
    if operation.refuses:
        refused = ", ".join(f"{code}={status}" for code, status in operation.refuses.items())
        options.append(f"responses=refusals({refused})")
    return (
        f"@{router}.{operation.method}({', '.join(options)})\n"
        f"{starts} {name}({', '.join(parameters)}) -> {operation.answer}:\n"
        f"    return {call}\n\n"
    )


def _query(name: str, told: str) -> str:
    found = field_parts(told)
    default = f" = {found['default']}" if found["default"] else ""
    return f"{name}: Annotated[{found['type']}, Query()]{default}"


@lru_cache(maxsize=4096)
def _call(text: str, places: tuple[tuple[str, str], ...]) -> str:
    owners = dict(places)
    tree = ast.parse(text.strip(), mode="eval")
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in owners:
            node.id = owners[node.id]
    return ast.unparse(tree)
