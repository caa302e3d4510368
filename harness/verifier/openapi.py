"""Breaking changes between two OpenAPI documents, from the point of view of existing callers."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .alternatives import Node, as_dict, as_list, resolve
from .schemas import Comparison, Direction

_METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")
_PLACEHOLDER = re.compile(r"\{[^}]*\}")


@dataclass(frozen=True)
class Break:
    """One breaking change.

    `field` is dotted, without the part of the message that holds it; empty where the whole
    operation is meant.
    """

    operation: str
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.operation} {self.field}".rstrip() + f": {self.message}"


@dataclass(frozen=True)
class _Operation:
    name: str
    document: Node
    node: Node
    shared: Node

    def parameters(self) -> dict[tuple[str, str], Node]:
        """By place and name; path parameters by their position, which is all that a caller sees."""
        found: dict[tuple[str, str], Node] = {}
        for raw in (*as_list(self.shared.get("parameters")), *as_list(self.node.get("parameters"))):
            parameter = resolve(self.document, raw)
            place, name = str(parameter.get("in")), str(parameter.get("name"))
            if place == "path":
                slots = _PLACEHOLDER.findall(self.name)
                name = str(slots.index(f"{{{name}}}")) if f"{{{name}}}" in slots else name
            found[place, name.lower() if place == "header" else name] = parameter
        return found


def breaking_changes(old: object, new: object, intended: Iterable[str] = ()) -> list[Break]:
    """Every breaking change from one document to the next that is not `intended`.

    Intended are entries like "METHOD path" (anything in that operation) or "METHOD path field"
    (that field and below).
    """
    allowed = [_intention(entry) for entry in intended]
    return [found for found in _changes(as_dict(old), as_dict(new)) if not _meant(found, allowed)]


def operations(document: object) -> int:
    """How many operations a document describes."""
    return len(_operations(as_dict(document)))


def _changes(old: Node, new: Node) -> Iterator[Break]:
    after = _operations(new)
    for key, operation in _operations(old).items():
        if key in after:
            yield from _Pair(operation, after[key]).changes()
        else:
            yield Break(operation.name, "", "the operation was removed")


def _operations(document: Node) -> dict[str, _Operation]:
    found = {}
    for path, raw in as_dict(document.get("paths")).items():
        item = resolve(document, raw)
        for method in _METHODS:
            if isinstance(item.get(method), dict):
                name = f"{method.upper()} {path}"
                node = as_dict(item[method])
                found[_PLACEHOLDER.sub("{}", name)] = _Operation(name, document, node, item)
    return found


@dataclass(frozen=True)
class _Pair:
    """One operation before and after."""

    old: _Operation
    new: _Operation

    def changes(self) -> Iterator[Break]:
        yield from self._parameters()
        yield from self._request()
        yield from self._responses()
        if _secured(self.new) and not _secured(self.old):
            yield self._break("", "authentication is required now")

    def _break(self, field: str, message: str) -> Break:
        return Break(self.old.name, field, message)

    def _parameters(self) -> Iterator[Break]:
        before, after = self.old.parameters(), self.new.parameters()
        for key, was in before.items():
            if key in after:
                yield from self._parameter(f"the {key[0]} parameter", was, after[key])
            else:
                yield self._break(str(was.get("name")), f"the {key[0]} parameter was removed")
        for key, now in after.items():
            if key not in before and now.get("required") is True:
                told = f"the {key[0]} parameter is new and required"
                yield self._break(str(now.get("name")), told)

    def _parameter(self, told: str, was: Node, now: Node) -> Iterator[Break]:
        shown = str(was.get("name"))
        if now.get("required") is True and was.get("required") is not True:
            yield self._break(shown, f"{told} was made required")
        yield from self._schemas(was, now, "request", shown)
        yield from self._contents(was, now, "request", shown)

    def _request(self) -> Iterator[Break]:
        before = resolve(self.old.document, self.old.node.get("requestBody"))
        after = resolve(self.new.document, self.new.node.get("requestBody"))
        if after.get("required") is True and before.get("required") is not True:
            yield self._break("", "a request body is required now")
        if before and not after:
            yield self._break("", "the request body was removed")
        else:
            yield from self._contents(before, after, "request")

    def _responses(self) -> Iterator[Break]:
        before = as_dict(self.old.node.get("responses"))
        after = as_dict(self.new.node.get("responses"))
        for status, response in before.items():
            if not str(status).startswith("2"):
                continue
            if status not in after:
                yield self._break("", f"the success status {status} was removed")
                continue
            was = resolve(self.old.document, response)
            now = resolve(self.new.document, after[status])
            yield from self._contents(was, now, "response")

    def _contents(
        self, was: Node, now: Node, direction: Direction, where: str = ""
    ) -> Iterator[Break]:
        before, after = as_dict(was.get("content")), as_dict(now.get("content"))
        for media, content in before.items():
            if media in after:
                here, there = as_dict(content), as_dict(after[media])
                yield from self._schemas(here, there, direction, where)
            else:
                yield self._break(where, f"the {direction} has no {media} any more")

    def _schemas(self, was: Node, now: Node, direction: Direction, where: str) -> Iterator[Break]:
        comparison = Comparison(self.old.document, self.new.document, direction)
        for breach in comparison.breaches(was.get("schema", {}), now.get("schema", {}), where):
            yield self._break(breach.field, breach.message)


def _secured(operation: _Operation) -> bool:
    own = operation.node.get("security", operation.document.get("security"))
    requirements = as_list(own)
    return bool(requirements) and {} not in requirements


def _intention(entry: str) -> tuple[str, tuple[str, ...]]:
    method, _, rest = entry.strip().partition(" ")
    path, _, dotted = rest.strip().partition(" ")
    operation = f"{method.upper()} {_PLACEHOLDER.sub('{}', path)}"
    return operation, _parts(dotted.strip())


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part for part in dotted.replace("[]", "").split(".") if part)


def _meant(found: Break, allowed: Iterable[tuple[str, tuple[str, ...]]]) -> bool:
    operation = _PLACEHOLDER.sub("{}", found.operation)
    parts = _parts(found.field)
    return any(
        operation == name and (not fields or parts[: len(fields)] == fields)
        for name, fields in allowed
    )
