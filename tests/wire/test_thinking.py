"""Thinking: kept across turns of tools, bound to what came before it, asked for by mode."""

import json
from typing import Any

import pytest

from harness.agents.conversation import Conversation
from harness.config import ThinkingMode
from harness.errors import BadInput, ModelFailed
from harness.llm import Text, Thinking, ToolResult
from tests.wire.asking import ASK, BASH, Open, user
from tests.wire.moves import Garbage, Say, Use
from tests.wire.render import body_of

CLAUDE = pytest.mark.parametrize("wire", ["anthropic"])


@pytest.mark.parametrize("wire", ["anthropic", "openai-responses"])  # chat has no sealed thinking
@pytest.mark.parametrize(("think", "hides"), [("hmm", False), ("", True)])
def test_thinking_goes_back_unchanged(play: Open, wire: str, think: str, hides: bool) -> None:
    so = Say("so", think=think, hides=hides, uses=(Use("bash", {}),))
    model, server, _ = play(so, Say("ok"))
    first = model.answer(ASK, deadline=10)
    assert [p.text for p in first.message.parts if isinstance(p, Thinking)] == [think]
    result = user(ToolResult(call_id="call_1", text="x"))
    more = ASK.model_copy(update={"messages": (*ASK.messages, first.message, result)})
    model.answer(more, deadline=10)
    asked, again = server.ledger.requests
    sent = body_of(wire, so, asked)["content" if wire == "anthropic" else "output"][0]
    assert "seal" in str(sent)
    assert [_sealed(body) for body in (asked, again)] == [[], [sent]]


@pytest.mark.parametrize("wire", ["openai-responses"])
def test_nothing_is_stored_at_openai(play: Open) -> None:
    model, server, _ = play(*[_turn(n) for n in range(3)])
    talk = _talk(budget=100_000)
    for _ in range(3):
        _once(model, talk)
    assert [body["store"] for body in server.ledger.requests] == [False] * 3


@pytest.mark.parametrize("wire", ["anthropic", "openai-responses"])
@pytest.mark.parametrize(("think", "hides"), [("hm", False), ("", True)])
def test_thinking_that_is_cut_off_is_not_given_back(play: Open, think: str, hides: bool) -> None:
    """An answer that reaches its limit while it thinks: providers refuse to hear it again."""
    model, server, _ = play(Say(think=think, hides=hides, cut=True), Say("done"))
    first = model.answer(ASK, deadline=10)
    assert first.stop == "max_tokens"
    assert [type(part) for part in first.message.parts] == [Thinking]
    more = (*ASK.messages, first.message, user(Text(text="go on")))
    said = model.answer(ASK.model_copy(update={"messages": more}), deadline=10)
    assert said.message.text == "done"
    assert "seal" not in str(server.ledger.requests[1])


def test_thinking_that_cannot_be_sent_as_it_came_stops_no_call(play: Open) -> None:
    said = Say("so", think="hmm \ud83d", uses=(Use("bash", {"command": "ls"}),))
    model, _, _ = play(said, Say("ok"))
    first = model.answer(ASK, deadline=10).message
    assert first.model_dump_json()
    result = user(ToolResult(call_id=first.tool_calls[0].id, text="x"))
    more = ASK.model_copy(update={"messages": (*ASK.messages, first, result)})
    assert model.answer(more, deadline=10).message.text == "ok"


CHAT = pytest.mark.parametrize("wire", ["openai-chat"])
DETAILS = [{"type": "reasoning.encrypted", "data": "E", "id": None, "index": 0}]


@CHAT
@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"reasoning_content": "hmm"}, "hmm"),
        ({"reasoning_content": ""}, ""),
        ({"reasoning": "hmm"}, "hmm"),
        ({"reasoning": "hmm", "reasoning_details": DETAILS}, "hmm"),
        ({"reasoning": "", "reasoning_details": DETAILS}, ""),
        ({"reasoning_content": "hmm \ud83d"}, "hmm ?"),
    ],
)
def test_reasoning_goes_back_in_the_fields_that_the_server_itself_used(
    play: Open, fields: dict[str, Any], text: str
) -> None:
    call = {"id": "a", "type": "function", "function": {"name": "bash", "arguments": "{}"}}
    silent = {"reasoning_content": None, "reasoning": None, "audio": None}
    message = {"content": None, "tool_calls": [call]} | silent | fields
    body = {"model": "m", "choices": [{"message": message, "finish_reason": "tool_calls"}]}
    model, server, _ = play(Garbage(json.dumps(body).encode()), Say("ok"))
    first = model.answer(ASK, deadline=10)
    assert [p.text for p in first.message.parts if isinstance(p, Thinking)] == [text]
    result = user(ToolResult(call_id="a", text="x"))
    more = ASK.model_copy(update={"messages": (*ASK.messages, first.message, result)})
    assert model.answer(more, deadline=10).message.text == "ok"
    (told,) = [m for m in server.ledger.requests[1]["messages"] if m["role"] == "assistant"]
    sent = json.loads(json.dumps(fields).replace("\\ud83d", "?"))
    assert told == {"role": "assistant", "content": "", "tool_calls": [call]} | sent


@CHAT
def test_a_server_without_reasoning_gets_none(play: Open) -> None:
    model, server, _ = play(Say("a"), Say("b"))
    said = model.answer(ASK, deadline=10).message
    assert [type(part) for part in said.parts] == [Text]
    more = ASK.model_copy(update={"messages": (*ASK.messages, said, user(Text(text="c")))})
    model.answer(more, deadline=10)
    assert server.ledger.requests[1]["messages"][2] == {"role": "assistant", "content": "a"}


@CHAT
def test_reasoning_of_every_call_is_still_there_after_a_compaction(play: Open) -> None:
    """DeepSeek refuses a history that lacks that of one, as the server here does."""
    model, server, _ = play(*[_turn(n) for n in range(12)])
    talk = _talk(budget=3000)
    for _ in range(12):
        _once(model, talk)
    assert talk.compactions > 1
    assert len(server.ledger.requests) == 12


@CLAUDE
def test_every_turn_of_a_long_conversation_keeps_its_thinking(play: Open) -> None:
    model, server, _ = play(*[_turn(n) for n in range(6)])
    talk = _talk(budget=100_000)
    for _ in range(6):
        _once(model, talk)
    assert _thoughts(server.ledger.requests[-1]) == [f"thought {n}" for n in range(5)]


@CLAUDE
def test_thinking_after_a_change_is_left_out_and_before_it_kept(play: Open) -> None:
    """The server refuses what is bound to another conversation, as the newer models do."""
    model, server, _ = play(*[_turn(n) for n in range(12)])
    talk = _talk(budget=3000)
    for _ in range(12):
        _once(model, talk)
    kept = [_thoughts(body) for body in server.ledger.requests]
    assert talk.compactions > 1
    assert len(server.ledger.requests) == 12
    # What is thought after a compaction goes back again, until the next one.
    changes = [n for n in range(1, 12) if not set(kept[n - 1]) <= set(kept[n])]
    assert changes
    assert all(f"thought {n}" in kept[n + 1] for n in changes if n < 11)


@CLAUDE
def test_no_thinking_is_held_that_is_not_sent(play: Open) -> None:
    """What is held fills the budget."""
    model, server, _ = play(*[_turn(n) for n in range(12)])
    talk = _talk(budget=3000)
    for _ in range(12):
        held = [part for message in talk.request().messages for part in message.parts]
        _once(model, talk)
        thoughts = [part.text for part in held if isinstance(part, Thinking)]
        assert thoughts == _thoughts(server.ledger.requests[-1])
    assert talk.compactions > 1


@CLAUDE
def test_thinking_sent_to_another_conversation_is_refused(play: Open) -> None:
    """What the test above relies on: the server does look."""
    model, server, _ = play(Say("so", think="hmm"), Say("never"))
    said = model.answer(ASK, deadline=10).message
    (thought,) = [part for part in said.parts if isinstance(part, Thinking)]
    forged = thought.model_copy(update={"sealed": thought.sealed.replace("seal-", "seal-0")})
    told = said.model_copy(update={"parts": (forged, Text(text="so"))})
    more = ASK.model_copy(update={"messages": (*ASK.messages, told, user(Text(text="more")))})
    with pytest.raises(ModelFailed, match="a different conversation"):
        model.answer(more, deadline=10)
    assert len(server.ledger.requests) == 2


@CLAUDE
def test_a_model_with_a_budget_of_thinking_gets_all_of_it_back(play: Open) -> None:
    """The older models bind nothing, and refuse a last turn that does not begin with thinking."""
    model, server, _ = play(*[_turn(n) for n in range(8)], thinking_tokens=1024)
    talk = _talk(budget=3000)
    for _ in range(8):
        _once(model, talk)
    assert talk.compactions
    assert _thoughts(server.ledger.requests[-1])[-1] == "thought 6"


@CLAUDE
@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, {}),
        ({"thinking": ThinkingMode.adaptive}, {"thinking": {"type": "adaptive"}}),
        ({"thinking": ThinkingMode.between_tools}, {"thinking": {"type": "between_tools"}}),
        ({"thinking": ThinkingMode.disabled}, {"thinking": {"type": "disabled"}}),
        (
            {"thinking_tokens": 2048},
            {"thinking": {"type": "enabled", "budget_tokens": 2048}},
        ),
        (
            {"thinking": ThinkingMode.adaptive, "effort": "xhigh"},
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "xhigh"}},
        ),
        (
            {"extra": {"thinking": {"type": "adaptive", "display": "summarized"}}},
            {"thinking": {"type": "adaptive", "display": "summarized"}},
        ),
    ],
)
def test_thinking_is_asked_for_in_the_words_of_the_sdk(
    play: Open, settings: dict[str, Any], told: dict[str, Any]
) -> None:
    model, server, _ = play(Say("a"), **settings)
    model.answer(ASK, deadline=10)
    (body,) = server.ledger.requests
    assert {k: body[k] for k in ("thinking", "output_config") if k in body} == told


@pytest.mark.parametrize("wire", ["openai-responses", "openai-chat"])
def test_effort_is_asked_for_at_openai_too(play: Open, wire: str) -> None:
    model, server, _ = play(Say("a"), effort="low")
    model.answer(ASK, deadline=10)
    (body,) = server.ledger.requests
    told = {k: body[k] for k in ("reasoning", "reasoning_effort") if k in body}
    words = {"reasoning": {"effort": "low"}}, {"reasoning_effort": "low"}
    assert told == words[wire == "openai-chat"]


@pytest.mark.parametrize(
    ("wire", "settings", "told"),
    [
        (
            "openai-responses",
            {"effort": "high", "extra": {"reasoning": {"summary": "auto"}}},
            {"reasoning": {"effort": "high", "summary": "auto"}},
        ),
        (
            "openai-responses",
            {"extra": {"include": ["message.output_text.logprobs"]}},
            {"include": ["reasoning.encrypted_content", "message.output_text.logprobs"]},
        ),
        (
            "anthropic",
            {"effort": "high", "extra": {"output_config": {"format": None}, "top_k": 5}},
            {"output_config": {"effort": "high", "format": None}, "top_k": 5},
        ),
        ("openai-chat", {"effort": "low", "extra": {"reasoning_effort": "high"}},
         {"reasoning_effort": "high"}),
    ],
)  # fmt: skip
def test_what_is_laid_over_a_request_takes_nothing_away(
    play: Open, settings: dict[str, Any], told: dict[str, Any]
) -> None:
    model, server, _ = play(Say("a"), **settings)
    model.answer(ASK, deadline=10)
    (body,) = server.ledger.requests
    assert {key: body[key] for key in told} == told
    assert body["model"] == "m"


@pytest.mark.parametrize(
    ("wire", "settings", "said"),
    [
        ("openai-chat", {"thinking_tokens": 2048}, "thinking_tokens: of wire=anthropic only"),
        ("anthropic", {"thinking_tokens": 500}, "thinking_tokens=500: must be at least 1024"),
        ("anthropic", {"temperature": 0.0}, "temperature: Anthropic takes none any more"),
        ("anthropic", {"seed": 7}, "seed: of wire=openai-chat only"),
        ("anthropic", {"extra": {"max_tokens": 64_000}}, "extra.max_tokens: the harness sets it"),
        ("openai-chat", {"extra": {"n": 4}}, "extra.n: the harness sets it"),
        ("openai-responses", {"seed": 7}, "seed: of wire=openai-chat only"),
    ],
)
def test_a_setting_that_could_only_fail_or_be_lost_is_refused(
    play: Open, settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(BadInput, match=rf"^config: models\.scripted\.{said}"):
        play(**settings)


@pytest.mark.parametrize("wire", ["openai-responses", "openai-chat"])
def test_a_mode_that_a_wire_has_no_word_for_is_refused(play: Open) -> None:
    with pytest.raises(BadInput, match=r"models\.scripted\.thinking: of wire=anthropic only"):
        play(thinking=ThinkingMode.adaptive)


@CLAUDE
def test_a_mode_and_a_budget_exclude_each_other(play: Open) -> None:
    with pytest.raises(BadInput, match="either thinking or thinking_tokens"):
        play(thinking=ThinkingMode.adaptive, thinking_tokens=1024)


def _turn(number: int) -> Say:
    return Say(think=f"thought {number}", uses=(Use("bash", {"command": "ls"}, f"call_{number}"),))


def _talk(budget: int) -> Conversation:
    talk = Conversation("be brief", (BASH,), budget, 64)
    talk.say(ASK.messages[0])
    return talk


def _once(model: Any, talk: Conversation) -> None:
    """One turn: ask, and answer every tool with a long text."""
    said = model.answer(talk.request(), deadline=10).message
    talk.say(said)
    talk.say(user(*[ToolResult(call_id=c.id, text="x" * 900) for c in said.tool_calls]))


def _thoughts(body: dict[str, Any]) -> list[str]:
    blocks = [block for message in body["messages"] for block in message["content"]]
    return [block["thinking"] for block in blocks if block["type"] == "thinking"]


def _sealed(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The blocks or items of thinking in a request, as they are there."""
    told = [*body.get("input", ()), *body.get("messages", ())]
    blocks = [block for one in told for block in (one, *_listed(one.get("content")))]
    kinds = {"reasoning", "thinking", "redacted_thinking"}
    return [block for block in blocks if block.get("type") in kinds]


def _listed(content: Any) -> list[dict[str, Any]]:
    return content if isinstance(content, list) else []
