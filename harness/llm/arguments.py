"""Arguments of a tool call as a model wrote them."""

import json
import math
import uuid
from typing import Any

from harness.llm.protocol import ToolCall

DEEPEST = 50
"""Levels of lists and objects; what is deeper cannot be written and read everywhere."""


def read_call(call_id: object, name: str, raw: object) -> ToolCall:
    """A tool call; arguments that are no JSON object that can be sent back stay as text only.

    No arguments at all are an empty object: so some servers tell of a tool without parameters. A
    call without an id gets one, since its result must name it.
    """
    if raw is None or (isinstance(raw, str) and raw.strip() in {"", "null"}):
        raw = {}
    text = raw if isinstance(raw, str) else json.dumps(raw)
    value = _parsed(text) if isinstance(raw, str) else raw
    arguments = value if isinstance(value, dict) and _is_sendable(value, DEEPEST) else None
    # Nine letters and digits, which is all that the strictest of servers takes.
    made = str(call_id or uuid.uuid4().hex[:9])
    return ToolCall(id=made, name=name, arguments=arguments, raw=text)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _is_sendable(value: object, deepest: int) -> bool:
    """JSON has neither infinity nor NaN, though Python reads and writes them."""
    if isinstance(value, float):
        return math.isfinite(value)
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return deepest >= 0 and all(_is_sendable(item, deepest - 1) for item in inner)
