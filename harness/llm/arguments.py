"""Arguments of a tool call as a model wrote them."""

import json
from typing import Any

from harness.llm.protocol import ToolCall


def read_call(call_id: str, name: str, raw: object) -> ToolCall:
    """A tool call; arguments that are no JSON object stay as text only."""
    if isinstance(raw, dict):
        return ToolCall(id=call_id, name=name, arguments=raw, raw=json.dumps(raw))
    text = raw if isinstance(raw, str) else json.dumps(raw)
    return ToolCall(id=call_id, name=name, arguments=_object(text), raw=text)


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
