"""What must hold of the types of app.yaml, and of the fields of bodies, answers and queries."""

import ast
import builtins
from collections.abc import Collection
from typing import Any, Union

from pydantic import TypeAdapter, ValidationError

from harness.pairs.weave.expressions import Keys, free_names, parsed, unknown
from harness.pairs.weave.sources import App, Context
from harness.pairs.weave.spec import field_parts

BUILT_IN = {name for name, each in vars(builtins).items() if isinstance(each, type)}


def check_types(app: App) -> None:
    """Raises BadInput: the fields of models tell types of app.yaml by their capitals."""
    for name in app.spec.types:
        if not name[0].isupper():
            raise app.wrong("the name of a type starts with a capital", "types", name)


def check_models(app: App, context: Context) -> None:
    """The fields of bodies and answers are of types that are known where they stand."""
    known = BUILT_IN | app.spec.types.keys() | context.module.names
    for kind, models in (("bodies", context.spec.bodies), ("answers", context.spec.answers)):
        for name, fields in models.items():
            for field, told in fields.items():
                check_field(app, told, known, ("contexts", context.name, kind, name, field))
            known |= {name}


def check_field(app: App, told: str, known: Collection[str], keys: Keys) -> None:
    """A field is of a type that is known, and its default is one of that type."""
    found = field_parts(told)
    for part in filter(None, (found["type"], found["default"])):
        check_type(app, part, known, keys)
    if found["default"]:
        _check_default(app, found["type"], found["default"], keys)


def check_type(app: App, text: str, known: Collection[str], keys: Keys) -> None:
    """Every name in a type is known."""
    for name in free_names(parsed(app, text, keys)):
        if name not in known:
            raise app.wrong(unknown("type", name, known), *keys)


def _check_default(app: App, kind: str, default: str, keys: Keys) -> None:
    """A default that is written out is one that a request could have said."""
    plain: dict[str, Any] = {"str": str, "int": int, "bool": bool, "None": None}
    parts = [part.strip() for part in kind.split("|")]
    try:
        value = ast.literal_eval(default)
        told: Any = Union[
            *(plain[p] if p in plain else app.spec.types[p].as_python() for p in parts)
        ]
    except (KeyError, ValueError):  # what the domain defines is Python's to check
        return
    try:
        TypeAdapter[Any](told).validate_python(value, strict=True)
    except ValidationError:
        raise app.wrong(f"the default {default} is no {kind}", *keys) from None
