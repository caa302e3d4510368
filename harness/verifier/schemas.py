"""Whether the values of one JSON schema stay within another, as OpenAPI 3.0 and 3.1 write them.

`Direction` says who writes the values. In a request the old schema's values must be accepted by
the new one; in a response the new schema's values must be what a reader of the old one knows.
Choices where practice differs:

- a response enum that gains a value is a break (readers branch on closed sets); losing one is not;
- bounds, patterns and multiples bind requests only: a reader seldom relies on them;
- a field that is gone is a break in both directions, a new optional one in neither;
- a schema that cannot be followed (foreign $ref, too deep) counts as saying nothing; a comparison
  that exceeds its budget is a break.
"""

import itertools
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from .alternatives import COUNTS, Alternatives, Node, as_dict, as_list, text_of, types_of

Direction = Literal["request", "response"]
_ANY = "anything"
_MOST_STEPS = 50_000
_DEEPEST = 40


@dataclass(frozen=True)
class Breach:
    """Where a schema breaks another (dotted, `[]` for elements), and how."""

    field: str
    message: str


@dataclass
class Comparison:
    """Compares schemas of two documents in one direction."""

    old: Node
    new: Node
    direction: Direction
    _known: dict[str, list[Breach]] = field(default_factory=dict)
    _depth: int = 0

    def __post_init__(self) -> None:
        self._olds = Alternatives(self.old)
        self._news = Alternatives(self.new)

    def breaches(self, old: object, new: object, where: str = "") -> Iterator[Breach]:
        """How the new schema breaks the old one; `where` goes before the fields."""
        for found in self._found(old, new):
            yield Breach(_join(where, found.field), found.message)

    def _found(self, old: object, new: object) -> list[Breach]:
        key = json.dumps([old, new], sort_keys=True)
        if key in self._known:
            return self._known[key]
        if len(self._known) > _MOST_STEPS or self._depth > _DEEPEST:
            return [Breach("", "the schemas are too large to compare")]
        # Met again inside itself, a pair is assumed to hold unless another part of it breaks.
        self._known[key] = []
        self._depth += 1
        self._known[key] = list(dict.fromkeys(self._compared(old, new)))
        self._depth -= 1
        return self._known[key]

    def _compared(self, old: object, new: object) -> Iterator[Breach]:
        olds, news = self._olds.of(old), self._news.of(new)
        writers, readers = (olds, news) if self.direction == "request" else (news, olds)
        for writer in writers:
            for part in _by_value(writer) if len(readers) > 1 else [writer]:
                yield from self._placed(part, readers)

    def _placed(self, writer: Node, readers: Sequence[Node]) -> Iterator[Breach]:
        """A writer's alternative must be within one of the reader's of the same type."""
        near = [reader for reader in readers if _type_within(writer, reader)]
        if not near:
            yield Breach("", self._type_message(writer, readers))
            return
        tried = [list(self._within(writer, reader)) for reader in near]
        if all(tried):
            yield from min(tried, key=len)

    def _type_message(self, writer: Node, readers: Sequence[Node]) -> str:
        kind = type_of(writer)
        told = " or ".join(sorted({type_of(reader) for reader in readers})) or "nothing"
        if kind == "null":
            return "is nullable now" if self.direction == "response" else "refuses null now"
        if self.direction == "request":
            return f"its type is {told} now, and was {kind}"
        return f"its type is {kind} now, and was {told}"

    def _within(self, writer: Node, reader: Node) -> Iterator[Breach]:
        yield from self._enum(writer, reader)
        yield from _format(writer, reader, self.direction)
        if self.direction == "request":
            yield from _bounds(writer, reader)
        if "properties" in reader or "properties" in writer or "object" in types_of(reader):
            yield from self._objects(writer, reader)
        if "items" in reader or "prefixItems" in reader:
            yield from self._elements(writer, reader)

    def _enum(self, writer: Node, reader: Node) -> Iterator[Breach]:
        allowed = _values(reader)
        if allowed is None:
            return
        given = _values(writer)
        if given is None:
            told = "takes" if self.direction == "request" else "was"
            yield Breach("", f"{told} only certain values")
            return
        for value in given:
            if value not in allowed:
                told = "refuses" if self.direction == "request" else "may be"
                yield Breach("", f"{told} {value[:80]} now")

    def _objects(self, writer: Node, reader: Node) -> Iterator[Breach]:
        response = self.direction == "response"
        old, new = (reader, writer) if response else (writer, reader)
        before, after = as_dict(old.get("properties")), as_dict(new.get("properties"))
        for name, schema in before.items():
            if name in after:
                yield from self.breaches(schema, after[name], name)
            else:
                yield Breach(name, f"the {self.direction} field was removed")
        yield from self._required(writer, reader)
        yield from self._additional(old, new)

    def _required(self, writer: Node, reader: Node) -> Iterator[Breach]:
        always = {str(name) for name in as_list(writer.get("required"))}
        known = as_dict(writer.get("properties"))
        for name in as_list(reader.get("required")):
            if str(name) in always:
                continue
            if self.direction == "request":
                told = "was made required" if name in known else "is new and required"
                yield Breach(str(name), f"the request field {told}")
            elif name in known:
                yield Breach(str(name), "the response field was made optional")

    def _additional(self, old: Node, new: Node) -> Iterator[Breach]:
        before, after = old.get("additionalProperties"), new.get("additionalProperties")
        if isinstance(before, dict) and (before or isinstance(after, dict)):
            yield from self.breaches(before, {} if after is None else after, "*")
        elif self.direction == "request" and before is not False and after is False:
            yield Breach("", "fields that are not declared are refused now")
        elif self.direction == "request" and before is not False and _says(after):
            yield Breach("", "fields that are not declared have a type now")

    def _elements(self, writer: Node, reader: Node) -> Iterator[Breach]:
        old, new = (reader, writer) if self.direction == "response" else (writer, reader)
        before, after = as_list(old.get("prefixItems")), as_list(new.get("prefixItems"))
        for number, pair in enumerate(itertools.zip_longest(before, after, fillvalue={})):
            yield from self.breaches(*pair, str(number))
        yield from self.breaches(old.get("items", {}), new.get("items", {}), "[]")


def _says(schema: object) -> bool:
    return isinstance(schema, dict) and bool(schema)


def type_of(schema: Node) -> str:
    """The one type of an alternative, or "anything"."""
    return next(iter(types_of(schema)), _ANY)


def _type_within(writer: Node, reader: Node) -> bool:
    a, b = type_of(writer), type_of(reader)
    if b in {_ANY, a} or (a, b) == ("integer", "number"):
        return True
    values = _values(writer)
    return a == _ANY and bool(values) and all(_is(json.loads(v), b) for v in values or ())


def _is(value: object, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    kinds: dict[str, tuple[type, ...]] = {
        "string": (str,), "integer": (int,), "number": (int, float), "null": (type(None),),
        "object": (dict,), "array": (list,),
    }  # fmt: skip
    return isinstance(value, kinds.get(kind, ()))


def _values(schema: Node) -> list[str] | None:
    """The values of enum or const as JSON texts; null where any value may be given."""
    if "const" in schema:
        return [text_of(schema["const"])]
    if isinstance(schema.get("enum"), list):
        return [text_of(value) for value in as_list(schema["enum"])]
    return None


def _by_value(schema: Node) -> Iterator[Node]:
    """An alternative for each value of an enum, which several readers may share."""
    values = as_list(schema.get("enum"))
    if not values:
        yield schema
    for value in values:
        yield {**schema, "enum": [value]}


def _format(writer: Node, reader: Node, direction: Direction) -> Iterator[Breach]:
    """A format may be dropped by either side's new version, never added to a request."""
    wrote, reads = writer.get("format"), reader.get("format")
    if reads is None or wrote == reads or (direction == "response" and wrote is None):
        return
    old, new = (wrote, reads) if direction == "request" else (reads, wrote)
    yield Breach("", f"its format is {new} now, and was {old or 'free'}")


def _bounds(old: Node, new: Node) -> Iterator[Breach]:
    for word in ("minimum", "maximum"):
        before, after = _end(old, word), _end(new, word)
        if after is not None and (before is None or after > before):
            yield Breach("", f"{_told(word, after)} now" + (", and was wider" if before else ""))
    for word in COUNTS:
        least, most = _number(old, word), _number(new, word)
        if most is None or (most == 0 and word.startswith("min")):
            continue
        if least is None or (most > least if word.startswith("min") else most < least):
            told = "" if least is None else f", and was {least:g}"
            yield Breach("", f"{word} is {most:g} now{told}")
    for word in ("pattern", "multipleOf", "not"):
        if word in new and old.get(word) != new[word]:
            yield Breach("", f"{word} is {text_of(new[word])[:80]} now")
    if new.get("uniqueItems") is True and old.get("uniqueItems") is not True:
        yield Breach("", "its elements must be unique now")


def _end(schema: Node, word: str) -> tuple[float, bool] | None:
    """One end of the range, greater where it is tighter.

    The flag is true where the value itself is left out. OpenAPI 3.0 writes that as a flag
    beside the bound, 3.1 as a bound of its own.
    """
    sign = 1 if word == "minimum" else -1
    outer = f"exclusive{word.capitalize()}"
    found = [
        (sign * value, exclusive)
        for value, exclusive in (
            (_number(schema, word), schema.get(outer) is True),
            (_number(schema, outer), True),
        )
        if value is not None
    ]
    if not found:
        return None
    value, exclusive = max(found)
    return (
        (value + 1, False) if exclusive and schema.get("type") == "integer" else (value, exclusive)
    )


def _told(word: str, end: tuple[float, bool]) -> str:
    value = end[0] if word == "minimum" else -end[0]
    return f"{word} is {value:g}" + (" (itself left out)" if end[1] else "")


def _number(schema: Node, word: str) -> float | None:
    value = schema.get(word)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value)
    except OverflowError:  # a document may hold whole numbers of any length
        return math.inf if value > 0 else -math.inf


def _join(where: str, field: str) -> str:
    return where + ("." if where and field and not field.startswith("[]") else "") + field
