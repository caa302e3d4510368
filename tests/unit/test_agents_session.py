"""Sessions and conversations: nothing is asked beyond a limit, nothing is asked uncounted."""

import threading
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.agents.conversation import Conversation, DoesNotFit
from harness.agents.session import Ended, Limits, Session, Spend, request_digest
from harness.errors import ModelFailed
from harness.llm import Message, Part, Request, Text, ToolResult, Usage
from harness.llm.arguments import read_call
from harness.llm.prices import Price, Tier
from tests.wire.scripted import ScriptedModel, answer, fails, says

PRICE = Price((Tier(1.0, 0.1, 1.25, 5.0),), "test", "2026-01-01")


def talk(budget: int = 32_768, out: int = 64) -> Conversation:
    made = Conversation("system", (), budget, out)
    made.say(Message(role="user", parts=(Text(text="do it"),)))
    return made


def until_ended(session: Session, most: int = 20) -> tuple[str, int]:
    """How a session ends that is asked again and again, and after how many calls."""
    words = talk()
    for _ in range(most):
        try:
            session.ask(words)
        except Ended as end:
            return end.ending, len(session.calls)
        words.say(Message(role="user", parts=(Text(text="more"),)))
    return "never", len(session.calls)


def ticking(step: float) -> Callable[[], float]:
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += step
        return now

    return clock


@pytest.mark.parametrize(
    ("limits", "ending", "calls"),
    [
        (Limits(turns=3), "turns", 3),
        (Limits(tokens=250), "tokens", 3),
        (Limits(output_tokens=20), "output_tokens", 2),
        (Limits(usd=0.0002), "usd", 2),
        (Limits(seconds=10), "seconds", 3),
        (Limits(), "never", 20),
    ],
)
def test_each_limit_ends_the_work(limits: Limits, ending: str, calls: int) -> None:
    clock = ticking(1.0) if ending == "seconds" else ticking(0.0)
    session = Session(ScriptedModel(lambda _: says("go on")), PRICE, limits, clock=clock)
    assert until_ended(session) == (ending, calls)


def test_waiting_for_a_rate_limit_is_no_working_time() -> None:
    waited = answer([Text(text="x")])
    waited = waited.model_copy(
        update={"tries": (waited.tries[0].model_copy(update={"waited": 100.0}),)}
    )
    clock = ticking(10.0)
    session = Session(ScriptedModel(lambda _: waited), None, Limits(seconds=50), clock=clock)
    assert until_ended(session)[0] == "never"


def test_the_study_stops_hard_with_what_is_in_flight() -> None:
    """Two calls at once are one too many: the second sees the first one's reservation."""
    inside, go = threading.Event(), threading.Event()

    def slow(_: Request) -> object:
        inside.set()
        assert go.wait(10)
        return says("done")

    most = PRICE.most(talk().estimate(talk().request()), 64)
    spend = Spend(limit=most * 1.5)
    sessions = [Session(ScriptedModel(slow), PRICE, Limits(), spend) for _ in range(2)]
    first = threading.Thread(target=lambda: sessions[0].ask(talk()))
    first.start()
    assert inside.wait(10)
    with pytest.raises(Ended, match="study_usd"):
        sessions[1].ask(talk())
    go.set()
    first.join()
    assert spend.is_spent
    assert spend.spent == pytest.approx(PRICE.of(Usage(fresh_input=100, output=10)))


def test_an_unknown_price_is_null_and_never_nothing() -> None:
    session = Session(ScriptedModel([says("a")]), None, Limits())
    session.ask(talk())
    assert session.cost_usd is None
    assert session.calls[0].cost_usd is None


def test_tiers_are_by_the_length_of_the_request() -> None:
    price = Price((Tier(1, 1, 1, 1, up_to=10), Tier(2, 2, 2, 2)), "test", "2026-01-01")
    assert price.of(Usage(fresh_input=10)) == pytest.approx(10e-6)
    assert price.of(Usage(fresh_input=9, cache_read=2)) == pytest.approx(22e-6)


def test_a_failed_call_is_kept_with_its_tries() -> None:
    session = Session(ScriptedModel([fails()]), PRICE, Limits())
    with pytest.raises(ModelFailed):
        session.ask(talk())
    assert [one.status for one in session.calls[0].tries] == ["server_error"]
    assert session.calls[0].answer is None


def test_an_overflow_told_by_the_server_ends_the_work() -> None:
    session = Session(ScriptedModel([fails(overflow=True)]), PRICE, Limits())
    assert until_ended(session) == ("context", 1)


def test_durations_do_not_change_a_question() -> None:
    def asked(text: str) -> str:
        parts = (Text(text=text),)
        message = Message(role="user", parts=parts)
        return request_digest(Request(system="s", messages=(message,), max_output_tokens=1))

    assert asked("3 passed in 0.31s") == asked("3 passed in 12.4s")
    assert asked("3 passed in 0.31s") != asked("4 passed in 0.31s")


turns = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 4000), st.text(max_size=200)), max_size=25
)


@settings(max_examples=200, deadline=None)
@given(turns=turns, budget=st.integers(1_000, 6_000))
def test_a_request_never_exceeds_its_budget_and_no_result_is_without_its_call(
    turns: list[tuple[int, int, str]], budget: int
) -> None:
    words = talk(budget)
    number = 0
    for count, length, text in turns:
        calls, results = [], []
        for _ in range(count):
            number += 1
            calls.append(read_call(f"c{number}", "bash", {"command": text}))
            results.append(ToolResult(call_id=f"c{number}", text="é" * length))
        said: tuple[Part, ...] = (Text(text=text), *calls)
        words.say(Message(role="assistant", parts=said))
        words.say(Message(role="user", parts=(*results, Text(text="go on"))))
        try:
            request = words.request()
        except DoesNotFit:
            return
        assert words.estimate(request) <= budget - 64
        parts = [part for message in request.messages for part in message.parts]
        asked = [p.id for p in parts if p.kind == "tool_call"]
        answered = [p.call_id for p in parts if p.kind == "tool_result"]
        assert asked == answered
        assert request.messages[0].text == "do it"
        assert [m.role for m in request.messages[1:]] == ["assistant", "user"] * (
            len(request.messages) // 2
        )
    assert len(words.said) == 1 + 2 * len(turns)


def test_the_estimate_learns_from_the_server() -> None:
    words = talk()
    request = words.request()
    before = words.estimate(request)
    words.learn(request, before * 3)
    assert words.estimate(request) > before * 3
    words.learn(request, 1)
    assert words.estimate(request) > before * 3
