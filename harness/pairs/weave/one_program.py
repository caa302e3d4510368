"""What the arms of one program have in common: the program, its database, its wiring."""

from collections.abc import Iterable

from harness.pairs.weave import stores
from harness.pairs.weave.sources import App, Context
from harness.pairs.weave.spec import CouplingSpec
from harness.pairs.weave.trees import Tree, asked_first, public, template

_ERROR = """class DomainError(Exception):
    status = 400

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
"""


def program(app: App, common: str, schema: str, cached: CouplingSpec | None) -> Tree:
    """What the arms of one program have in common; `schema` is the text that sets SCHEMA."""
    package = app.spec.package
    answering = list(public(app))
    routers = "".join(f"from .{name} import routes as {name}\n" for name in answering)
    rows = stores.rows(app, app.contexts.values())
    counts = "COUNTERS" in rows
    clear = "                cache.clear()  # may hold rows that were never committed"
    return {
        f"{package}/__init__.py": f'"""{app.spec.title}."""\n',
        f"{package}/main.py": template(
            "one/main.py", ROUTERS=routers, COMMON=common, APP=app.spec.app,
            NAMES=", ".join(answering) if len(answering) > 1 else f"{answering[0]},",
        ),
        f"{package}/web.py": template("one/web.py", PACKAGE=package),
        f"{package}/clock.py": template("one/clock.py"),
        f"{package}/errors.py": _errors(app),
        f"{package}/rows.py": rows,
        f"{package}/db.py": template(
            "one/db.py", PACKAGE=package,
            CACHE_IMPORT="from .cache import cache" if cached else "",
            CACHE_CLEAR=clear if cached else "",
            COUNTERS_IMPORT="from .rows import COUNTERS" if counts else "",
            CREATED="{COUNTERS} {SCHEMA}" if counts else "{SCHEMA}",
        ).replace("SCHEMA\n\n\nclass", f"{schema}\n\n\nclass"),
        "app.toml": (
            f'[app]\nentry = "{package}"\n\n[programs.{package}]\n'
            f'module = "{package}.main:app"\nport = 8000\n'
        ),
    }  # fmt: skip


def wiring(app: App, imports: list[str], cached: CouplingSpec | None) -> str:
    """The module that puts the services together for a request."""
    lines = [f"        self.{name}_store = {each.store}(rows)"
             for name, each in app.contexts.items() if each.store]  # fmt: skip
    for context in asked_first(app):
        parts = ", ".join(_wired(app, context, cached))
        lines.append(f"        self.{context.name} = {context.service}({parts})")
    return template("one/wiring.py", IMPORTS="\n".join(imports), MADE="\n".join(lines))


def holder(app: App, cached: CouplingSpec) -> Context:
    """The context whose rows are kept in memory."""
    return next(each for each in app.contexts.values() if cached.query in each.spec.queries)


def _errors(app: App) -> str:
    classes = [f"class {name}(DomainError):\n    status = {status}\n"
               for name, status in app.spec.errors.items()]  # fmt: skip
    return "\n\n".join([
        '"""What can go wrong; each carries a code for programs and a sentence for people."""\n',
        _ERROR,
        *classes,
    ])  # fmt: skip


def _wired(app: App, context: Context, cached: CouplingSpec | None) -> Iterable[str]:
    ports = app.ports(context)
    for name in context.parts:
        if name == "store":
            yield f"self.{context.name}_store"
        elif name in ports and cached and context.name in cached.readers \
                and ports[name] is holder(app, cached):  # fmt: skip
            inner = ", ".join(_wired(app, ports[name], None))
            yield f"{cached.readers[context.name]}({inner})"
        elif name in ports:
            yield f"self.{ports[name].name}"
        else:
            yield "rows.new_id" if name == "new_id" else name
