"""Anthropic's Messages API, with cache breakpoints that move along and thinking that is kept.

Nothing is streamed: the SDK asks for a stream where an answer may take more than ten minutes and
no time limit is given, and each request here has its deadline.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import anthropic

from harness.config import CacheLifetime
from harness.llm.arguments import read_call
from harness.llm.asking import Reply, read_reply
from harness.llm.bound_thinking import KINDS, Prefix, seal, unseal
from harness.llm.faults import CONNECT_SECONDS, Fault, as_faults
from harness.llm.overlay import laid_over
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

MARKS: dict[CacheLifetime, dict[str, Any]] = {
    CacheLifetime.none: {},
    CacheLifetime.short: {"cache_control": {"type": "ephemeral"}},
    CacheLifetime.long: {"cache_control": {"type": "ephemeral", "ttl": "1h"}},
}
"""Without a `ttl` an entry lives 5 minutes from its last use."""
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
    """A wire. `sampling` is laid over the body of each request; `cache` marks breakpoints."""

    def __init__(
        self,
        client: anthropic.Anthropic,
        model: str,
        sampling: Mapping[str, Any],
        *,
        cache: CacheLifetime = CacheLifetime.short,
    ) -> None:
        self._client, self._model, self._sampling = client, model, dict(sampling)
        self._mark, self._asks_long = MARKS[cache], cache is CacheLifetime.long
        # The older models, with a budget of thinking, bind no block but want the last one back.
        self._is_bound = (self._sampling.get("thinking") or {}).get("type") != "enabled"

    def send(self, request: Request, seconds: float) -> Reply:
        messages, after = self._messages(request)
        body: dict[str, Any] = {
            "model": self._model,
            "max_tokens": request.max_output_tokens,
            "system": [{"type": "text", "text": request.system} | self._mark],
            "messages": messages,
        }
        if request.tools:
            body["tools"] = [_tool(tool) for tool in request.tools]
        key = self._client.api_key or ""
        count = partial(of_anthropic, asks_long=self._asks_long)
        with as_faults(anthropic, key):
            raw = self._client.messages.with_raw_response.create(
                **body,
                extra_body=laid_over(body, self._sampling),
                timeout=anthropic.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS)),
            )
            read = partial(_read, after=after, is_bound=self._is_bound)
            return read_reply(raw.http_response.content, key, read, count)

    def close(self) -> None:
        self._client.close()

    def _messages(self, request: Request) -> tuple[list[dict[str, Any]], str]:
        """What is told, and the digest of all that the answer comes after."""
        told: list[dict[str, Any]] = []
        prefix = Prefix(request)
        for message in request.messages:
            after = prefix.digest if self._is_bound else None
            content = [block for part in message.followed for block in _block(part, after)]
            if content:  # an answer may have been empty, and a message may not be
                told.append({"role": message.role, "content": content})
                prefix.add(told[-1])
        users = [message for message in told if message["role"] == "user"]
        for last in users[-MOVING:]:
            last["content"][-1] = last["content"][-1] | self._mark
        return told, prefix.digest


def _block(part: Part, after: str | None) -> Iterator[dict[str, Any]]:
    if isinstance(part, Text):
        if not part.is_blank:
            yield {"type": "text", "text": part.text}
    elif isinstance(part, Thinking):
        block = unseal(part, after)
        if block is not None:
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


def _read(body: dict[str, Any], after: str, *, is_bound: bool) -> tuple[Message, Stop]:
    reason = body["stop_reason"]
    if reason == "model_context_window_exceeded":
        raise Fault("rejected", reason, http_status=200, is_overflow=True)
    made = partial(seal, after=after, is_bound=is_bound)
    parts = tuple(part for block in body["content"] for part in _part(block, made))
    return Message(role="assistant", parts=parts), _STOPS.get(reason, "end")


def _part(block: dict[str, Any], made: Callable[[dict[str, Any]], Thinking]) -> Iterator[Part]:
    if block["type"] == "text" and block["text"]:
        yield Text(text=str(block["text"]))
    elif block["type"] in KINDS:
        yield made(block)
    elif block["type"] == "tool_use":
        yield read_call(block.get("id"), str(block["name"]), block.get("input"))
