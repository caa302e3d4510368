"""Reading the YAML files that people write, with errors that name file, line and field."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from harness.errors import BadInput

M = TypeVar("M", bound=BaseModel)
_Safe: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same, ten times as fast


class _Loader(_Safe):  # type: ignore[misc]
    """The safe loader, which refuses a key that stands twice instead of taking the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:
        seen: set[str] = set()
        names = [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for name in names:
            if name.value in seen:
                told = f"{name.value} stands twice"
                raise yaml.constructor.ConstructorError(problem=told, problem_mark=name.start_mark)
            seen.add(name.value)
        return super().construct_mapping(node, deep)


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
    """The text of a file at `path` as a validated model.

    Raises BadInput with one line: file, line, field, problem.
    """
    content = _content(path, text)
    if not isinstance(content, dict):
        raise BadInput(f"{path}: must be a mapping of keys")
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
        told = first["msg"].removeprefix("Value error, ")
        raise BadInput(f"{place(path, text, first['loc'])}: {told}") from None


def place(path: Path, text: str, keys: Sequence[str | int]) -> str:
    """`file:line: key.key` of a YAML text; the line is that of the last key that is there."""
    line, node = 1, yaml.compose(text, _Loader)
    for key in keys:
        found = _below(node, key)
        if found is None:
            break
        line, node = found
    return f"{path}:{line}: {'.'.join(map(str, keys)) or 'file'}"


def check_yaml(path: Path) -> None:
    """Raises BadInput, with file and line, where it is no YAML."""
    _content(path, read_text(path))


def _content(path: Path, text: str) -> Any:
    try:
        return load_yaml(text)
    except (yaml.YAMLError, ValueError) as error:  # the latter: what looks like a date and is none
        told = " ".join(str(error).split())
        raise BadInput(f"{path}:{_spoilt(text, error)}: not YAML: {told}") from None


def _below(node: yaml.Node | None, key: str | int) -> tuple[int, yaml.Node] | None:
    """The line on which a key of a mapping or a part of a sequence starts, and what it holds."""
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if name.value == str(key):
                return name.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        return node.value[key].start_mark.line + 1, node.value[key]
    return None


def _spoilt(text: str, error: Exception) -> int:
    """The line that made a text no YAML."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return error.problem_mark.line + 1
    if isinstance(error, yaml.YAMLError):
        return 1
    for node in _scalars(yaml.compose(text, _Loader)):
        try:
            yaml.SafeLoader("").construct_object(node)
        except ValueError:
            return int(node.start_mark.line) + 1
    return 1


def _scalars(node: Any) -> Iterator[yaml.ScalarNode]:
    if isinstance(node, yaml.ScalarNode):
        yield node
        return
    for each in node.value:
        for part in each if isinstance(each, tuple) else (each,):
            yield from _scalars(part)


def load_yaml(text: str) -> Any:
    """YAML of plain values, as safe_load reads it. Raises yaml.YAMLError or ValueError."""
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - both are the safe one
    except (AttributeError, IndexError, KeyError, TypeError) as error:  # as for !!bool "x"
        raise yaml.YAMLError("a tag (!!...) does not fit its value") from error


def choose(kind: str, name: str, known: list[str], where: str) -> str:
    """`name` if it is known, else BadInput that lists what is."""
    if name not in known:
        raise BadInput(f"{where}: unknown {kind} {name!r}; there is: {', '.join(known) or 'none'}")
    return name
