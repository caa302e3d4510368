"""The tangled arm: one program, layered by technical kind, one database without borders."""

import ast

from harness.pairs.weave import routes, schemas, stores
from harness.pairs.weave.domain import settle
from harness.pairs.weave.one_program import holder, program, wiring
from harness.pairs.weave.sources import App, Context, Method
from harness.pairs.weave.spec import CouplingSpec
from harness.pairs.weave.trees import Tree, active, bare, public, types_of

_LAYERS = {
    "services": "The rules, one module a context.",
    "repositories": "What is stored, one module a context.",
    "schemas": "What requests and answers look like, one module a context.",
    "routes": "The public API, one module a context.",
}


def monolith(app: App, dose: int) -> Tree:
    """One program, layered by technical kind, one database without borders."""
    package = app.spec.package
    there = active(app, dose)
    cached = next((each for each in there if each.kind == "cache_key"), None)
    tangled = any(each.kind == "execution_order" and not each.survives for each in there)
    made = [stores.tables(app, each, bare, tangled=tangled) for each in app.contexts.values()]
    schema = 'SCHEMA = """\n' + "\n\n".join(filter(None, made)) + '\n"""'
    tree = program(app, ".schemas.common", schema, cached)
    for name in public(app):
        tree[f"{package}/main.py"] = tree[f"{package}/main.py"].replace(
            f"from .{name} import routes as {name}\n", f"from .routes import {name}\n"
        )
    tree[f"{package}/schemas/common.py"] = schemas.common(app)
    for layer, words in _LAYERS.items():
        tree[f"{package}/{layer}/__init__.py"] = f'"""{words}"""\n'
    for context in app.contexts.values():
        tree |= _layered(app, context, package, cached)
    if cached:
        record = "dict[str, Any]"
        tree[f"{package}/cache.py"] = (
            f'"""Rows that are read again and again, kept in memory under `{cached.key}<id>`."""\n'
            f"from typing import Any\n\ncache: {record} = {{}}\n"
        )
    tree[f"{package}/wiring.py"] = wiring(app, _layer_imports(app, cached), cached)
    return tree


def _layered(app: App, context: Context, package: str, cached: CouplingSpec | None) -> Tree:
    name = context.name
    tree = {
        f"{package}/services/{name}.py": settle(
            app, context, "..errors", f"..repositories.{name}", lambda other: f".{other}"
        ),
    }
    if context.is_public:
        service = f"..services.{name}"
        tree[f"{package}/schemas/{name}.py"] = schemas.schemas(app, context, service, ".common")
        tree[f"{package}/routes/{name}.py"] = routes.one_program(app, context, {
            "service": service, "schemas": f"..schemas.{name}",
            "common": "..schemas.common", "wiring": "..wiring", "types": types_of(app, context),
            "shared": " ".join(app.shared_vocabulary),
        })  # fmt: skip
    if context.store:
        tree[f"{package}/repositories/{name}.py"] = _repository(app, context, cached)
    return tree


def _repository(app: App, context: Context, cached: CouplingSpec | None) -> str:
    """The store of a context, and where it reads another's cache, the class that does."""
    name = context.name
    imports = f"from ..rows import Rows\nfrom ..services.{name} import {{records}}"
    own = cached if cached and cached.query in context.spec.queries else None
    reads = cached if cached and name in cached.readers else None
    if own or reads:
        imports = f"from dataclasses import replace\n\nfrom ..cache import cache\n{imports}"
    if reads is None:
        return stores.store(app, context, imports, bare, own)
    keeper, method = _read(app, reads)
    imports += f"\nfrom ..services.{keeper.name} import {keeper.service}, {method.returns}"
    return stores.store(app, context, imports, bare, own) + _reader(app, reads, name)


def _read(app: App, cached: CouplingSpec) -> tuple[Context, Method]:
    """Who keeps the cached rows, and the method of the service that reads them."""
    keeper = holder(app, cached)
    asks = f"self.store.{cached.query}"
    return keeper, next(each for each in keeper.methods.values() if asks in ast.unparse(each.node))


def _reader(app: App, cached: CouplingSpec, reader: str) -> str:
    """A context that spells the key of another's cache for itself."""
    keeper, method = _read(app, cached)
    ((name, _, _),) = method.parameters
    return (
        f"\n\nclass {cached.readers[reader]}({keeper.service}):\n"
        f'    """{keeper.service}, with the rows that are kept in memory asked first."""\n\n'
        f"    def {method.name}{stores.signature(method)}:\n"
        f'        known = cache.get("{cached.key}" + {name})\n'
        f"        return replace(known) if known else super().{method.name}({name})\n"
    )


def _layer_imports(app: App, cached: CouplingSpec | None) -> list[str]:
    lines = []
    for name, context in app.contexts.items():
        lines.append(f"from .services.{name} import {context.service}")
        if context.store:
            lines.append(f"from .repositories.{name} import {context.store}")
        if cached and name in cached.readers:
            lines.append(f"from .repositories.{name} import {cached.readers[name]}")
    return lines
