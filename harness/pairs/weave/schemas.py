"""What requests carry and what answers wrap, as pydantic models."""

import re
from collections.abc import Collection, Iterable

from harness.pairs.weave.sources import App, Context
from harness.pairs.weave.spec import Fields, Vocabulary, field_parts
from harness.pairs.weave.trees import template

COMMON = '''\
"""What several parts of the API share."""

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

{types}
'''
SHARED = {
    "Items": """
Item = TypeVar("Item")


class Items(BaseModel, Generic[Item]):
    items: list[Item]
""",
    "Body": '''

class Body(BaseModel):
    """What a request carries: types are taken as they come, never converted."""

    model_config = ConfigDict(strict=True)
''',
}
"""what models of several contexts are made of, by name"""


def common(app: App) -> str:
    """The module of what contexts share in an arm of one program."""
    types = COMMON.format(types=_types(app, app.shared_vocabulary))
    refusals = template("refusals.py", ANSWERED="error: Problem")
    return f"{types}{_shared(app.contexts.values())}\n\n{refusals}"


def schemas(app: App, context: Context, service: str, shared: str) -> str:
    """The module of a context in an arm of one program, where `shared` has what common() gives."""
    own = context.vocabulary
    theirs = own & app.shared_vocabulary
    return _module(context, service, [
        "from typing import Annotated, Literal\n",
        "from pydantic import BaseModel, Field, StringConstraints\n",
        f"from {shared} import {', '.join(['Body', 'Items', *sorted(theirs)])}",
        _types(app, own - theirs),
    ])  # fmt: skip


def own_schemas(app: App, context: Context, service: str, asked: str) -> str:
    """The module of a program of its own, which stands alone; empty where it needs none.

    `asked` is the code with which it answers other programs.
    """
    types = _types(app, context.vocabulary)
    shared = _shared([context], asked)
    if not (types or shared or context.spec.answers):
        return ""
    imports = COMMON.split('"""\n', 1)[1].format(types=types)
    return _module(context, service, [imports, shared])


def _shared(contexts: Collection[Context], asked: str = "") -> str:
    """The models that are needed by what contexts say of their operations, and by more code."""
    operations = [each for context in contexts for each in context.spec.operations.values()]
    said = _names([asked, *(f"{each.answer} {each.call}" for each in operations)])
    said |= {"Body" for context in contexts if context.spec.bodies}
    return "".join(text for name, text in SHARED.items() if name in said)


def _module(context: Context, service: str, text: list[str]) -> str:
    parts = [_model(name, "Body", each) for name, each in context.spec.bodies.items()]
    parts += [_model(name, "BaseModel", each)
              for name, each in context.spec.answers.items()]  # fmt: skip
    domain = _names(text + parts) & context.module.names
    what = "requests and answers" if context.is_public else "requests"
    head = [f'"""{context.spec.title}: what {what} look like."""\n']
    if domain:
        head.append(f"from {service} import {', '.join(sorted(domain))}")
    return "\n".join([*head, *text, "\n", *parts])


def field(name: str, told: str) -> str:
    """`name: annotation = default` for a line of app.yaml."""
    found = field_parts(told)
    kind = found["type"]
    if found["low"]:
        kind = f"Annotated[{kind}, Field(min_length={found['low']}, max_length={found['high']})]"
    return f"{name}: {kind}" + (f" = {found['default']}" if found["default"] else "")


def _model(name: str, base: str, fields: Fields) -> str:
    lines = [f"    {field(key, told)}" for key, told in fields.items()]
    return "\n".join([f"class {name}({base}):", *lines, "\n"])


def _types(app: App, names: Iterable[str]) -> str:
    wanted = set(names)
    kinds = {name: kind for name, kind in app.spec.types.items() if name in wanted}
    return "\n".join(f"{name} = {_type(kind)}" for name, kind in kinds.items())


def _type(kind: Vocabulary) -> str:
    if kind.words:
        return f"Literal[{', '.join(map(repr, kind.words))}]"
    if kind.pattern:
        return f'Annotated[str, StringConstraints(pattern=r"{kind.pattern}")]'
    if kind.number:
        return "Annotated[int, Field(ge={}, le={})]".format(*kind.number)
    low, high = kind.length or (0, 0)
    return f"Annotated[str, Field(min_length={low}, max_length={high})]"


def _names(texts: list[str]) -> set[str]:
    return set(re.findall(r"[A-Za-z_]\w*", " ".join(texts)))
