"""Each arm as a tree of files: path -> text, not yet formatted."""

import ast
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from harness.errors import BadInput
from harness.pairs.weave import routes, schemas, stores, wire
from harness.pairs.weave.domain import settle
from harness.pairs.weave.sources import App, Context, Method
from harness.pairs.weave.spec import CouplingSpec

Tree = dict[str, str]
TEMPLATES = Path(__file__).with_name("templates")
FIRST_PORT = 8101
_HTTP_ERROR = """class DomainError(HTTPException):
    status = 400

    def __init__(self, code: str, message: str) -> None:
        super().__init__(self.status, {"code": code, "message": message})
"""
_ERROR = """class DomainError(Exception):
    status = 400

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
"""


def template(name: str, **words: str) -> str:
    """A file of `templates`, its words in capitals replaced."""
    text = (TEMPLATES / f"{name}.txt").read_text(encoding="utf-8")
    for word, value in words.items():
        text = re.sub(rf"\b{word}\b", value.replace("\\", r"\\"), text)
    return text


def couplings(app: App, dose: int) -> list[CouplingSpec]:
    """The couplings of the tangled arm at a dose."""
    return [each for each in app.spec.couplings if each.dose <= dose]


def monolith(app: App, dose: int) -> Tree:
    """One program, layered by technical kind, one database without borders."""
    package = app.spec.package
    active = couplings(app, dose)
    cached = next((each for each in active if each.kind == "cache_key"), None)
    tangled = any(each.kind == "execution_order" and not each.survives for each in active)
    tree = _one_program(app, ".schemas.common", naming=_bare, tangled=tangled, cached=cached)
    for name in _public(app):
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
    tree[f"{package}/wiring.py"] = _wiring(app, _layer_imports(app, cached), cached)
    return tree


_LAYERS = {
    "services": "The rules, one module a context.",
    "repositories": "What is stored, one module a context.",
    "schemas": "What requests and answers look like, one module a context.",
    "routes": "The public API, one module a context.",
}


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
            "common": "..schemas.common", "wiring": "..wiring", "types": _types(app, context),
            "shared": " ".join(schemas.common_types(app)),
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
        return stores.store(app, context, imports, _bare, own)
    holder, method = _read(app, reads)
    imports += f"\nfrom ..services.{holder.name} import {holder.service}, {method.returns}"
    return stores.store(app, context, imports, _bare, own) + _reader(app, reads, name)


def _read(app: App, cached: CouplingSpec) -> tuple[Context, Method]:
    """Who keeps the cached rows, and the method of the service that reads them."""
    holder = _holder(app, cached)
    for method in holder.methods.values():
        if f"self.store.{cached.query}" in ast.unparse(method.node):
            return holder, method
    raise BadInput(f"{holder.module.path}: no method of {holder.service} asks for {cached.query}, "
                   f"which the coupling {cached.name!r} keeps in memory")  # fmt: skip


def _reader(app: App, cached: CouplingSpec, reader: str) -> str:
    """A context that spells the key of another's cache for itself."""
    holder, method = _read(app, cached)
    ((name, _, _),) = method.parameters
    return (
        f"\n\nclass {cached.readers[reader]}({holder.service}):\n"
        f'    """{holder.service} as {reader} looks them up, again and again."""\n\n'
        f"    def {method.name}{stores.signature(method)}:\n"
        f'        known = cache.get("{cached.key}" + {name})\n'
        f"        return replace(known) if known else super().{method.name}({name})\n"
    )


def _holder(app: App, cached: CouplingSpec) -> Context:
    return next(each for each in app.contexts.values() if cached.query in each.spec.queries)


def modular(app: App, _: int) -> Tree:
    """One program, one package a context with a public face; import-linter keeps the borders."""
    package = app.spec.package
    tree = _one_program(app, ".common", naming=_prefixed, tangled=False, cached=None)
    tree[f"{package}/common.py"] = schemas.common(app)
    imports = []
    for context in app.contexts.values():
        tree |= _packaged(app, context, f"{package}/{context.name}")
        imports.append(f"from .{context.name} import {context.service}")
        if context.store:
            imports.append(f"from .{context.name}.store import {context.store}")
    tree[f"{package}/wiring.py"] = _wiring(app, imports, None)
    tree[".importlinter"] = _borders(app)
    return tree


def _packaged(app: App, context: Context, folder: str) -> Tree:
    service = settle(app, context, "..errors", ".store", lambda other: f"..{other}")
    tree = {
        f"{folder}/__init__.py": (
            f'"""{context.spec.title}: what the other parts may use."""\n\n'
            f'from .service import {context.service}\n\n__all__ = ["{context.service}"]\n'
        ),
        f"{folder}/service.py": service,
    }
    if context.is_public:
        tree[f"{folder}/schemas.py"] = schemas.schemas(app, context, ".service", "..common")
        tree[f"{folder}/routes.py"] = routes.one_program(app, context, {
            "service": ".service", "schemas": ".schemas", "common": "..common",
            "wiring": "..wiring", "types": _types(app, context),
            "shared": " ".join(schemas.common_types(app)),
        })  # fmt: skip
    if context.store:
        imports = "from ..rows import Rows\nfrom .service import {records}"
        tree[f"{folder}/store.py"] = stores.store(app, context, imports, _prefixed)
    return tree


def _borders(app: App) -> str:
    package = app.spec.package
    lines = ["[importlinter]", f"root_package = {package}"]
    for context in app.contexts.values():
        inner = ["service", *(["schemas", "routes"] if context.is_public else [])]
        inner += ["store"] if context.store else []
        lines += [
            "", f"[importlinter:contract:{context.name}]",
            f"name = {context.name} is used through its face", "type = protected",
            "protected_modules =",
            *(f"    {package}.{context.name}.{each}" for each in inner),
            "allowed_importers =", f"    {package}.{context.name}",
            f"    {package}.main", f"    {package}.wiring",
        ]  # fmt: skip
    return "\n".join(lines) + "\n"


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


def _public(app: App) -> dict[str, Context]:
    return {name: each for name, each in app.contexts.items() if each.is_public}


def _segments(app: App) -> dict[str, list[str]]:
    """Context -> the first words of the paths that it answers."""
    found: dict[str, list[str]] = {}
    for name, context in _public(app).items():
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
        text = stores.store(app, context, imports, _bare)
        made = stores.tables(app, context, _bare, tangled=False)
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
        "service": ".service", "schemas": ".schemas", "types": _types(app, context),
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


def _one_program(
    app: App, common: str, *, naming: stores.Naming, tangled: bool, cached: CouplingSpec | None
) -> Tree:
    """What the arms of one program have in common."""
    package = app.spec.package
    public = _public(app)
    routers = "".join(f"from .{name} import routes as {name}\n" for name in public)
    made = [stores.tables(app, each, naming, tangled=tangled) for each in app.contexts.values()]
    schema = 'SCHEMA = """\n' + "\n\n".join(filter(None, made)) + '\n"""'
    clear = "                cache.clear()  # may hold rows that were never committed"
    return {
        f"{package}/__init__.py": f'"""{app.spec.title}."""\n',
        f"{package}/main.py": template(
            "one/main.py", ROUTERS=routers, COMMON=common, APP=app.spec.app,
            NAMES=", ".join(public),
        ),
        f"{package}/web.py": template("one/web.py", PACKAGE=package),
        f"{package}/clock.py": template("one/clock.py"),
        f"{package}/errors.py": _errors(app),
        f"{package}/rows.py": template("rows.py"),
        f"{package}/db.py": template(
            "one/db.py", PACKAGE=package,
            CACHE_IMPORT="from .cache import cache" if cached else "",
            CACHE_CLEAR=clear if cached else "",
        ).replace("SCHEMA\n\n\nclass", f"{schema}\n\n\nclass"),
        "app.toml": (
            f'[app]\nentry = "{package}"\n\n[programs.{package}]\n'
            f'module = "{package}.main:app"\nport = 8000\n'
        ),
    }  # fmt: skip


def _errors(app: App) -> str:
    classes = [f"class {name}(DomainError):\n    status = {status}\n"
               for name, status in app.spec.errors.items()]  # fmt: skip
    return "\n\n".join([
        '"""What can go wrong; each carries a code for programs and a sentence for people."""\n',
        _ERROR,
        *classes,
    ])  # fmt: skip


def _layer_imports(app: App, cached: CouplingSpec | None) -> list[str]:
    lines = []
    for name, context in app.contexts.items():
        lines.append(f"from .services.{name} import {context.service}")
        if context.store:
            lines.append(f"from .repositories.{name} import {context.store}")
        if cached and name in cached.readers:
            lines.append(f"from .repositories.{name} import {cached.readers[name]}")
    return lines


def _wiring(app: App, imports: list[str], cached: CouplingSpec | None) -> str:
    lines = [f"        self.{name}_store = {each.store}(rows)"
             for name, each in app.contexts.items() if each.store]  # fmt: skip
    for context in _in_order(app):
        parts = ", ".join(_wired(app, context, cached))
        lines.append(f"        self.{context.name} = {context.service}({parts})")
    return template("one/wiring.py", IMPORTS="\n".join(imports), MADE="\n".join(lines))


def _wired(app: App, context: Context, cached: CouplingSpec | None) -> Iterable[str]:
    ports = app.ports(context)
    for name in context.parts:
        if name == "store":
            yield f"self.{context.name}_store"
        elif name in ports and cached and context.name in cached.readers \
                and ports[name] is _holder(app, cached):  # fmt: skip
            holder = ports[name]
            inner = ", ".join(_wired(app, holder, None))
            yield f"{cached.readers[context.name]}({inner})"
        elif name in ports:
            yield f"self.{ports[name].name}"
        else:
            yield "rows.new_id" if name == "new_id" else name


def _in_order(app: App) -> list[Context]:
    """Contexts after those that they ask."""
    done: list[Context] = []

    def visit(context: Context) -> None:
        for other in app.ports(context).values():
            visit(other)
        if context not in done:
            done.append(context)

    for context in app.contexts.values():
        visit(context)
    return done


def _types(app: App, context: Context) -> str:
    return " ".join(schemas.used_types(context) & set(app.spec.types))


def _bare(_: str, table: str) -> str:
    return table


def _prefixed(context: str, table: str) -> str:
    return table if table.startswith(context) else f"{context}_{table}"


ARMS: dict[str, Callable[[App, int], Tree]] = {
    "monolith": monolith,
    "modular": modular,
    "microservices": microservices,
}
"""how each arm is made, of an app and a dose of couplings"""
