"""Reading the YAML files that people write, with errors that name file and field."""

from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from harness.errors import BadInput

M = TypeVar("M", bound=BaseModel)


def read_spec(path: Path, model: type[M]) -> M:
    """The file as a validated model. Raises BadInput with one line: file, field, problem."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput(f"{path}: no such file") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise BadInput(f"{path}: must be a mapping of keys")
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "file"
        raise BadInput(f"{path}: {field}: {first['msg']}") from None


def choose(kind: str, name: str, known: list[str], where: str) -> str:
    """`name` if it is known, else BadInput that lists what is."""
    if name not in known:
        raise BadInput(f"{where}: unknown {kind} {name!r}; there is: {', '.join(known) or 'none'}")
    return name
