"""A conversation against a tokenizer: never beyond its budget, and never far below for nothing."""

import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.agents.conversation import Conversation, DoesNotFit
from harness.agents.prompting import render
from harness.agents.session import request_digest
from harness.agents.tools import TOOLS
from harness.llm import Message, Part, Request, Text, Thinking, ToolCall, ToolResult

TOOL_PROMPT = 346
"""Tokens that a provider adds to every request with tools, as some do."""


def user(*parts: Part) -> Message:
    return Message(role="user", parts=parts)


def turn(number: int, result: str, *thoughts: Thinking) -> tuple[Message, Message]:
    """A message of the model with one call, and what answers it."""
    call = ToolCall(id=f"c{number}", name="bash", arguments={}, raw="{}")
    asked = Message(role="assistant", parts=(*thoughts, call))
    return asked, user(ToolResult(call_id=f"c{number}", text=result))


def talk(budget: int, out: int = 4096, bytes_per_token: float = 3.0) -> Conversation:
    made = Conversation(render("tool_loop_system"), TOOLS, budget, out, bytes_per_token)
    made.say(user(Text(text="do it " * 200)))
    return made


def tokens(request: Request, fixed: int, least: float, most: float) -> int:
    """What a tokenizer might count: each message has its own tokens a byte, always the same."""
    texts = [request.system, *(message.measured for message in request.messages)]
    return fixed + int(
        sum(
            len(text.encode()) * (least + (most - least) * (zlib.crc32(text.encode()) % 101) / 100)
            for text in texts
        )
    )


def test_what_a_provider_adds_to_every_request_is_paid_once() -> None:
    """Once it was taken for a rate, by a short first request, and the budget shrank by a third."""
    words, largest = talk(32_768), 0
    for number in range(40):
        request = words.request()
        counted = tokens(request, TOOL_PROMPT, 0.28, 0.28)
        largest = max(largest, counted)
        words.learn(request, counted)
        for message in turn(number, "y" * 4000):
            words.say(message)
    assert words.compactions <= 2
    assert 0.95 * 28_672 < largest <= 28_672


turns = st.lists(st.tuples(st.integers(0, 9000), st.integers(0, 4000)), min_size=1, max_size=40)


@settings(max_examples=150, deadline=None)
@given(
    turns=turns, budget=st.integers(6_000, 20_000), fixed=st.integers(0, 1_000),
    least=st.floats(0.08, 0.3), unit=st.sampled_from(["x", "é", '"', "\n"]),
)  # fmt: skip
def test_no_tokenizer_within_the_promised_bytes_counts_more_than_the_budget(
    turns: list[tuple[int, int]], budget: int, fixed: int, least: float, unit: str
) -> None:
    words = talk(budget, out=500)
    for number, (length, thought) in enumerate(turns):
        try:
            request = words.request()
        except DoesNotFit:
            return
        counted = tokens(request, fixed, least, 1 / words.bytes_per_token)
        assert counted <= budget - 500
        words.learn(request, counted)
        said = Thinking(text="", sealed="t" * thought, is_bound=bool(number % 2))
        for message in turn(number, unit * length, said):
            words.say(message)


@pytest.mark.parametrize("counted", [0, 5])
def test_a_count_that_no_tokenizer_comes_to_is_not_believed(counted: int) -> None:
    """Of a server that counts nothing, or leaves out what it had in its cache."""
    words = talk(32_768)
    request = words.request()
    before = words.estimate(request)
    words.learn(request, counted)
    assert words.estimate(request) == before


def test_a_server_that_forgets_earlier_thinking_is_believed_as_a_whole() -> None:
    words = talk(32_768)
    words.learn(words.request(), 1000)
    for message in turn(1, "x" * 900, Thinking(text="", sealed="t" * 9000)):
        words.say(message)
    words.learn(words.request(), 4000)
    for message in turn(2, "x" * 900):
        words.say(message)
    words.learn(words.request(), 2000)
    assert words.estimate(words.request()) == 2001


def test_what_was_counted_together_is_known_together() -> None:
    """How much of it a part took, nobody told: alone, it is measured by its bytes."""
    words = talk(32_768)
    words.learn(words.request(), 1000)
    asked, answered = turn(1, "x" * 3000)
    for message in (asked, answered):
        words.say(message)
    words.learn(words.request(), 1500)
    assert words.estimate(words.request()) == 1501
    words.messages[2] = user(ToolResult(call_id="c1", text="gone"))
    by_bytes = len(asked.json_text) / 3 + len(words.messages[2].json_text) / 3
    assert words.estimate(words.request()) == int(1001 + by_bytes)


def test_thinking_that_cannot_go_back_fills_no_budget() -> None:
    """Thinking is 3,000 tokens here and a result 1,000: one result makes way, and all the thinking
    after it, which is room for many more turns."""
    words, held = talk(32_768), []
    for number in range(11):
        bound = Thinking(text="t" * 9000, sealed="t" * 9000, is_bound=True)
        for message in turn(number, "y" * 3000, bound):
            words.say(message)
        parts = [part for message in words.request().messages for part in message.parts]
        held.append(sum(isinstance(part, Thinking) for part in parts))
    assert held == [1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5]
    assert words.compactions == 1
    assert str(words.messages).count("left out") == 1
    assert len(words.messages) == 23


def test_thinking_that_is_bound_to_nothing_stays() -> None:
    """Some servers refuse a history whose calls come without their reasoning."""
    words = talk(16_384, out=500)
    for number in range(12):
        for message in turn(number, "y" * 6000, Thinking(text="t", sealed=f"seal {number}")):
            words.say(message)
        words.request()
    assert words.compactions
    calling = [m for m in words.messages if m.tool_calls]
    assert all(isinstance(m.parts[0], Thinking) for m in calling)


def test_thinking_is_measured_once() -> None:
    """What is sealed holds the words, too."""
    words, other = talk(32_768), talk(32_768)
    words.say(turn(1, "x", Thinking(text="s" * 3000, sealed="s" * 3000))[0])
    other.say(turn(1, "x", Thinking(text="", sealed="s" * 3000))[0])
    assert words.estimate(words.request()) == other.estimate(other.request())
    unsealed = talk(32_768)
    unsealed.say(turn(1, "x", Thinking(text="s" * 3000, sealed=""))[0])
    assert unsealed.estimate(unsealed.request()) == other.estimate(other.request())


def reads(*results: str) -> tuple[Message, Message]:
    """A message of the model with several calls, and what answers it."""
    calls = [ToolCall(id=f"r{n}", name="bash", arguments={}, raw="{}") for n in range(len(results))]
    answers = [ToolResult(call_id=f"r{n}", text=text) for n, text in enumerate(results)]
    return Message(role="assistant", parts=tuple(calls)), user(*answers)


def results_of(message: Message) -> list[tuple[str, str]]:
    return [(part.call_id, part.text) for part in message.parts if isinstance(part, ToolResult)]


def test_files_that_are_read_at_once_are_shortened_the_longest_first() -> None:
    """How many an answer can read before 32k are full would depend on the arm."""
    words = talk(32_768, bytes_per_token=2.25)
    file = "".join(f"line {number} of a file is here\n" for number in range(600))
    for message in reads(file, "short\n" * 9, f"{file}the end\n", file, file, file):
        words.say(message)
    (_, whole), (_, short), (_, longest), *_ = shown = results_of(words.request().messages[-1])
    assert [name for name, _ in shown] == ["r0", "r1", "r2", "r3", "r4", "r5"]
    assert short == "short\n" * 9
    head, tail = longest.split("[301 lines left out to stay inside the context budget]\n")
    assert head.splitlines() == file.splitlines()[:150]
    assert tail.splitlines() == [*file.splitlines()[-149:], "the end"]
    assert len(whole) < len(file)
    assert shown[-1] == ("r5", file)
    assert words.compactions == 1
    assert results_of(words.said[-1])[2] == ("r2", f"{file}the end\n")


def test_a_result_of_one_long_line_makes_way_and_leaves_the_others() -> None:
    words = talk(32_768)
    for message in reads("{" * 2**17, "kept\n" * 99):
        words.say(message)
    told = "[1 lines left out to stay inside the context budget]"
    assert results_of(words.request().messages[-1]) == [("r0", told), ("r1", "kept\n" * 99)]


@settings(max_examples=100, deadline=None)
@given(
    sizes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 90)), min_size=1, max_size=9),
    before=st.integers(0, 9_000),
)  # fmt: skip
def test_whatever_is_read_at_once_fits_and_every_call_is_answered(
    sizes: list[tuple[int, int]], before: int
) -> None:
    words = talk(4_000, out=500)
    texts = ["\n".join(["y" * length] * lines) for lines, length in sizes]
    for message in (*turn(1, "x" * before), *reads(*texts)):
        words.say(message)
    *_, asked, answered = words.request().messages
    assert words.fits
    names = [name for name, _ in results_of(answered)]
    assert names == [call.id for call in asked.tool_calls]
    assert all(
        len(told) <= len(text) + 60
        for (_, told), text in zip(results_of(answered), texts, strict=True)
    )


def test_what_is_left_out_is_the_same_question_whatever_its_durations() -> None:
    """9.87s has a sign less than 10.02s: a replay asks the same."""
    asked = []
    for seconds in ("9.87s", "10.02s"):
        words = talk(8_192, out=500)
        for number in range(8):
            for message in turn(number, "." * 3000 + f"\n12 passed in {seconds}\n"):
                words.say(message)
            words.request()
        assert words.compactions
        assert "[2 lines left out to stay inside the context budget]" in str(words.messages)
        asked.append(request_digest(words.request()))
    assert asked[0] == asked[1]
