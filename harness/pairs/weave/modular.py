"""The modular arm: one program, one package a context with a public face."""

from harness.pairs.weave import faces, routes, schemas, stores
from harness.pairs.weave.domain import settle
from harness.pairs.weave.one_program import program, wiring
from harness.pairs.weave.sources import App, Context
from harness.pairs.weave.trees import Tree, prefixed, types_of


def modular(app: App, _: int) -> Tree:
    """One program, one package a context with a public face; import-linter keeps the borders."""
    package = app.spec.package
    tree = program(app, ".common", _joined(app), None)
    tree[f"{package}/common.py"] = schemas.common(app)
    imports = []
    for context in app.contexts.values():
        tree |= _packaged(app, context, f"{package}/{context.name}")
        imports.append(f"from .{context.name} import {context.service}")
        if context.store:
            imports.append(f"from .{context.name}.store import {context.store}")
    tree[f"{package}/wiring.py"] = wiring(app, imports, None)
    tree[".importlinter"] = faces.borders(app)
    return tree | faces.stubs(app)


def _joined(app: App) -> str:
    """The tables of every context, each of which has its own in its store."""
    storing = [name for name, each in app.contexts.items() if each.store]
    imports = [f"from .{name}.store import TABLES as {name.upper()}" for name in storing]
    return "\n".join([*imports, f"\nSCHEMA = {' + '.join(map(str.upper, storing))}"])


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
            "wiring": "..wiring", "types": types_of(app, context),
            "shared": " ".join(app.shared_vocabulary),
        })  # fmt: skip
    if context.store:
        imports = "from ..rows import Rows\nfrom .service import {records}"
        tree[f"{folder}/store.py"] = stores.with_tables(app, context, imports, prefixed)
    return tree
