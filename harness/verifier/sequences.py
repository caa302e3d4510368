"""Request sequences as data: resolving references, making answers comparable, minimising.

A sequence is {"name", "steps": [{"method", "path", "headers", "body", "save"}]}; only `method` and
`path` are demanded. `body` is sent as JSON, or as it is where it is a string. `save` maps a name to
a dotted path in the answer's JSON (list indices are numbers); `{name}` in a later path, header or
body string is replaced by the saved value, and by `missing` where nothing was saved.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypedDict
from urllib.parse import quote

from .job import NoVerdict

_REFERENCE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
UNRESOLVED = "missing"


class RequestSequence(TypedDict):
    """One sequence as it stands in sequences.json."""

    name: str
    steps: list[dict[str, object]]


@dataclass(frozen=True)
class Request:
    """One request, references resolved. `body` is text, null where none is sent."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: str | None

    def __str__(self) -> str:
        return f"{self.method} {self.path}" + (f" {self.body}" if self.body else "")


Recorded = tuple[int, str, str]
"""An answer as recorded: status (0: none came), content type, body text (or why none came)."""


def parse(text: str) -> list[RequestSequence]:
    """Read sequences.json. Raises NoVerdict, naming the sequence."""
    try:
        found = json.loads(text)
    except ValueError as error:
        raise NoVerdict(f"sequences.json: {error}") from None
    if not isinstance(found, list) or not found:
        raise NoVerdict("sequences.json holds no list of sequences")
    for number, sequence in enumerate(found):
        if not _sound(sequence):
            raise NoVerdict(f"sequences.json: sequence {number} lacks a name or a proper step")
    if len({sequence["name"] for sequence in found}) < len(found):
        raise NoVerdict("sequences.json: two sequences have the same name")
    return found


def _sound(sequence: object) -> bool:
    if not isinstance(sequence, dict) or not isinstance(sequence.get("name"), str):
        return False
    steps = sequence.get("steps")
    return (
        isinstance(steps, list)
        and bool(steps)
        and all(
            isinstance(s, dict)
            and isinstance(s.get("method"), str)
            and isinstance(s.get("path"), str)
            and isinstance(s.get("headers") or {}, dict)
            and isinstance(s.get("save") or {}, dict)
            for s in steps
        )
    )


@dataclass
class Saved:
    """The values that one run of a sequence has saved so far."""

    values: dict[str, str] = field(default_factory=dict)

    def request(self, step: Mapping[str, object]) -> Request:
        headers = step.get("headers")
        texts = headers if isinstance(headers, dict) else {}
        return Request(
            str(step["method"]),
            self._fill(str(step["path"]), lambda value: quote(value, safe="", errors="replace")),
            {str(k): self._fill(str(v), _one_line) for k, v in texts.items()},
            self._body(step.get("body")),
        )

    def keep(self, step: Mapping[str, object], body: str) -> None:
        wanted = step.get("save")
        if not isinstance(wanted, dict):
            return
        document = load(body)
        for name, path in wanted.items():
            value = dig(document, str(path).split("."))
            if isinstance(value, (str, int, float)) and not isinstance(value, bool):
                self.values[name] = str(value)

    def _body(self, body: object) -> str | None:
        if body is None:
            return None
        if isinstance(body, str):
            return self._fill(body, lambda value: value)
        return self._fill(json.dumps(body), lambda value: json.dumps(value)[1:-1])

    def _fill(self, text: str, quoted: Callable[[str], str]) -> str:
        if "{" not in text:
            return text
        return _REFERENCE.sub(lambda found: quoted(self.values.get(found[1], UNRESOLVED)), text)


def _one_line(value: str) -> str:
    # An app must not be able to write headers of its own by way of a saved value.
    return re.sub(r"[\r\n\0]", "", value)


def load(body: str) -> object:
    """The body's JSON, or null where it is none."""
    try:
        document: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document


def dig(document: object, path: Sequence[str]) -> object:
    """The value at a dotted path, or null."""
    for part in path:
        if isinstance(document, dict):
            document = document.get(part)
        elif isinstance(document, list) and part.isdigit() and int(part) < len(document):
            document = document[int(part)]
        else:
            return None
    return document


@dataclass(frozen=True)
class Rules:
    """What makes two answers comparable."""

    id_pattern: re.Pattern[str] | None
    differs: tuple[tuple[str, re.Pattern[str], tuple[str, ...]], ...]

    @classmethod
    def make(cls, id_pattern: str, differs: Iterable[str]) -> "Rules":
        """Raises NoVerdict on a pattern or an entry that cannot be read."""
        try:
            compiled = re.compile(id_pattern) if id_pattern else None
        except re.error as error:
            raise NoVerdict(f"id_pattern: {error}") from None
        return cls(compiled, tuple(_difference(entry) for entry in differs))

    def left_out(self, request: Request) -> list[tuple[str, ...]]:
        path = request.path.split("?", 1)[0]
        return [
            fields
            for method, template, fields in self.differs
            if method == request.method and template.fullmatch(path)
        ]


def _difference(entry: str) -> tuple[str, re.Pattern[str], tuple[str, ...]]:
    try:
        method, template, dotted = entry.split()
    except ValueError:
        raise NoVerdict(f"differs: {entry!r} is not 'METHOD path field'") from None
    pieces = (re.escape(piece) for piece in re.split(r"\{[^}]*\}", template))
    return method.upper(), re.compile("[^/]+".join(pieces)), tuple(dotted.split("."))


def comparable(
    steps: Sequence[Mapping[str, object]], answers: Sequence[Recorded], rules: Rules
) -> list[tuple[str, Recorded]]:
    """The exchanges of one run of a sequence as texts that two equal apps share.

    JSON has sorted keys, ids are numbered by first appearance in requests and answers, and
    `differs` is left out.
    """
    ids = _Ids(rules.id_pattern)
    saved = Saved()
    exchanges = []
    for step, (status, kind, body) in zip(steps, answers, strict=False):
        request = saved.request(step)
        saved.keep(step, body)
        asked = ids.number(str(request))
        told = ids.number(_canonical(body, rules.left_out(request)))
        exchanges.append((asked, (status, kind, told)))
    return exchanges


def _canonical(body: str, left_out: Sequence[tuple[str, ...]]) -> str:
    try:
        document = json.loads(body)
        for path in left_out:
            _remove(document, path)
        return json.dumps(document, sort_keys=True, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body


def _remove(document: object, path: Sequence[str]) -> None:
    """Remove a field; lists on the way are taken element by element."""
    if isinstance(document, list):
        for element in document:
            _remove(element, path)
    elif isinstance(document, dict) and path:
        if len(path) == 1:
            document.pop(path[0], None)
        else:
            _remove(document.get(path[0]), path[1:])


class _Ids:
    def __init__(self, pattern: re.Pattern[str] | None) -> None:
        self._pattern = pattern
        self._names: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def number(self, text: str) -> str:
        return self._pattern.sub(self._name, text) if self._pattern else text

    def _name(self, found: re.Match[str]) -> str:
        text = found[0]
        if text not in self._names:
            prefix = re.split(r"[_\-:0-9]", text, maxsplit=1)[0] or "id"
            self._counts[prefix] = self._counts.get(prefix, 0) + 1
            self._names[text] = f"<{prefix}#{self._counts[prefix]}>"
        return self._names[text]


def minimise(
    sequence: RequestSequence, differs: Callable[[RequestSequence], bool]
) -> RequestSequence:
    """The sequence with as few steps as ddmin finds for which `differs` still holds.

    See Zeller and Hildebrandt (2002). `differs` must hold for the sequence given; the result is
    1-minimal.
    """
    steps = sequence["steps"]
    parts = 2
    while len(steps) >= 2:
        size = -(-len(steps) // parts)
        for start in range(0, len(steps), size):
            fewer = steps[:start] + steps[start + size :]
            if fewer and differs({"name": sequence["name"], "steps": fewer}):
                steps, parts = fewer, max(parts - 1, 2)
                break
        else:
            if parts >= len(steps):
                break
            parts = min(parts * 2, len(steps))
    return {"name": sequence["name"], "steps": steps}
