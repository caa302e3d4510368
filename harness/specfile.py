"""Reading the YAML files that people write, with errors that name file and field."""

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from harness.errors import BadInput

M = TypeVar("M", bound=BaseModel)
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same, ten times as fast


def read_spec(path: Path, model: type[M]) -> M:
    """The file as a validated model. Raises BadInput with one line: file, field, problem."""
    return parse_spec(path, read_text(path), model)


def read_text(path: Path) -> str:
    """A text that a person wrote. Raises BadInput naming the file."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BadInput(f"{path}: no such file") from None
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: not UTF-8: {error}") from None


def parse_spec(path: Path, text: str, model: type[M]) -> M:
    """The text of a file at `path` as a validated model. Raises BadInput: file, field, problem."""
    try:
        content = load_yaml(text)
    except (yaml.YAMLError, ValueError) as error:  # the latter: what looks like a date and is none
        raise BadInput(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise BadInput(f"{path}: must be a mapping of keys")
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "file"
        raise BadInput(f"{path}: {field}: {first['msg']}") from None


def load_yaml(text: str) -> Any:
    """YAML of plain values, as safe_load reads it. Raises yaml.YAMLError or ValueError."""
    return yaml.load(text, _LOADER)  # noqa: S506 - both are the safe one


def choose(kind: str, name: str, known: list[str], where: str) -> str:
    """`name` if it is known, else BadInput that lists what is."""
    if name not in known:
        raise BadInput(f"{where}: unknown {kind} {name!r}; there is: {', '.join(known) or 'none'}")
    return name
