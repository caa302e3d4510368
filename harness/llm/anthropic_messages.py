"""Anthropic's Messages API, with cache breakpoints that move along and thinking that is kept."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import anthropic

from harness.llm.arguments import read_call
from harness.llm.asking import Reply
from harness.llm.faults import Fault, as_faults
from harness.llm.protocol import (
    Message,
    Part,
    Request,
    Stop,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
)
from harness.llm.usage import of_anthropic

EPHEMERAL = {"type": "ephemeral"}
MOVING = 2
"""Breakpoints on the last user messages: one that was written before, one to write now."""
_STOPS: dict[str, Stop] = {
    "end_turn": "end",
    "stop_sequence": "end",
    "pause_turn": "end",
    "tool_use": "tool_calls",
    "max_tokens": "max_tokens",
    "refusal": "refusal",
}


class AnthropicMessages:
    """A wire. `sampling` is laid over the body of each request; `cache` sets breakpoints."""

    def __init__(
        self,
        client: anthropic.Anthropic,
        model: str,
        sampling: Mapping[str, Any],
        *,
        cache: bool = True,
    ) -> None:
        self._client, self._model, self._cache = client, model, cache
        self._sampling = dict(sampling)

    def send(self, request: Request, seconds: float) -> Reply:
        body: dict[str, Any] = {
            "model": self._model,
            "max_tokens": request.max_output_tokens,
            "system": [self._marked({"type": "text", "text": request.system}, self._cache)],
            "messages": self._messages(request),
        }
        if request.tools:
            body["tools"] = [_tool(tool) for tool in request.tools]
        with as_faults(anthropic):
            raw = self._client.messages.with_raw_response.create(
                **body, extra_body=self._sampling, timeout=seconds
            )
            return _read(json.loads(raw.http_response.content))

    def close(self) -> None:
        self._client.close()

    def _messages(self, request: Request) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = [
            {"role": m.role, "content": [block for part in m.parts for block in _block(part)]}
            for m in request.messages
        ]
        # An answer may have been empty, and a message may not be.
        told = [message for message in told if message["content"]]
        users = [message for message in told if message["role"] == "user"]
        for message in users[-MOVING:]:
            message["content"][-1] = self._marked(message["content"][-1], self._cache)
        return told

    def _marked(self, block: dict[str, Any], cache: bool) -> dict[str, Any]:
        return block | {"cache_control": EPHEMERAL} if cache else block


def _block(part: Part) -> Iterator[dict[str, Any]]:
    if isinstance(part, Text):
        yield {"type": "text", "text": part.text}
    elif isinstance(part, Thinking):
        block = json.loads(part.sealed)
        if block.get("type") in {"thinking", "redacted_thinking"}:
            yield block
    elif isinstance(part, ToolCall):
        yield {"type": "tool_use", "id": part.id, "name": part.name, "input": part.arguments or {}}
    else:
        yield _result(part)


def _result(part: ToolResult) -> dict[str, Any]:
    return {
        "type": "tool_result",
        "tool_use_id": part.call_id,
        "content": part.text or "(nothing)",
        "is_error": part.is_error,
    }


def _tool(tool: Tool) -> dict[str, Any]:
    return {
        "name": tool.name,
        "description": tool.description,
        "input_schema": tool.parameters,
    }


def _read(body: dict[str, Any]) -> Reply:
    reason = body["stop_reason"]
    if reason == "model_context_window_exceeded":
        raise Fault("rejected", reason, http_status=200, is_overflow=True)
    usage, reported = of_anthropic(body.get("usage"))
    parts = tuple(part for block in body["content"] for part in _part(block))
    message = Message(role="assistant", parts=parts)
    stop = _STOPS.get(reason, "end")
    return Reply(message, stop, usage, reported, str(body.get("model") or ""))


def _part(block: dict[str, Any]) -> Iterator[Part]:
    if block["type"] == "text" and block["text"]:
        yield Text(text=str(block["text"]))
    elif block["type"] in {"thinking", "redacted_thinking"}:
        sealed = json.dumps(block, sort_keys=True)
        yield Thinking(text=str(block.get("thinking") or ""), sealed=sealed)
    elif block["type"] == "tool_use":
        yield read_call(str(block["id"]), str(block["name"]), block["input"])
