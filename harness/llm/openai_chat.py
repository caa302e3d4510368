"""OpenAI's Chat Completions, for any server that speaks them."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import openai

from harness.llm.arguments import read_call
from harness.llm.asking import Reply, read_reply
from harness.llm.faults import CONNECT_SECONDS, as_faults
from harness.llm.protocol import Message, Part, Request, Stop, Text, Tool, ToolCall, ToolResult
from harness.llm.usage import of_openai

_STOPS: dict[str, Stop] = {
    "stop": "end",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "length": "max_tokens",
    "content_filter": "refusal",
}


class OpenAIChat:
    """A wire. `sampling` is laid over the body of each request."""

    def __init__(self, client: openai.OpenAI, model: str, sampling: Mapping[str, Any]) -> None:
        self._client, self._model, self._sampling = client, model, dict(sampling)

    def send(self, request: Request, seconds: float) -> Reply:
        body: dict[str, Any] = {
            "model": self._model,
            "messages": list(_messages(request)),
            "max_tokens": request.max_output_tokens,
        }
        if request.tools:
            body["tools"] = [_tool(tool) for tool in request.tools]
        key = self._client.api_key
        count = partial(of_openai, given="prompt", made="completion")
        with as_faults(openai, key):
            raw = self._client.chat.completions.with_raw_response.create(
                **body,
                extra_body=self._sampling,
                timeout=openai.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS)),
            )
            return read_reply(raw.http_response.content, key, _read, count)

    def close(self) -> None:
        self._client.close()


def _messages(request: Request) -> Iterator[dict[str, Any]]:
    yield {"role": "system", "content": request.system}
    for message in request.messages:
        if message.role == "assistant":
            yield _said(message)
            continue
        for part in message.parts:
            if isinstance(part, ToolResult):
                yield {"role": "tool", "tool_call_id": part.call_id, "content": part.text}
        if message.text:
            yield {"role": "user", "content": message.text}


def _said(message: Message) -> dict[str, Any]:
    told: dict[str, Any] = {"role": "assistant", "content": message.text}
    calls = [
        {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": sendable(c)}}
        for c in message.tool_calls
    ]
    return told | ({"tool_calls": calls} if calls else {})


def sendable(call: ToolCall) -> str:
    """Servers refuse a history with broken JSON in it, so what was broken goes back as empty."""
    return call.raw if call.arguments is not None else "{}"


def _tool(tool: Tool) -> dict[str, Any]:
    return {"type": "function", "function": tool.model_dump()}


def _read(body: dict[str, Any]) -> tuple[Message, Stop]:
    choice = body["choices"][0]
    said = choice["message"]
    parts: list[Part] = []
    if told := _words(said.get("content")):
        parts.append(Text(text=told))
    for call in said.get("tool_calls") or ():
        function = call["function"]
        parts.append(read_call(call.get("id"), str(function["name"]), function.get("arguments")))
    stop = _STOPS.get(choice.get("finish_reason") or "stop", "end")
    if said.get("refusal"):
        stop = "refusal"
    return Message(role="assistant", parts=tuple(parts)), stop


def _words(content: Any) -> str:
    """A text; some servers give a list of parts."""
    if isinstance(content, list):
        return "".join(str(part["text"]) for part in content if part.get("type") == "text")
    return str(content or "")
