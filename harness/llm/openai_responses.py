"""OpenAI's Responses API; nothing is stored there, so reasoning travels along, sealed."""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import openai

from harness.llm.arguments import read_call
from harness.llm.asking import Reply, read_reply
from harness.llm.faults import CONNECT_SECONDS, as_faults, failed
from harness.llm.openai_chat import sendable
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
    mended,
)
from harness.llm.usage import of_openai


class OpenAIResponses:
    """A wire. `sampling` is laid over the body of each request."""

    def __init__(
        self,
        client: openai.OpenAI,
        model: str,
        sampling: Mapping[str, Any],
        *,
        asks_long: bool = False,
    ) -> None:
        self._client, self._model, self._sampling = client, model, dict(sampling)
        self._asks_long = asks_long

    def send(self, request: Request, seconds: float) -> Reply:
        body: dict[str, Any] = {
            "model": self._model,
            "instructions": request.system,
            "input": list(_items(request)),
            "max_output_tokens": request.max_output_tokens,
            "store": False,
            "include": ["reasoning.encrypted_content"],
        }
        if request.tools:
            body["tools"] = [_tool(tool) for tool in request.tools]
        key = self._client.api_key
        count = partial(of_openai, given="input", made="output", asks_long=self._asks_long)
        with as_faults(openai, key):
            raw = self._client.responses.with_raw_response.create(
                **body,
                extra_body=laid_over(body, self._sampling),
                timeout=openai.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS)),
            )
            return read_reply(raw.http_response.content, key, _read, count)

    def close(self) -> None:
        self._client.close()


def _items(request: Request) -> Iterator[dict[str, Any]]:
    for message in request.messages:
        for part in message.followed:
            if isinstance(part, Text):
                phase = {"phase": part.sealed} if part.sealed else {}
                yield {"type": "message", "role": message.role, "content": part.text} | phase
            elif isinstance(part, Thinking):
                yield from _sealed(part)
            elif isinstance(part, ToolCall):
                yield {
                    "type": "function_call",
                    "call_id": part.id,
                    "name": part.name,
                    "arguments": sendable(part),
                }
            elif isinstance(part, ToolResult):
                yield {"type": "function_call_output", "call_id": part.call_id, "output": part.text}


def _sealed(part: Thinking) -> Iterator[dict[str, Any]]:
    block = json.loads(part.sealed)
    if block.get("type") == "reasoning":
        yield block


def _tool(tool: Tool) -> dict[str, Any]:
    return {"type": "function", "strict": False, **tool.model_dump()}


def _read(body: dict[str, Any]) -> tuple[Message, Stop]:
    if body.get("status") == "failed":
        raise failed(body.get("error"))
    parts = [part for item in body["output"] for part in _parts(item)]
    refused = any(isinstance(part, _Refusal) for part in parts)
    kept: tuple[Part, ...] = tuple(part for part in parts if not isinstance(part, _Refusal))
    return Message(role="assistant", parts=kept), _stop(body, kept, refused)


class _Refusal:
    """A refusal in place of words."""


def _parts(item: dict[str, Any]) -> Iterator[Part | _Refusal]:
    item = mended(item)
    if item["type"] == "reasoning":
        told = "\n".join(str(part["text"]) for part in item.get("summary") or ())
        yield Thinking(text=told, sealed=json.dumps(item, sort_keys=True))
    elif item["type"] == "function_call":
        yield read_call(item.get("call_id"), str(item["name"]), item.get("arguments"))
    elif item["type"] == "message":
        # Commentary or the final answer: models do worse where it does not come back.
        phase = str(item.get("phase") or "")
        for content in item["content"]:
            if content["type"] == "refusal":
                yield _Refusal()
            elif content["type"] == "output_text" and content["text"]:
                yield Text(text=str(content["text"]), sealed=phase)


def _stop(body: dict[str, Any], parts: tuple[Part, ...], refused: bool) -> Stop:
    reason = (body.get("incomplete_details") or {}).get("reason")
    if refused or reason == "content_filter":
        return "refusal"
    if body.get("status") == "incomplete":
        return "max_tokens"
    return "tool_calls" if any(isinstance(part, ToolCall) for part in parts) else "end"
