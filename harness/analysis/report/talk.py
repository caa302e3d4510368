"""A trial's conversation, turn by turn, from its `trajectory.json`.

Read with models of its own that ask for no more than the page shows: a report must be readable
without the agents that wrote the files.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from harness.analysis.report.blobs import TALK_CHARACTERS, Blobs, Clip, clip, size
from harness.analysis.report.gather import Gathered


class Piece(BaseModel):
    """A part of a message, of whichever kind."""

    kind: str
    text: str = ""
    name: str = ""
    arguments: dict[str, Any] | None = None
    raw: str = ""
    is_error: bool = False


class Message(BaseModel):
    """What one side said."""

    role: str
    parts: tuple[Piece, ...]


class Answer(BaseModel):
    """What the model said."""

    message: Message
    stop: str = ""


class Usage(BaseModel):
    """The tokens of one try."""

    fresh_input: int = 0
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0


class Try(BaseModel):
    """One request to the server."""

    usage: Usage = Usage()
    status: str = ""
    detail: str = ""


class Call(BaseModel):
    """One turn: what is new to the model, and its answer."""

    turn: int
    new_messages: tuple[Message, ...] = ()
    answer: Answer | None = None
    tries: tuple[Try, ...] = ()
    seconds: float = 0.0
    compacted: bool = False


class Trajectory(BaseModel):
    """The file."""

    system: str = ""
    calls: tuple[Call, ...] = ()
    closing: tuple[Message, ...] = ()
    ending: str | None = None
    failure: str | None = None


@dataclass(frozen=True)
class Said:
    """A part of a message as the page shows it."""

    who: str
    """user, model, thinking, call, result or error"""
    name: str
    text: Clip


@dataclass(frozen=True)
class Turn:
    """One call of the model as the page shows it."""

    turn: int
    said: list[Said]
    tokens_in: int
    tokens_out: int
    seconds: float
    note: str | None

    @property
    def size(self) -> int:
        return sum(size(one.text) for one in self.said)


@dataclass(frozen=True)
class Talk:
    """A conversation as the page shows it; `note` says why there is none."""

    note: str | None = None
    opening: int | None = None
    """the blob of what stands before the first answer: many trials share it"""
    first: list[Turn] | None = None
    left_out: int = 0
    last: list[Turn] | None = None
    closing: list[Said] | None = None
    ending: str | None = None


def talk(found: Gathered, blobs: Blobs) -> dict[str, object]:
    """The document of a trial's conversation; its opening goes to `blobs` on its own."""
    return asdict(_talk(found, blobs))


def _talk(found: Gathered, blobs: Blobs) -> Talk:
    where = f"trials/{found.trial.trial_id}/trajectory.json"
    try:
        content = found.paths.trajectory.read_bytes()
    except FileNotFoundError:
        if found.trial.model is None:
            return Talk("There is no conversation: a control asks no model.")
        if not found.has_files:
            return Talk("There is no conversation: this folder holds tables only.")
        return Talk(f"There is no conversation: {where} is not there.")
    except OSError as error:
        return Talk(f"The conversation cannot be read: {where}: {error.strerror}.")
    try:
        return _shown(Trajectory.model_validate_json(content), blobs)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the file"
        return Talk(f"The conversation cannot be read: {where}: {field}: {first['msg']}.")


def _shown(told: Trajectory, blobs: Blobs) -> Talk:
    opening = list(_messages(told.calls[0].new_messages)) if told.calls else []
    before = [Said("system", "", clip(told.system)), *opening]
    turns = [_turn(call, is_first=number == 0) for number, call in enumerate(told.calls)]
    first, last = _within(turns, TALK_CHARACTERS)
    return Talk(
        opening=blobs.add([asdict(one) for one in before]),
        first=first,
        left_out=len(turns) - len(first) - len(last),
        last=last,
        closing=list(_messages(told.closing)),
        ending=told.ending or told.failure,
    )


def _within(turns: Sequence[Turn], limit: int) -> tuple[list[Turn], list[Turn]]:
    """The first turns and the last ones that fit in half of `limit` each."""
    if sum(turn.size for turn in turns) <= limit:
        return list(turns), []
    first = _fitting(turns, limit // 2)
    last = _fitting(turns[len(first) :][::-1], limit // 2)
    return first, last[::-1]


def _fitting(turns: Iterable[Turn], limit: int) -> list[Turn]:
    kept: list[Turn] = []
    for turn in turns:
        limit -= turn.size
        if limit < 0:
            break
        kept.append(turn)
    return kept


def _turn(call: Call, *, is_first: bool) -> Turn:
    said = [] if is_first else list(_messages(call.new_messages))
    said += _messages([call.answer.message]) if call.answer else []
    used = [one.usage for one in call.tries]
    return Turn(
        turn=call.turn,
        said=said,
        tokens_in=sum(u.fresh_input + u.cache_read + u.cache_write for u in used),
        tokens_out=sum(u.output for u in used),
        seconds=round(call.seconds, 3),
        note=_note(call),
    )


def _note(call: Call) -> str | None:
    notes = ["the conversation was cut to its budget before this turn"] if call.compacted else []
    if call.answer is None:
        last = call.tries[-1] if call.tries else Try(status="timeout")
        notes.append(f"no answer: {last.status} {last.detail}".strip())
    elif call.answer.stop not in {"", "end", "tool_calls"}:
        notes.append(f"the answer ended by {call.answer.stop}")
    return "; ".join(notes) or None


def _messages(messages: Iterable[Message]) -> Iterator[Said]:
    for message in messages:
        for piece in message.parts:
            yield Said(_who(message.role, piece), piece.name, clip(_text(piece)))


def _who(role: str, piece: Piece) -> str:
    if piece.kind == "tool_result":
        return "error" if piece.is_error else "result"
    known = {"thinking": "thinking", "tool_call": "call"}
    return known.get(piece.kind, "model" if role == "assistant" else "user")


def _text(piece: Piece) -> str:
    if piece.kind != "tool_call":
        return piece.text
    if piece.arguments is None:
        return piece.raw
    # A command as it was run reads better than one with its line ends escaped.
    return "\n".join(f"{name}: {_plain(value)}" for name, value in piece.arguments.items())


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
