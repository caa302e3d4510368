"""Calls between programs: the clients of a context, and the routes that answer them."""

import builtins
import re

from harness.pairs.weave.sources import App, Context, Method
from harness.pairs.weave.stores import signature

SCALARS = {"str", "int"}
_OWN = {"app", "build", "once", "refusals"}
"""what the module of every program has, in small letters"""
_NAMED = """\
    def __init__(self, session: RequestSession) -> None:
        super().__init__(session)
        self.name = "{name}"
"""


def clients(app: App, context: Context) -> str:
    """One class for each other context that this one asks."""
    parts = [_client(app, app.contexts[name], methods)
             for name, methods in app.calls(context).items()]  # fmt: skip
    return "\n\n".join(parts)


def internal(app: App, context: Context) -> str:
    """The bodies and routes with which a context answers the others."""
    asked = app.asked(context)
    bodies = [_body(context, method) for method in asked if _has_body(app, context, method)]
    kinds = {kind for method in asked for _, kind, _ in method.parameters}
    parts = [_fields(context, kind) for kind in sorted(kinds & set(context.module.classes))]
    return "\n\n".join([*parts, *bodies, *(_answer(app, context, method) for method in asked)])


def handler(app: App, context: Context) -> str:
    """How a program's handlers start: those that wait for another program run in a thread."""
    return "def" if app.ports(context) else "async def"


def keeps_replies(app: App, context: Context) -> bool:
    """Whether a repeated call must find the first answer."""
    return any(app.writes(context, method.name) for method in app.asked(context))


def path(context: Context, method: Method) -> str:
    """Where a context answers the others for one of its methods."""
    return f"/internal/{context.name}/{method.name}".replace("_", "-")


def _has_body(app: App, context: Context, method: Method) -> bool:
    scalar = all(kind in SCALARS for _, kind, _ in method.parameters)
    return app.writes(context, method.name) or not scalar


def _client(app: App, other: Context, methods: list[str]) -> str:
    lines = [f"class {other.service}(Client):"]
    if other.service.lower() != other.name:
        lines.append(_NAMED.format(name=other.name))
    asked = [_asks(app, other, other.methods[name]) for name in methods]
    # A port that nothing is asked of any more is still handed to the service.
    return "\n".join([*lines, "\n".join(asked) or "    pass\n"])


def _asks(app: App, other: Context, method: Method) -> str:
    classes = other.module.classes
    known = {name: "object" if kind in classes else kind for name, kind, _ in method.parameters}
    plain = Method(
        method.name,
        tuple((name, known[name], default) for name, _, default in method.parameters),
        _returned(other, method.returns),
        method.node,
    )
    pairs = [f'"{name}": ' + (f"vars({name})" if kind == "object" else name)
             for name, kind in known.items()]  # fmt: skip
    sent = "{" + ", ".join(pairs) + "}"
    body = _has_body(app, other, method)
    verb, how = ("POST", "json") if body else ("GET", "fields")
    call = f'self.call("{verb}", "{path(other, method)}", {how}={sent})'
    plainly = f"return {method.returns}({call})"
    given = {"None": call, "int": plainly, "str": plainly, "bool": plainly}
    last = given.get(method.returns, f"return {call}")
    return f"    def {method.name}{signature(plain)}:\n        {last}\n"


def _returned(context: Context, kind: str) -> str:
    """What a client answers: what its context does, each record as a namespace."""
    classes = context.module.classes
    return re.sub(r"\w+", lambda word: "SimpleNamespace" if word[0] in classes else word[0], kind)


def _request(context: Context, method: Method) -> str:
    """What the body of a call is called; public bodies had their names first."""
    name = "".join(word.title() for word in method.name.split("_")) + "Request"
    return f"Internal{name}" if name in _taken(context) else name


def _function(context: Context, method: Method) -> str:
    """What the function of a route is called: as the method that it asks, where that is free."""
    return f"{method.name}_internal" if method.name in _taken(context) else method.name


def _taken(context: Context) -> set[str]:
    """The names in the module of a program that are not those of its internal routes."""
    spec = context.spec
    public = {*spec.operations, *spec.bodies, *spec.answers}
    return {*_OWN, *dir(builtins), *context.module.names} | public


def _body(context: Context, method: Method) -> str:
    classes = context.module.classes
    lines = [f"    {name}: {kind + 'Fields' if kind in classes else kind}"
             for name, kind, _ in method.parameters]  # fmt: skip
    return "\n".join([f"class {_request(context, method)}(Body):", *lines])


def _fields(context: Context, record: str) -> str:
    lines = [f"    {name}: {kind}" for name, kind in context.module.fields(record).items()]
    return "\n".join([f"class {record}Fields(Body):", *lines])


def _answer(app: App, context: Context, method: Method) -> str:
    names = [name for name, _, _ in method.parameters]
    call = f"{context.name}.{method.name}"
    if not _has_body(app, context, method):
        parameters = [f"{name}: {kind}" for name, kind, _ in method.parameters]
        head = f'@app.get("{path(context, method)}")'
        answer = f"{call}({', '.join(names)})"
    else:
        parameters = [f"body: {_request(context, method)}"]
        head = f'@app.post("{path(context, method)}")'
        answer = f"{call}({', '.join(f'body.{name}' for name in names)})"
    parameters.append(f"{context.name}: Service")
    if app.writes(context, method.name):
        parameters.append("session: Session")
        answer = f"once(session, lambda: {answer})"
    lead = "" if method.returns == "None" and "once" not in answer else "return "
    head_of = f"{handler(app, context)} {_function(context, method)}"
    signed = f"{head_of}({', '.join(parameters)}) -> {method.returns}"
    return f"{head}\n{signed}:\n    {lead}{answer}\n"
