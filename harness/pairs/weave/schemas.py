"""What requests carry and what answers wrap, as pydantic models."""

import re
from collections.abc import Iterable

from harness.pairs.weave.sources import App, Context
from harness.pairs.weave.spec import Fields, Vocabulary, field_parts

COMMON = '''\
"""What several parts of the API share."""

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

{types}

Item = TypeVar("Item")


class Body(BaseModel):
    """What a request carries: types are taken as they come, never converted."""

    model_config = ConfigDict(strict=True)


class Items(BaseModel, Generic[Item]):
    items: list[Item]
'''
INTERNAL = '''\
"""{title}: what requests look like."""

from pydantic import BaseModel, ConfigDict


class Body(BaseModel):
    """What a request carries: types are taken as they come, never converted."""

    model_config = ConfigDict(strict=True)
'''
REFUSALS = '''

class Health(BaseModel):
    status: Literal["ok"]


class Problem(BaseModel):
    code: str
    message: str


class Refusal(BaseModel):
    error: Problem


def refusals(**codes: int) -> dict[int | str, dict[str, Any]]:
    """What an endpoint documents: the codes with which it refuses, and the status of each."""
    documented: dict[int | str, dict[str, Any]] = {}
    for code, status in {"invalid_request": 422, "internal_error": 500, **codes}.items():
        earlier = documented.get(status, {}).get("description")
        description = f"{earlier}, {code}" if earlier else code
        documented[status] = {"model": Refusal, "description": description}
    return documented
'''


def common(app: App) -> str:
    """The module of what contexts share in an arm of one program."""
    return COMMON.format(types=_types(app, app.shared_vocabulary)) + REFUSALS


def schemas(app: App, context: Context, service: str, shared: str | None) -> str:
    """The module of a context; without a module `shared` it stands alone."""
    own = context.vocabulary
    if not context.is_public:
        return INTERNAL.format(title=context.spec.title)
    text = [f'"""{context.spec.title}: what requests and answers look like."""\n']
    if shared is None:
        text.append(COMMON.split('"""\n', 1)[1].format(types=_types(app, own)))
    else:
        theirs = own & app.shared_vocabulary
        text.append("from typing import Annotated, Literal\n")
        text.append("from pydantic import BaseModel, Field, StringConstraints\n")
        text.append(f"from {shared} import {', '.join(['Body', 'Items', *sorted(theirs)])}")
        text.append(_types(app, own - theirs))
    parts = [_model(name, "Body", each) for name, each in context.spec.bodies.items()]
    parts += [_model(name, "BaseModel", each)
              for name, each in context.spec.answers.items()]  # fmt: skip
    domain = _names(text + parts) & context.module.names
    if domain:
        text.insert(1, f"from {service} import {', '.join(sorted(domain))}")
    return "\n".join([*text, "\n", *parts])


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
