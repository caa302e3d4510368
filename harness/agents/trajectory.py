"""The trajectory: everything said and done in one trial, in order, as one JSON document."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.agents.session import Call, Ending, Limits, Session
from harness.errors import BadInput
from harness.llm import Message, Tool
from harness.records import Record


class ToolUse(Record):
    """One use of a tool. Tokens are estimated at three bytes each, as before any server counted."""

    turn: int
    """the call of the model that asked for it, from 1"""
    number: int
    """its place among the tools of that call, from 1"""
    name: str
    kind: str
    contexts_read: tuple[str, ...]
    contexts_edited: tuple[str, ...]
    request_tokens: int
    result_tokens: int
    seconds: float
    ending: str


class Trajectory(Record):
    """Complete enough to read every message and tool result in order, and to play it again.

    `calls[i].new_messages` is what was said since the call before; `closing` what was said last.
    """

    scaffold: str
    limits: dict[str, Any]
    system: str
    tools: tuple[Tool, ...]
    calls: tuple[Call, ...]
    uses: tuple[ToolUse, ...]
    closing: tuple[Message, ...]
    ending: Ending | None
    failure: str | None


def trajectory(
    scaffold: str,
    session: Session,
    system: str,
    tools: tuple[Tool, ...],
    uses: tuple[ToolUse, ...],
    closing: tuple[Message, ...],
    ending: Ending | None,
    failure: Exception | None,
) -> str:
    """The document as text."""
    whole = Trajectory(
        scaffold=scaffold,
        limits=asdict(session.limits),
        system=system,
        tools=tools,
        calls=tuple(session.calls),
        uses=uses,
        closing=closing,
        ending=ending,
        failure=None if failure is None else str(failure),
    )
    return json.dumps(whole.model_dump(mode="json"), indent=1, sort_keys=True) + "\n"


def read_trajectory(path: Path) -> Trajectory:
    """A stored trajectory. Raises BadInput naming file and field."""
    try:
        return Trajectory.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise BadInput(f"{path}: no trajectory there; was a model asked in that trial?") from None
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise BadInput(f"{path}: {field}: {first['msg']}") from None


def limits_of(recorded: Trajectory) -> Limits:
    """The limits of a recorded trial, without those that a clock reaches."""
    return Limits(**recorded.limits | {"seconds": math.inf, "wall_seconds": None})
