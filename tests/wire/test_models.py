"""One suite over every wire: the real SDKs against a real server that plays a script."""

import json
import os
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from typing import Any

import pytest

from harness.config import ModelConfig
from harness.errors import BadInput, ContextOverflow, ModelFailed, ModelRefused, PromptRefused
from harness.llm import Message, Text, Thinking, ToolCall, ToolResult, Usage
from harness.llm.asking import AskingModel
from harness.llm.concurrency import Gates
from harness.llm.faults import malformed, retry_after, without_key
from harness.llm.settings import open_model
from harness.llm.usage import of_openai
from tests.wire.asking import ASK, Open, user
from tests.wire.moves import Fail, Garbage, HangUp, Move, Say, Stall, Tokens, Trickle, Use
from tests.wire.server import scripted


def test_words_come_back_with_their_usage(play: Open) -> None:
    model, server, waits = play(Say("hi there", tokens=Tokens(7, 3, 2, 9, 4)))
    answer = model.answer(ASK, deadline=10)
    assert (answer.message.text, answer.stop, answer.served_by) == ("hi there", "end", "scripted")
    assert answer.usage == Usage(fresh_input=7, cache_read=3, cache_write=2, output=9, reasoning=4)
    assert answer.tries[0].usage_reported
    assert waits == [0.0]
    assert len(server.ledger.requests) == 1


def test_several_tools_are_called_at_once_and_all_answered(play: Open) -> None:
    calls = (Use("bash", {"command": "ls"}, "a"), Use("bash", {"command": "pwd"}, "b"))
    model, server, _ = play(Say("both", uses=calls), Say("done"))
    first = model.answer(ASK, deadline=10)
    assert first.stop == "tool_calls"
    assert [(c.id, c.arguments) for c in first.message.tool_calls] == [
        ("a", {"command": "ls"}),
        ("b", {"command": "pwd"}),
    ]
    results = user(
        ToolResult(call_id="a", text="x.py"), ToolResult(call_id="b", text="no", is_error=True)
    )
    more = ASK.model_copy(update={"messages": (*ASK.messages, first.message, results)})
    assert model.answer(more, deadline=10).message.text == "done"
    assert len(server.ledger.requests) == 2
    told = server.ledger.requests[1].get("messages", [{}])[-1].get("content")
    if told and isinstance(told, list):  # the one protocol that has a word for it
        assert [block["is_error"] for block in told] == [False, True]


@pytest.mark.parametrize("wire", ["openai-responses"])
def test_what_words_are_for_goes_back_with_them(play: Open) -> None:
    """The SDK: preserve and resend phase on all assistant messages."""
    calls = (Use("bash", {"command": "ls"}, "a"),)
    model, server, _ = play(Say("first", calls, phase="commentary"), Say("so"), Say("done"))
    messages = ASK.messages
    for part in (ToolResult(call_id="a", text="x.py"), Text(text="go on")):
        said = model.answer(ASK.model_copy(update={"messages": messages}), deadline=10)
        messages = (*messages, said.message, user(part))
    model.answer(ASK.model_copy(update={"messages": messages}), deadline=10)
    told = [item for item in server.ledger.requests[-1]["input"] if item["type"] == "message"]
    assert [(item["content"], item.get("phase")) for item in told] == [
        ("hello", None), ("first", "commentary"), ("so", None), ("go on", None),
    ]  # fmt: skip


def test_what_no_wire_needs_is_in_no_record() -> None:
    """And in no digest of a question: older records play again."""
    assert Text(text="a").model_dump() == {"kind": "text", "text": "a"}
    thought = Thinking(text="a", sealed="b").model_dump()
    assert thought == {"kind": "thinking", "text": "a", "sealed": "b"}


def test_a_call_without_its_result_is_refused_by_the_server(play: Open) -> None:
    model, _, _ = play(Say(uses=(Use("bash", {}),)), Say("never"))
    first = model.answer(ASK, deadline=10)
    broken = ASK.model_copy(update={"messages": (*ASK.messages, first.message)})
    with pytest.raises(ModelFailed, match="were answered by"):
        model.answer(broken, deadline=10)


@pytest.mark.parametrize("wire", ["openai-responses", "openai-chat"])  # objects at Anthropic
def test_broken_arguments_are_kept_as_text_and_can_be_sent_back(play: Open) -> None:
    model, _, _ = play(Say(uses=(Use("bash", '{"command": "ls'),)), Say("ok"))
    first = model.answer(ASK, deadline=10)
    (call,) = first.message.tool_calls
    assert (call.arguments, call.raw) == (None, '{"command": "ls')
    result = user(ToolResult(call_id=call.id, text="no JSON", is_error=True))
    more = ASK.model_copy(update={"messages": (*ASK.messages, first.message, result)})
    assert model.answer(more, deadline=10).message.text == "ok"


@pytest.mark.parametrize("wire", ["openai-responses", "openai-chat"])  # objects at Anthropic
def test_a_tool_call_that_is_cut_in_its_middle_keeps_what_there_is(play: Open) -> None:
    model, _, _ = play(Say(uses=(Use("bash", '{"command": "rm -r'),), cut=True))
    answer = model.answer(ASK, deadline=10)
    (call,) = answer.message.tool_calls
    assert (answer.stop, call.arguments, call.raw) == ("max_tokens", None, '{"command": "rm -r')


def test_a_cut_tool_call_stops_by_max_tokens(play: Open) -> None:
    model, _, _ = play(Say(uses=(Use("bash", {"command": "l"}),), cut=True))
    answer = model.answer(ASK, deadline=10)
    assert answer.stop == "max_tokens"
    assert len(answer.message.tool_calls) == 1


def test_an_empty_answer_is_an_answer(play: Open) -> None:
    model, _, _ = play(Say(""))
    answer = model.answer(ASK, deadline=10)
    assert (answer.message.parts, answer.stop) == ((), "end")


@pytest.mark.parametrize("wire", ["openai-chat"])
def test_words_in_parts_are_joined(play: Open) -> None:
    """Some servers of this protocol answer so."""
    parts = [{"type": "text", "text": "a"}, {"type": "odd"}, {"type": "text", "text": "b"}]
    body = {"model": "m", "choices": [{"message": {"content": parts}, "finish_reason": "stop"}]}
    model, _, _ = play(Garbage(json.dumps(body).encode()))
    assert model.answer(ASK, deadline=10).message.text == "ab"


def test_a_refusal_is_told_apart(play: Open) -> None:
    model, _, _ = play(Say("", refuse=True))
    assert model.answer(ASK, deadline=10).stop == "refusal"


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Fail(429), "rate_limited"),
        (Fail(500), "server_error"),
        (Fail(529), "overloaded"),
        (HangUp(), "connection"),
        (Garbage(), "malformed"),
        (Garbage(b'{"other": "shape"}'), "malformed"),
        (Garbage(b"[]"), "malformed"),
        (Garbage(b"null"), "malformed"),
    ],
)
def test_what_another_try_may_mend_is_tried_again_unchanged(
    play: Open, fault: Move, status: str
) -> None:
    model, server, waits = play(fault, fault, Say("at last"))
    answer = model.answer(ASK, deadline=60)
    assert [one.status for one in answer.tries] == [status, status, "answered"]
    assert answer.usage == Usage(fresh_input=11, output=5)
    first, *others = server.ledger.requests
    assert all(other == first for other in others)
    assert 0.5 <= waits[1] <= 1.0 <= waits[2] <= 2.0


@pytest.mark.parametrize(
    "arguments",
    ['{"a": ' + "[" * 300 + "]" * 300 + "}", '{"a": 1e999}', '{"a": [{"b": -Infinity}]}'],
)
def test_arguments_that_cannot_be_sent_back_are_kept_as_text(play: Open, arguments: str) -> None:
    model, server, _ = play(
        Say(uses=(Use("bash", json.loads(arguments)),)), Say(uses=(Use("bash", arguments),)),
        Say("ok"), Say("ok"),
    )  # fmt: skip
    for _ in range(1 + (model._wire.__class__.__name__ != "AnthropicMessages")):
        first = model.answer(ASK, deadline=10)
        (call,) = first.message.tool_calls
        assert call.arguments is None
        assert len(call.raw) > 10
        result = user(ToolResult(call_id=call.id, text="no JSON", is_error=True))
        more = ASK.model_copy(update={"messages": (*ASK.messages, first.message, result)})
        assert more.model_dump_json()
    assert len(server.ledger.requests) in {1, 2}


@pytest.mark.parametrize("arguments", ["", " \n", "null", "{}", None])
def test_a_tool_without_parameters_may_be_called_with_nothing(
    play: Open, wire: str, arguments: str | None
) -> None:
    if wire == "anthropic":  # objects there
        arguments = None
    model, server, _ = play(Say(uses=(Use("submit", arguments, "a"),)), Say("ok"))
    first = model.answer(ASK, deadline=10)
    (call,) = first.message.tool_calls
    assert (call.name, call.arguments) == ("submit", {})
    result = user(ToolResult(call_id=call.id, text="submitted"))
    more = ASK.model_copy(update={"messages": (*ASK.messages, first.message, result)})
    assert model.answer(more, deadline=10).message.text == "ok"
    assert len(server.ledger.requests) == 2
    assert '"{}"' in json.dumps(server.ledger.requests[1]) or wire == "anthropic"


@pytest.mark.parametrize("missing", ["", None])
def test_calls_without_an_id_get_one_each(play: Open, missing: str | None) -> None:
    calls = Use("bash", {"command": "ls"}, missing), Use("bash", {"command": "ls"}, missing)
    model, server, _ = play(Say(uses=calls), Say("ok"))
    first = model.answer(ASK, deadline=10)
    ids = [call.id for call in first.message.tool_calls]
    assert len(set(ids)) == 2
    assert all(re.fullmatch("[a-z0-9]{9}", each) for each in ids)
    results = user(*[ToolResult(call_id=each, text="x") for each in ids])
    more = ASK.model_copy(update={"messages": (*ASK.messages, first.message, results)})
    assert model.answer(more, deadline=10).message.text == "ok"
    assert len(server.ledger.requests) == 2


def test_blanks_are_not_sent_back(play: Open) -> None:
    model, _, _ = play(
        Say("\n\n", uses=(Use("bash", {}, "a"),)), Say("\n", think="hm"), Say("ok"),
        thinking=None,
    )  # fmt: skip
    messages = ASK.messages
    for parts in ((ToolResult(call_id="a", text="x"),), (Text(text="go on"),)):
        said = model.answer(ASK.model_copy(update={"messages": messages}), deadline=10)
        messages = (*messages, said.message, user(*parts))
    whole = model.answer(ASK.model_copy(update={"messages": messages}), deadline=10)
    assert whole.message.text == "ok"


KEY = "hunter2-of-no-known-shape"


@pytest.mark.parametrize(
    "move",
    [
        Fail(400, told="bad token {key}"),
        Fail(401, told="bad token {key}"),
        Fail(401, told="x" * 290 + "{key}"),  # what is cut off must not leave a half
        Fail(500, told="{key}"),
        Garbage(b'{"status": "failed", "error": "{key}", "content": [{}], "output": []}'),
    ],
)
def test_a_key_that_a_server_quotes_is_in_no_word_of_ours(play: Open, move: Move) -> None:
    model, server, _ = play(*[move] * 8, key=KEY)
    with pytest.raises((BadInput, ModelFailed)) as failed:
        model.answer(ASK, deadline=1000)
    tries = getattr(failed.value, "tries", ())
    told = str(failed.value) + "".join(one.detail for one in tries)
    assert not any(KEY[:size] in told for size in (8, len(KEY)))
    assert server.ledger.requests


def test_a_key_in_a_good_answer_is_left_out_of_it(play: Open) -> None:
    model, _, _ = play(
        Say("you are {key}", uses=(Use("bash", {"command": "echo {key}"}),)), key=KEY
    )
    answer = model.answer(ASK, deadline=10)
    assert answer.message.text == "you are [left out]"
    assert KEY not in answer.model_dump_json()


@pytest.mark.parametrize("escaped", [r"\/", r"\u002f", r"\u002F", r"\\/", r"\\\/"])
def test_a_key_is_left_out_however_json_spells_it(play: Open, escaped: str) -> None:
    """In a text, and in arguments, which are JSON in JSON."""
    key = "ab/cdEF/0123456789"
    quoted = f'"{key.replace("/", escaped)}"'.encode()
    move = Garbage(b'{"status": "failed", "choices": [], "content": ' + quoted + b', "error": '
                   + quoted + b', "output": []}')  # fmt: skip
    model, _, _ = play(*[move] * 8, key=key)
    with pytest.raises(ModelFailed) as failed:
        model.answer(ASK, deadline=1000)
    told = str(failed.value) + "".join(one.detail for one in failed.value.tries)
    assert "cdEF" not in told
    said = without_key(f'{{"text": {quoted.decode()}, "other": "n\\/a"}}', key)
    assert json.loads(said) == {"text": "[left out]", "other": "n/a"}


def test_what_an_unusable_answer_used_is_counted(play: Open) -> None:
    model, _, _ = play(Say(broken=True, tokens=Tokens(7, 3, 2, 9, 4)), Fail(500), Say("b"))
    answer = model.answer(ASK, deadline=100)
    assert [one.status for one in answer.tries] == ["malformed", "server_error", "answered"]
    used = Usage(fresh_input=7, cache_read=3, cache_write=2, output=9, reasoning=4)
    assert answer.tries[0].usage == used
    assert answer.usage == used + Usage(fresh_input=11, output=5)
    assert all(one.usage_reported for one in answer.tries)


@pytest.mark.parametrize("move", [HangUp(), Garbage(), Say(broken=True, missing_usage=("all",))])
def test_where_more_may_have_been_used_it_is_said(play: Open, move: Move) -> None:
    model, _, _ = play(move, Say("b"))
    answer = model.answer(ASK, deadline=100)
    assert [one.usage_reported for one in answer.tries] == [False, True]


@pytest.mark.parametrize("status", [408, 504, 520, 524])
def test_a_gateway_that_gave_up_says_nothing_of_what_was_used(play: Open, status: int) -> None:
    model, _, _ = play(Fail(status), Fail(500), Say("b"))
    answer = model.answer(ASK, deadline=100)
    assert [one.usage_reported for one in answer.tries] == [False, True, True]


def test_a_body_that_nests_without_end_is_malformed(play: Open) -> None:
    model, _, _ = play(Garbage(b"[" * 200_000), Say("b"))
    answer = model.answer(ASK, deadline=100)
    assert [one.status for one in answer.tries] == ["malformed", "answered"]


NOW = datetime(2026, 10, 21, 7, 28, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 -0000"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2026 09:28:30 +0200"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2020 07:28:30 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "inf"}, None),
        ({}, None),
    ],
)
def test_servers_say_in_many_ways_when_to_come_back(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(headers, NOW) == seconds


@pytest.mark.parametrize(("header", "seconds"), [("0.4", 0.4), ("0", 0.0)])
def test_a_server_says_how_long_to_wait(play: Open, header: str, seconds: float) -> None:
    model, _, waits = play(Fail(429, header), Say("ok"))
    answer = model.answer(ASK, deadline=60)
    assert waits == [0.0, 0.0]  # it is waited for before the gate
    assert answer.tries[1].waited == pytest.approx(seconds, abs=0.1)


def test_a_wait_beyond_the_deadline_is_not_begun(play: Open) -> None:
    model, _, waits = play(Fail(500), Say("never"))
    with pytest.raises(ModelFailed, match=r"no answer in 0\.5 s") as failed:
        model.answer(ASK, deadline=0.5)
    assert waits == [0.0]
    assert [one.status for one in failed.value.tries] == ["server_error"]


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_that_a_server_asks_for_takes_nothing_from_the_deadline(
    play: Open, status: int
) -> None:
    """The trial would be lost, begun anew at once, and lost again."""
    model, server, _ = play(Fail(status, "1.2"), Say("ok"))
    answer = model.answer(ASK, deadline=1.0)
    assert answer.tries[1].waited == pytest.approx(1.2, abs=0.2)
    assert server.ledger.arrivals[1] - server.ledger.arrivals[0] >= 1.2


@pytest.mark.parametrize("asked", ["0", None])
def test_a_provider_that_is_busy_is_asked_until_it_answers(play: Open, asked: str | None) -> None:
    """More slowly each time, whatever it says."""
    model, _, waits = play(*[Fail(429, asked)] * 12, Fail(500), Say("ok"))
    answer = model.answer(ASK, deadline=5)
    assert len(answer.tries) == 14
    assert all(30 <= wait <= 60 for wait in waits[8:13])


def test_nobody_asks_while_a_provider_wants_nothing(play: Open) -> None:
    """However many places there are: it would say no, and count that against the next minute."""
    model, server, _ = play(Fail(429, "0.6"), *[Say("ok")] * 4, max_concurrency=4)
    model._gate.limit = 1  # so that one asks first
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(model.answer, ASK, deadline=60) for _ in range(4)]
        tries = [one for each in asked for one in each.result().tries]
    first, *others = server.ledger.arrivals
    assert (len(others), min(others) - first >= 0.6) == (4, True)
    assert sum(one.waited >= 0.5 for one in tries) == 4


def test_a_stalled_answer_ends_at_the_deadline(play: Open) -> None:
    model, _, _ = play(Stall(1.5), Say("never"))
    with pytest.raises(ModelFailed) as failed:
        model.answer(ASK, deadline=0.4)
    assert failed.value.tries[0].status == "timeout"


def test_an_answer_that_stalls_is_asked_for_once_more(play: Open) -> None:
    model, _, _ = play(Stall(5), Say("fine"))
    answer = model.answer(ASK, deadline=3.0)
    assert [one.status for one in answer.tries] == ["timeout", "answered"]
    assert answer.tries[0].seconds == pytest.approx(1.5, abs=0.4)


@pytest.mark.parametrize(
    "move", [Trickle(0.05), Trickle(0.05, says_length=False), Trickle(0.05, status=500)]
)
def test_an_answer_that_trickles_in_ends_at_the_deadline(play: Open, move: Trickle) -> None:
    model, _, _ = play(move, Say("never"))
    start = time.monotonic()
    with pytest.raises(ModelFailed) as failed:
        model.answer(ASK, deadline=0.4)
    assert time.monotonic() - start < move.every * move.count / 2
    assert failed.value.tries[0].status == "timeout"


def test_an_answer_that_trickles_in_fast_enough_is_read_whole(play: Open) -> None:
    model, _, _ = play(Trickle(0.01, count=20), Say("there"))
    answer = model.answer(ASK, deadline=10)
    assert [one.status for one in answer.tries] == ["malformed", "answered"]
    assert "char 20" in answer.tries[0].detail  # twenty blanks are no JSON


def test_tries_are_not_endless(play: Open) -> None:
    model, server, _ = play(*[Fail(500)] * 20)
    with pytest.raises(ModelFailed) as failed:
        model.answer(ASK, deadline=10_000)
    assert len(failed.value.tries) == len(server.ledger.requests) == 8


def test_what_is_wrong_with_a_request_is_not_tried_again(play: Open) -> None:
    model, server, _ = play(Fail(400), Say("never"))
    with pytest.raises(ModelFailed):
        model.answer(ASK, deadline=10)
    assert len(server.ledger.requests) == 1


def test_a_request_that_is_too_long_is_told_apart(play: Open) -> None:
    model, server, _ = play(Fail(400, overflow=True), Say("never"))
    with pytest.raises(ContextOverflow):
        model.answer(ASK, deadline=10)
    assert len(server.ledger.requests) == 1


TOO_LONG = [
    "input length and `max_tokens` exceed context limit: 197000 + 4096 > 200000, decrease it",
    "The decoder prompt (length 40000) is longer than the maximum model length of 32768.",
    "The input (40000 tokens) is longer than the model's context length (32768 tokens).",
    "This model's maximum prompt length is 131072 but the request contains 140000 tokens.",
    "The input token count (1100000) exceeds the maximum number of tokens allowed (1048576).",
    "You passed 32769 input tokens, resulting in a maximum input length of 32256 tokens.",
    "Requested token count exceeds the model's maximum context length of 32768 tokens.",
    "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens",
    "`inputs` must have less than 4096 tokens. Given: 5000",
]
NOT_TOO_LONG = [
    "max_tokens: 128000 > 64000, which is the maximum allowed number of output tokens",
    "max_tokens is too large: 200000. This model supports at most 128000 completion tokens",
    "`max_tokens` must be greater than `thinking.budget_tokens`",
    "Invalid 'input[3].name': string too long. Expected a string with maximum length 64",
]


@pytest.mark.parametrize("wire", ["openai-chat"])
@pytest.mark.parametrize("told", TOO_LONG + NOT_TOO_LONG)
def test_servers_say_in_many_ways_that_a_request_is_too_long(play: Open, told: str) -> None:
    model, _, _ = play(Fail(400, told=told))
    with pytest.raises(ModelFailed) as failed:
        model.answer(ASK, deadline=10)
    assert isinstance(failed.value, ContextOverflow) == (told in TOO_LONG)


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (429, "insufficient_quota: You exceeded your current quota, please check your plan"),
        (400, "Your credit balance is too low to access the Anthropic API."),
        (402, "Insufficient credits"),
        (400, "You have reached your specified API usage limits. You will regain access on"),
    ],
)
def test_spent_credit_is_told_in_one_line_and_not_asked_again(
    play: Open, status: int, told: str
) -> None:
    model, server, _ = play(Fail(status, told=told), Say("never"))
    with pytest.raises(ModelRefused, match=rf"HTTP {status}: .*no credit left.*go on") as refused:
        model.answer(ASK, deadline=300)
    assert "\n" not in str(refused.value)
    assert len(server.ledger.requests) == len(refused.value.tries) == 1


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        ("anthropic", "enforced_spend_limit_reached"),
        ("anthropic", "contract_spend_limit_reached"),
        ("openai-responses", "project_spend_limit_exceeded"),
        ("openai-responses", "organization_spend_limit_exceeded"),
        ("openai-responses", "organization_usage_limit_exceeded"),
        ("openai-chat", "credit_balance_exhausted"),
        ("openai-chat", "billing_not_active"),
    ],
)
def test_a_limit_of_spending_is_known_by_its_code(play: Open, code: str) -> None:
    model, server, _ = play(Fail(429, code=code, told="Try again later."), Say("never"))
    with pytest.raises(ModelRefused, match=rf"HTTP 429: .*{code}.*no credit left"):
        model.answer(ASK, deadline=300)
    assert len(server.ledger.requests) == 1


@pytest.mark.parametrize("wire", ["anthropic"])
def test_a_limit_of_how_fast_usage_grows_is_waited_for(play: Open) -> None:
    model, _, _ = play(Fail(429, "0.4", code="ramp_limit_exceeded"), Say("ok"))
    answer = model.answer(ASK, deadline=300)
    assert answer.message.text == "ok"
    assert answer.tries[1].waited == pytest.approx(0.4, abs=0.1)


def test_a_quota_of_the_minute_is_waited_for(play: Open) -> None:
    model, _, _ = play(Fail(429, told="You exceeded your current quota: requests a minute"), Say())
    assert len(model.answer(ASK, deadline=300).tries) == 2


def unanswered(code: str, **used: Any) -> Garbage:
    """What Responses says with status 200 where nothing was answered."""
    error = {"code": code, "message": "This request was blocked."}
    body = {"status": "failed", "model": "m", "output": [], "error": error, "usage": used or None}
    return Garbage(json.dumps(body).encode())


@pytest.mark.parametrize(
    ("wire", "move"),
    [
        ("openai-responses", unanswered("invalid_prompt")),
        ("openai-responses", unanswered("bio_policy")),
        ("openai-responses", unanswered("cyber_policy")),
        ("openai-responses", unanswered("misalignment_policy_violation")),
        ("openai-responses", Fail(400, told="invalid_prompt: it was flagged")),
        ("openai-responses", Fail(400, code="cyber_policy")),
        ("openai-chat", Fail(400, told="This content was flagged for possible cybersecurity risk")),
        ("openai-chat", Fail(400, told="This request has been flagged for potentially high-risk")),
        ("openai-chat", Fail(403, told="moderation is required and your input was flagged")),
        ("anthropic", Fail(400, told="Output blocked by content filtering policy")),
    ],
)
def test_a_request_that_the_policy_forbids_is_told_apart(play: Open, move: Move) -> None:
    model, server, _ = play(move, Say("never"))
    with pytest.raises(PromptRefused) as refused:
        model.answer(ASK, deadline=300)
    assert [one.status for one in refused.value.tries] == ["rejected"]
    assert len(server.ledger.requests) == 1


@pytest.mark.parametrize("wire", ["openai-responses"])
@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("server_error", "server_error"),
        ("rate_limit_exceeded", "rate_limited"),
        ("of_next_year", "server_error"),
    ],
)
def test_an_answer_that_failed_says_by_its_code_what_it_is(
    play: Open, code: str, status: str
) -> None:
    model, _, _ = play(unanswered(code, input_tokens=20, output_tokens=0), Say("at last"))
    first, second = model.answer(ASK, deadline=300).tries
    assert (first.status, first.http_status, second.status) == (status, 200, "answered")
    assert (first.usage, first.usage_reported) == (Usage(fresh_input=20), True)
    assert code in first.detail


@pytest.mark.parametrize("wire", ["openai-responses"])
@pytest.mark.parametrize(
    ("code", "error"),
    [("context_length_exceeded", ContextOverflow), ("insufficient_quota", ModelRefused)],
)
def test_an_answer_that_failed_for_good_is_not_asked_for_again(
    play: Open, code: str, error: type[Exception]
) -> None:
    model, server, _ = play(unanswered(code), Say("never"))
    with pytest.raises(error):
        model.answer(ASK, deadline=300)
    assert len(server.ledger.requests) == 1


@pytest.mark.parametrize("word", ["content_filter", "insufficient_quota"])
def test_an_answer_that_cannot_be_read_is_no_refusal_whatever_it_quotes(word: str) -> None:
    fault = malformed(KeyError(word))
    assert word in str(fault)
    assert not fault.is_refusal
    assert fault.remedy("m") is None


def test_a_wrong_key_is_bad_input_and_never_shown(play: Open) -> None:
    model, _, _ = play(Say("never"), key="wrong")
    with pytest.raises(
        BadInput, match=r"scripted: HTTP 401: .*is the key right\? models\.scripted\.key_env"
    ) as refused:
        model.answer(ASK, deadline=10)
    assert "wrong" not in re.sub("scripted", "", str(refused.value))
    assert "\n" not in str(refused.value)


def test_an_unknown_model_is_bad_input(play: Open) -> None:
    model, server, _ = play(Fail(404), Say("never"))
    told = r"scripted: HTTP 404: .*check models\.scripted\.model and models\.scripted\.base_url"
    with pytest.raises(BadInput, match=told):
        model.answer(ASK, deadline=10)
    assert len(server.ledger.requests) == 1


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://127.0.0.1:9/v1", r"http://127\.0\.0\.1:9 \(ConnectError\)"),
        ("http://nowhere.invalid/v1", r"http://nowhere\.invalid \(ConnectError\)"),
        ("localhost:9/v1", "UnsupportedProtocol"),
    ],
)
def test_an_address_where_nobody_is_gets_one_line_at_once(
    play: Open, address: str, said: str
) -> None:
    model, _, waits = play(base_url=address)
    with pytest.raises(BadInput, match=said) as refused:
        model.answer(ASK, deadline=60)
    assert waits == [0.0]
    assert "check models.scripted.base_url" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_what_a_server_says_can_be_written_down(play: Open) -> None:
    """JSON can hold half a surrogate pair, which no file of ours can."""
    model, _, _ = play(Fail(400, told="cut here \ud83d"))
    with pytest.raises(ModelFailed) as failed:
        model.answer(ASK, deadline=10)
    assert str(failed.value).encode()
    assert [one.model_dump_json() for one in failed.value.tries]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:1080"),
        ("HTTPS_PROXY", "socks://127.0.0.1:1080"),
        ("SSL_CERT_FILE", "/nowhere/ca.pem"),
    ],
)
def test_a_shell_in_which_no_client_can_be_made_gets_one_line(
    play: Open, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(BadInput, match="model scripted: no client can be made: ") as refused:
        play(Say("never"))
    assert "check base_url, and the proxy and SSL variables of the shell" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("address", ["http://user:sesame@127.0.0.1:9/v1", "https://sesame@host"])
def test_a_password_in_an_address_is_refused_and_not_shown(play: Open, address: str) -> None:
    """The plan holds the address."""
    with pytest.raises(BadInput, match=r"models\.scripted\.base_url: holds a user") as refused:
        play(base_url=address)
    assert "sesame" not in str(refused.value)


def test_an_address_that_takes_no_connection_gets_one_line_too(play: Open) -> None:
    """A queue that is full drops what else comes, as a firewall does."""
    with ExitStack() as stack:
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(full.getsockname())
        model, _, waits = play(base_url=f"http://127.0.0.1:{full.getsockname()[1]}/v1")
        with pytest.raises(BadInput, match=r"nothing answers at .* \(ConnectTimeout\)"):
            model.answer(ASK, deadline=0.5)
        assert waits == [0.0]


def test_a_server_that_was_there_is_asked_again(play: Open) -> None:
    model, server, waits = play(Say("here"))
    model.answer(ASK, deadline=60)
    server.close()
    with pytest.raises(ModelFailed, match="nothing answers at"):
        model.answer(ASK, deadline=60)
    assert len(waits) > 4


@pytest.mark.parametrize("key", ["sk-ключ", "sk-a sk-b", "sk-a\nsk-b", "export KEY"])
def test_a_key_that_is_none_is_told_and_not_shown(play: Open, key: str) -> None:
    with pytest.raises(BadInput, match="SCRIPTED_KEY holds more than a key") as refused:
        play(key=key)
    assert "sk-" not in str(refused.value)


def test_an_answer_may_be_as_long_as_the_models_allow(play: Open) -> None:
    """Without a time limit the SDK refuses what may take more than ten minutes unstreamed."""
    model, server, _ = play(Say("long"))
    most = ASK.model_copy(update={"max_output_tokens": 128_000})
    assert model.answer(most, deadline=3600).message.text == "long"
    assert "128000" in str(server.ledger.requests[0])


def test_usage_that_is_missing_is_said(play: Open) -> None:
    model, _, _ = play(Say("a", missing_usage=("all",)), Say("b"))
    silent = model.answer(ASK, deadline=10)
    assert silent.usage == Usage()
    assert not silent.tries[0].usage_reported
    assert model.answer(ASK, deadline=10).tries[0].usage_reported


FIELDS = {
    "anthropic": ("input_tokens", "output_tokens"),
    "openai-responses": ("input_tokens", "output_tokens"),
    "openai-chat": ("prompt_tokens", "completion_tokens"),
}


@pytest.mark.parametrize("which", [0, 1])
def test_one_missing_field_of_usage_is_said_and_the_others_count(
    play: Open, wire: str, which: int
) -> None:
    model, _, _ = play(Say("a", missing_usage=(FIELDS[wire][which],)))
    answer = model.answer(ASK, deadline=10)
    assert not answer.tries[0].usage_reported
    assert (answer.usage.fresh_input, answer.usage.output) == ((0, 5), (11, 0))[which]


@pytest.mark.parametrize(
    ("total", "reasoning", "output"),
    [
        (1103, 94, 103),  # as xAI counts: reasoning beside the completion
        (1009, 4, 9),
        (1103, None, 103),  # as Gemini does, which does not tell what it was
        (None, 94, 94),
        (500, None, 9),  # nonsense
    ],
)
def test_reasoning_is_a_part_of_the_output_wherever_a_server_counts_it(
    total: int | None, reasoning: int | None, output: int
) -> None:
    told = {
        "prompt_tokens": 1000, "completion_tokens": 9, "total_tokens": total,
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    }  # fmt: skip
    usage, is_told = of_openai(told, "prompt", "completion")
    assert is_told
    assert usage == Usage(fresh_input=1000, output=output, reasoning=reasoning or 0)


def test_concurrency_is_cut_by_429_only(play: Open) -> None:
    model, _, _ = play(Fail(500), Fail(529), Say("a"), Fail(429), Say("b"), max_concurrency=8)
    model.answer(ASK, deadline=60)
    assert model._gate.limit == 8
    model.answer(ASK, deadline=60)
    assert model._gate.limit == 4


def test_a_server_error_raises_nothing(play: Open) -> None:
    model, _, _ = play(Fail(429), *[Fail(500)] * 6, Say("a"), max_concurrency=4)
    model.answer(ASK, deadline=1000)
    assert model._gate.limit == 2


def test_models_of_one_provider_share_its_places(wire: str) -> None:
    gates = Gates()

    def opened(**more: Any) -> AskingModel:
        config = ModelConfig(**{"wire": wire, "model": "m", "context_tokens": 10} | more)
        with closing(open_model("m", config, gates=gates)) as model:
            return model

    one, other = opened(max_concurrency=8), opened(model="n", max_concurrency=3)
    assert one._gate is other._gate
    assert one._gate.limit == one._gate.most == 3
    assert opened(base_url="http://127.0.0.1:9")._gate is not one._gate


def test_waiting_for_a_place_is_told_and_takes_nothing_from_the_request(play: Open) -> None:
    moves = Say("a", after=0.8), Fail(500, "2.4"), Say("b")
    model, server, _ = play(*moves, max_concurrency=1)
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(model.answer, ASK, deadline=3.0) for _ in range(2)]
        tries = [one for each in asked for one in each.result().tries]
    assert server.ledger.most_at_once == 1
    assert max(one.waited for one in tries) > 0.2
    assert len(tries) == 3


def test_concurrency_is_raised_slowly(play: Open) -> None:
    model, _, _ = play(Fail(429), *[Say("a")] * 9, max_concurrency=4)
    limits = []
    for _ in range(9):
        model.answer(ASK, deadline=60)
        limits.append(model._gate.limit)
    assert limits == [2, 3, 3, 3, 4, 4, 4, 4, 4]


OFFICIAL = {
    "anthropic": "https://api.anthropic.com",
    "openai-responses": "https://api.openai.com/v1",
    "openai-chat": "https://api.openai.com/v1",
}


def test_no_variable_of_the_shell_says_where_a_model_is_asked(
    wire: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its key would go there, and no plan would show it."""
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    config = ModelConfig(wire=wire, model="m", context_tokens=10)
    with closing(open_model("m", config)) as model:
        assert str(model._wire._client.base_url).rstrip("/") == OFFICIAL[wire]


def test_no_variable_of_the_shell_is_laid_over_a_request(
    play: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = "X-Other-Key: sk-other\nAuthorization: Bearer sk-other"
    for name in ("ANTHROPIC_CUSTOM_HEADERS", "OPENAI_CUSTOM_HEADERS"):
        monkeypatch.setenv(name, told)
    model, server, _ = play(Say("a"))
    model.answer(ASK, deadline=10)
    assert "sk-other" not in str(server.ledger.headers)
    assert os.environ["OPENAI_CUSTOM_HEADERS"] == told


def test_no_variable_of_the_shell_names_an_account_to_a_server(
    play: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "of-the-shell")
    model, server, _ = play(Say("a"))
    model.answer(ASK, deadline=10)
    assert "of-the-shell" not in str(server.ledger.headers)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_server_on_this_machine_is_asked_through_no_proxy(
    play: Open, wire: str, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """The shell's proxy is for what lies beyond, and would see the study."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with scripted([Say("from here")]) as server:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        address = server.base_url(wire).replace("127.0.0.1", host)
        model, _, _ = play(base_url=address)
        assert model.answer(ASK, deadline=10).message.text == "from here"


def test_a_missing_key_names_its_variable(wire: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCRIPTED_KEY", raising=False)
    config = ModelConfig(wire=wire, model="m", context_tokens=10, key_env="SCRIPTED_KEY")
    with pytest.raises(BadInput, match="SCRIPTED_KEY"):
        open_model("m", config)


def test_a_changed_copy_of_a_message_is_written_as_it_is() -> None:
    message = user(Text(text="a"))
    assert '"a"' in message.json_text
    changed = message.model_copy(update={"parts": (Text(text="b"),)})
    assert changed.json_text == changed.model_dump_json()


def test_the_parts_of_a_message_are_read_by_kind() -> None:
    call = ToolCall(id="1", name="bash", arguments={}, raw="{}")
    message = Message(role="assistant", parts=(Text(text="a"), call, Text(text="b")))
    assert (message.text, message.tool_calls) == ("a\nb", (call,))
