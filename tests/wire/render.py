"""Moves in the words of each protocol, and what each protocol demands of a request."""

import hashlib
import json
from itertools import pairwise
from typing import Any

from tests.wire.moves import Fail, Say, Use

PATHS = {
    "/v1/messages": "anthropic",
    "/v1/responses": "openai-responses",
    "/v1/chat/completions": "openai-chat",
}


def body_of(wire: str, say: Say, asked: dict[str, Any]) -> dict[str, Any]:
    """The answer to the request body `asked`."""
    if wire == "anthropic":
        body = _messages(say, seal_of(asked, len(asked["messages"])))
    else:
        body = {"openai-responses": _responses, "openai-chat": _chat}[wire](say)
    if say.broken:
        body |= {"content": None} if wire == "anthropic" else {"choices": [], "output": None}
    if "all" in say.missing_usage:
        del body["usage"]
    for name in say.missing_usage:
        body.get("usage", {}).pop(name, None)
    if "split" in say.missing_usage:
        body["usage"].pop("cache_creation", None)
        body["usage"].get("input_tokens_details", {}).pop("cache_write_tokens_details", None)
    return body


def error_of(wire: str, fail: Fail) -> dict[str, Any]:
    told = "prompt is too long: 9999 tokens > 4096 maximum" if fail.overflow else fail.told
    if wire == "anthropic":
        kind = "invalid_request_error" if fail.status == 400 else "api_error"
        details = {"details": {"error_code": fail.code}} if fail.code else {}
        return {"type": "error", "error": {"type": kind, "message": told} | details}
    code = "context_length_exceeded" if fail.overflow else fail.code
    return {"error": {"message": told, "type": "server", "code": code, "param": None}}


def key_of(headers: dict[str, str]) -> str:
    return headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")


def complaint(wire: str, headers: dict[str, str], body: dict[str, Any]) -> str | None:
    """What is wrong with a request, by the protocol's own rules."""
    if key_of(headers) == "wrong":
        return "401"
    asked, answered = {
        "anthropic": _pairs_messages,
        "openai-responses": _pairs_responses,
        "openai-chat": _pairs_chat,
    }[wire](body)
    if asked != answered:
        return f"calls {asked} were answered by {answered}"
    if wire == "openai-chat":
        return _missing_reasoning(body)
    if wire != "anthropic":
        return _idle_thinking(wire, body)
    return _idle_thinking(wire, body) or _broken_seal(body) or _blank(body)


def _blank(body: dict[str, Any]) -> str | None:
    texts = [b["text"] for m in body["messages"] for b in m["content"] if b["type"] == "text"]
    is_blank = any(not text.strip() for text in texts)
    return "messages: text content blocks must contain non-whitespace text" if is_blank else None


def _idle_thinking(wire: str, body: dict[str, Any]) -> str | None:
    """Thinking that nothing of the same answer follows: refused by both who seal it."""
    if wire == "anthropic":
        ends = [m["content"][-1]["type"] for m in body["messages"] if m["role"] == "assistant"]
        is_idle = any("thinking" in kind for kind in ends)
        return "The final block in an assistant message cannot be `thinking`" if is_idle else None
    items = [*body.get("input", []), {"role": "user"}]
    is_idle = any(
        item.get("type") == "reasoning" and after.get("role") == "user"
        for item, after in pairwise(items)
    )
    return "Item of type 'reasoning' without its required following item" if is_idle else None


def _missing_reasoning(body: dict[str, Any]) -> str | None:
    """As DeepSeek does: a history holds the reasoning of every call, or of none."""
    calling = [message for message in body["messages"] if message.get("tool_calls")]
    reasons = ["reasoning_content" in message for message in calling]
    is_missing = any(reasons) and not all(reasons)
    return "The `reasoning_content` must be passed back to the API" if is_missing else None


def seal_of(body: dict[str, Any], before: int) -> str:
    """The signature of thinking that follows so many messages: models bind it to all of them."""
    told = json.dumps(_unmarked([body["system"], body.get("tools"), body["messages"][:before]]))
    return f"seal-{hashlib.sha256(told.encode()).hexdigest()}"


def _unmarked(told: Any) -> Any:
    """Without the marks of a cache, which move along."""
    if isinstance(told, dict):
        return {key: _unmarked(value) for key, value in told.items() if key != "cache_control"}
    return [_unmarked(value) for value in told] if isinstance(told, list) else told


def _broken_seal(body: dict[str, Any]) -> str | None:
    """As models since Claude Fable 5.1 do; those with a budget of thinking want it in the last."""
    thinks = [
        (index, block.get("signature") or block.get("data"))
        for index, message in enumerate(body["messages"])
        for block in message["content"]
        if block["type"] in {"thinking", "redacted_thinking"}
    ]
    if (body.get("thinking") or {}).get("type") == "enabled":
        spoke = [m["content"][0]["type"] for m in body["messages"] if m["role"] == "assistant"]
        is_wanting = spoke[-1:] not in ([], ["thinking"], ["redacted_thinking"])
        return "Expected `thinking` or `redacted_thinking`" if is_wanting else None
    for index, seal in thinks:
        if seal != seal_of(body, index):
            return f"messages.{index}: Invalid `signature` in `thinking`: a different conversation"
    return None


def _messages(say: Say, seal: str) -> dict[str, Any]:
    content: list[dict[str, Any]] = []
    if say.hides:
        content.append({"type": "redacted_thinking", "data": seal})
    if say.think:
        content.append({"type": "thinking", "thinking": say.think, "signature": seal})
    if say.text:
        content.append({"type": "text", "text": say.text})
    content += [
        _told({"type": "tool_use", "id": use.id, "name": use.tool, "input": use.arguments})
        for use in say.uses
    ]
    stop = "max_tokens" if say.cut else "refusal" if say.refuse else None
    t = say.tokens
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "scripted",
        "content": content,
        "stop_reason": stop or ("tool_use" if say.uses else "end_turn"),
        "stop_sequence": None,
        "usage": {
            "input_tokens": t.fresh,
            "cache_read_input_tokens": t.read,
            "cache_creation_input_tokens": t.write,
            "cache_creation": {
                "ephemeral_5m_input_tokens": t.write - t.long,
                "ephemeral_1h_input_tokens": t.long,
            },
            "output_tokens": t.output,
            "output_tokens_details": {"thinking_tokens": t.reasoning},
        },
    }


def _chat(say: Say) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": say.text or None}
    if say.think:
        message["reasoning_content"] = say.think
    if say.uses:
        message["tool_calls"] = [
            _told(
                {
                    "id": u.id,
                    "type": "function",
                    "function": _told({"name": u.tool, "arguments": _raw(u)}),
                }
            )
            for u in say.uses
        ]
    stop = "length" if say.cut else "content_filter" if say.refuse else None
    return {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "scripted",
        "choices": [
            {
                "index": 0,
                "message": message,
                "finish_reason": stop or ("tool_calls" if say.uses else "stop"),
            }
        ],
        "usage": _openai_usage(say, "prompt", "completion"),
    }


def _responses(say: Say) -> dict[str, Any]:
    output: list[dict[str, Any]] = []
    if say.think or say.hides:
        summary = [{"type": "summary_text", "text": say.think}] if say.think else []
        output.append(
            {"type": "reasoning", "id": "rs_1", "summary": summary, "encrypted_content": "seal"}
        )
    if say.text or say.refuse:
        content = {"type": "output_text", "text": say.text, "annotations": []}
        if say.refuse:
            content = {"type": "refusal", "refusal": "no"}
        item = {"type": "message", "id": "m1", "role": "assistant", "content": [content]}
        output.append(item | ({"phase": say.phase} if say.phase else {}))
    output += [
        _told(
            {"type": "function_call", "call_id": use.id, "name": use.tool, "arguments": _raw(use)}
        )
        for use in say.uses
    ]
    return {
        "id": "r1",
        "object": "response",
        "model": "scripted",
        "status": "incomplete" if say.cut else "completed",
        "incomplete_details": {"reason": "max_output_tokens"} if say.cut else None,
        "output": output,
        "usage": _openai_usage(say, "input", "output"),
    }


def _openai_usage(say: Say, given: str, made: str) -> dict[str, Any]:
    t = say.tokens
    whole = t.fresh + t.read + t.write
    read: dict[str, Any] = {"cached_tokens": t.read, "cache_write_tokens": t.write}
    if given == "input":
        split = {"ttl_30m_tokens": t.write - t.long, "ttl_12h_tokens": t.long}
        read["cache_write_tokens_details"] = split
    return {
        f"{given}_tokens": whole,
        f"{made}_tokens": t.output,
        "total_tokens": whole + t.output,
        f"{given}_tokens_details": read,
        f"{made}_tokens_details": {"reasoning_tokens": t.reasoning},
    }


def _raw(use: Use) -> str | None:
    is_object = isinstance(use.arguments, dict)
    return json.dumps(use.arguments) if is_object else use.arguments  # type: ignore[return-value]


def _told(fields: dict[str, Any]) -> dict[str, Any]:
    """Without what the server does not tell."""
    return {name: value for name, value in fields.items() if value is not None}


def _pairs_messages(body: dict[str, Any]) -> tuple[list[str], list[str]]:
    blocks = [b for m in body["messages"] for b in m["content"]]
    asked = [b["id"] for b in blocks if b["type"] == "tool_use"]
    return asked, [b["tool_use_id"] for b in blocks if b["type"] == "tool_result"]


def _pairs_responses(body: dict[str, Any]) -> tuple[list[str], list[str]]:
    asked = [i["call_id"] for i in body["input"] if i.get("type") == "function_call"]
    return asked, [i["call_id"] for i in body["input"] if i.get("type") == "function_call_output"]


def _pairs_chat(body: dict[str, Any]) -> tuple[list[str], list[str]]:
    asked = [c["id"] for m in body["messages"] for c in m.get("tool_calls", ())]
    return asked, [m["tool_call_id"] for m in body["messages"] if m["role"] == "tool"]
