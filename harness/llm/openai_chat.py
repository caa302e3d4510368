"""OpenAI's Chat Completions, for any server that speaks them."""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import openai

from harness.llm.arguments import read_call
from harness.llm.asking import Reply, read_reply
from harness.llm.faults import CONNECT_SECONDS, as_faults
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

REASONING = ("reasoning_content", "reasoning", "reasoning_details")
"""Where servers of this protocol put reasoning; each takes back what it sends, and maybe no other.
DeepSeek refuses a history whose calls come without it, OpenRouter wants its details unchanged."""
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
                extra_body=laid_over(body, self._sampling),
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
    for part in message.followed:
        if isinstance(part, Thinking):
            told |= {name: v for name, v in json.loads(part.sealed).items() if name in REASONING}
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
    parts: list[Part] = list(_thinking(said))
    if told := _words(said.get("content")):
        parts.append(Text(text=told))
    for call in said.get("tool_calls") or ():
        function = call["function"]
        parts.append(read_call(call.get("id"), str(function["name"]), function.get("arguments")))
    stop = _STOPS.get(choice.get("finish_reason") or "stop", "end")
    if said.get("refusal"):
        stop = "refusal"
    return Message(role="assistant", parts=tuple(parts)), stop


def _thinking(said: dict[str, Any]) -> Iterator[Part]:
    """The reasoning as one part, and the fields that hold it as they came, an empty one, too."""
    fields = {name: said[name] for name in REASONING if said.get(name) is not None}
    if fields:
        texts = (text for text in fields.values() if isinstance(text, str) and text)
        yield Thinking(text=next(texts, ""), sealed=json.dumps(mended(fields), sort_keys=True))


def _words(content: Any) -> str:
    """A text; some servers give a list of parts."""
    if isinstance(content, list):
        return "".join(str(part["text"]) for part in content if part.get("type") == "text")
    return str(content or "")
