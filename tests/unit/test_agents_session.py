"""Sessions and conversations: nothing is asked beyond a limit, nothing is asked uncounted."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.agents.conversation import Conversation, DoesNotFit
from harness.agents.reporting import reported
from harness.agents.session import Ended, Ending, Limits, Session, request_digest
from harness.agents.spend import Spend
from harness.analysis.estimate.cost import CAPPED
from harness.errors import BadInput, BudgetSpent, DiskFull, ModelFailed, ModelRefused, PromptRefused
from harness.llm import Answer, Message, Part, Request, Text, ToolResult, Usage
from harness.llm.arguments import read_call
from harness.llm.prices import Price, Tier
from harness.llm.protocol import Try
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
        except BudgetSpent:
            return f"study_{session.spend.reached}", len(session.calls)
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
        (Limits(tokens=800), "tokens", 6),
        (Limits(output_tokens=20), "output_tokens", 2),
        (Limits(usd=0.0008), "usd", 3),
        (Limits(seconds=20), "seconds", 3),
        (Limits(wall_seconds=20), "wall_seconds", 3),
        (Limits(), "never", 20),
    ],
)
def test_each_limit_ends_the_work(limits: Limits, ending: str, calls: int) -> None:
    clock = ticking(1.0 if "seconds" in ending else 0.0)
    session = Session(ScriptedModel(lambda _: says("go on")), PRICE, limits, clock=clock)
    assert until_ended(session) == (ending, calls)
    assert session.usage.input_tokens + session.usage.output <= (limits.tokens or 1e9)
    assert (session.cost_usd or 0) <= (limits.usd or 1e9)


@pytest.mark.parametrize("limits", [Limits(usd=0.01), Limits(tokens=9_000)])
def test_what_would_pass_a_limit_of_the_trial_is_not_asked(limits: Limits) -> None:
    model = ScriptedModel(lambda _: says("go on"))
    session, words = Session(model, PRICE, limits), talk()
    session.ask(words)
    words.say(Message(role="user", parts=(Text(text="z" * 30_000),)))
    with pytest.raises(Ended, match="usd" if limits.usd else "tokens"):
        session.ask(words)
    assert len(model.requests) == len(session.calls) == 1


def test_every_ending_before_an_agent_is_done_counts_as_a_cap() -> None:
    assert {*CAPPED} == {*get_args(Ending)} - {"submitted", "stopped", "refusal"}


def test_waiting_for_a_rate_limit_is_no_working_time() -> None:
    waited = answer([Text(text="x")])
    waited = waited.model_copy(
        update={"tries": (waited.tries[0].model_copy(update={"waited": 100.0}),)}
    )
    clock = ticking(1.0)
    session = Session(ScriptedModel(lambda _: waited), None, Limits(seconds=50), clock=clock)
    assert until_ended(session)[0] == "never"


def test_a_study_waits_for_what_is_in_flight_and_stops_at_what_is_spent() -> None:
    """Two calls at once are one too many; the first takes less than it may, and the second goes."""
    inside, go = threading.Event(), threading.Event()

    def slow(_: Request) -> Answer:
        inside.set()
        assert go.wait(10)
        return says("done")

    most = PRICE.most(talk().estimate(talk().request()), 64)
    spend = Spend({"usd": most * 1.5})
    model, cost = ScriptedModel(slow), PRICE.of(Usage(fresh_input=100, output=10))
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(Session(model, PRICE, Limits(), spend).ask, talk())]
        assert inside.wait(10)
        late = Session(model, PRICE, Limits(wall_seconds=0.1), spend)
        assert until_ended(late) == ("wall_seconds", 0)
        asked.append(pool.submit(Session(model, PRICE, Limits(), spend).ask, talk()))
        time.sleep(0.1)
        assert len(model.requests) == 1
        go.set()
        assert [one.result(10).message.text for one in asked] == ["done", "done"]
    assert spend.reached is None
    assert spend.spent["usd"] == pytest.approx(2 * cost)
    spend.add({"usd": most * 0.5})
    assert until_ended(Session(model, PRICE, Limits(), spend)) == ("study_usd", 0)
    assert spend.reached == "usd"


def test_what_no_server_reported_counts_as_the_most_for_a_study() -> None:
    silent = Try(status="timeout", http_status=None, seconds=1.0, usage_reported=False)
    said = says("on")
    session = Session(
        ScriptedModel([said.model_copy(update={"tries": (silent, silent, *said.tries)})]),
        PRICE, Limits(), Spend(),
    )  # fmt: skip
    words = talk()
    tokens = words.estimate(words.request())
    session.ask(words)
    reported = PRICE.of(Usage(fresh_input=100, output=10))
    assert session.cost_usd == pytest.approx(reported)
    assert session.spend.spent["turns"] == 1
    assert session.spend.spent["tokens"] == 110 + 2 * (tokens + 64)
    assert session.spend.spent["output_tokens"] == 10 + 2 * 64
    assert session.spend.spent["usd"] == pytest.approx(reported + 2 * PRICE.most(tokens, 64))


def test_what_has_no_price_though_its_model_has_counts_as_the_most_it_can_cost() -> None:
    """A server wrote to a long-lived cache, unasked."""
    usage = Usage(cache_write=100, cache_write_long=100, output=10)
    session = Session(
        ScriptedModel([answer([Text(text="x")], usage=usage)]), PRICE, Limits(), Spend()
    )
    words = talk()
    most = PRICE.most(words.estimate(words.request()), 64)
    session.ask(words)
    assert session.cost_usd is None  # the records know no more than they did
    assert session.spend.spent["usd"] == session.own.spent["usd"] == pytest.approx(most)


@pytest.mark.parametrize(
    ("limits", "ending", "calls"),
    [
        ({"turns": 3}, "study_turns", 3),
        ({"tokens": 600}, "study_tokens", 4),
        ({"output_tokens": 100}, "study_output_tokens", 4),
        ({"turns": None, "usd": None}, "never", 20),
    ],
)
def test_each_limit_of_a_study_stops_before_it_is_passed(
    limits: dict[str, float | None], ending: str, calls: int
) -> None:
    """Two trials, one after the other: the second finds less."""
    spend = Spend(limits)
    ended = [
        until_ended(Session(ScriptedModel(lambda _: says("go on")), None, Limits(), spend), most)
        for most in (2, 20)
    ]
    assert ended[0] == ("never", 2)
    assert (ended[1][0], ended[1][1] + 2 * (ending != "never")) == (ending, calls)
    assert all(spend.spent[name] <= (limit or 1e9) for name, limit in limits.items())


@pytest.mark.parametrize("limit", ["agent_seconds", "wall_seconds"])
def test_a_study_asks_nothing_once_its_time_is_passed(limit: str) -> None:
    """The last call may pass it."""
    now = 0.0

    def answers(_: Request) -> Answer:
        nonlocal now
        now += 10.0
        return says("on")

    spend = Spend({limit: 25.0}, clock=lambda: now)
    ended = [
        until_ended(
            Session(ScriptedModel(answers), None, Limits(), spend, clock=lambda: now), most=2
        )
        for _ in range(3)
    ]
    assert ended == [("never", 2), (f"study_{limit}", 1), (f"study_{limit}", 0)]
    assert spend.spent[limit] == 30.0


def test_a_study_counts_what_is_worked_behind_the_last_answer_and_no_wait() -> None:
    now = 0.0

    def answers(_: Request) -> Answer:
        nonlocal now
        now += 30.0
        said = says("on")
        return said.model_copy(
            update={"tries": (said.tries[0].model_copy(update={"waited": 25.0}),)}
        )

    def work() -> None:
        nonlocal now
        session.ask(words)
        now += 100.0

    words = talk()
    session = Session(ScriptedModel(answers), None, Limits(), clock=lambda: now)
    reported("s", session, words, (), work)
    assert session.spend.spent["agent_seconds"] == 105.0


def test_what_a_study_has_spent_is_kept_before_a_request_and_after_it() -> None:
    kept: list[Mapping[str, float]] = []
    meanwhile: list[Mapping[str, float]] = []
    now = 0.0

    def answers(_: Request) -> Answer:
        nonlocal now
        now += 3.0
        meanwhile.append(kept[-1])
        return says("on")

    spend = Spend(clock=lambda: now)
    taken = {"usd": 2.0, "turns": 3, "tokens": 1000, "output_tokens": 50}
    spend.go_on(taken | {"agent_seconds": 9.0, "wall_seconds": 70.0}, kept.append)
    words = talk()
    tokens = words.estimate(words.request())
    Session(ScriptedModel(answers), PRICE, Limits(), spend, clock=lambda: now).ask(words)
    (held,) = meanwhile
    assert held == {
        "usd": 2.0 + PRICE.most(tokens, 64),
        "turns": 4,
        "tokens": 1000 + tokens + 64,
        "output_tokens": 50 + 64,
        "agent_seconds": 9.0,
        "wall_seconds": 70.0,
    }
    assert kept == [held, spend.spent]
    assert (spend.spent["turns"], spend.spent["tokens"]) == (4, 1110)
    assert (spend.spent["agent_seconds"], spend.spent["wall_seconds"]) == (12.0, 73.0)


def test_where_spending_cannot_be_kept_nothing_is_sent_and_no_answer_is_lost() -> None:
    is_full = False

    def keep(amounts: Mapping[str, float]) -> None:
        if is_full:
            raise DiskFull("no room")

    def answers(_: Request) -> Answer:
        nonlocal is_full
        is_full = True
        return says("on")

    spend, model, words = Spend({"turns": 2}), ScriptedModel(answers), talk()
    spend.go_on({}, keep)
    session = Session(model, None, Limits(), spend)
    assert session.ask(words).message.text == "on"
    with pytest.raises(DiskFull, match="no room"):
        session.ask(words)
    assert (len(model.requests), len(session.calls), spend.spent["turns"]) == (1, 1, 1)
    is_full = False
    session.ask(words)  # what was not sent holds nothing back
    assert len(model.requests) == 2


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


def test_what_a_failed_call_was_asked_is_told_once() -> None:
    session, words = Session(ScriptedModel([says("a"), fails()]), None, Limits()), talk()

    def work() -> None:
        session.ask(words)
        words.say(Message(role="user", parts=(Text(text="second"),)))
        session.ask(words)

    told = json.loads(reported("tool_loop", session, words, [], work).trajectory)
    asked = [[m["parts"][0]["text"] for m in call["new_messages"]] for call in told["calls"]]
    assert (asked, told["closing"]) == ([["do it"], ["second"]], [])


def test_a_call_has_no_more_time_than_its_trial() -> None:
    model = ScriptedModel([says("a"), says("b")])
    for limits in (Limits(seconds=7.0, call_seconds=30.0), Limits(wall_seconds=5.0)):
        Session(model, None, limits, clock=ticking(0.0)).ask(talk())
    assert model.deadlines == [7.0, 5.0]


def test_an_overflow_told_by_the_server_ends_the_work() -> None:
    session = Session(ScriptedModel([fails(overflow=True)]), PRICE, Limits())
    assert until_ended(session) == ("context", 1)


def test_a_policy_that_forbids_the_request_ends_the_work_as_a_refusal() -> None:
    refused = PromptRefused("flagged", fails().tries)
    assert until_ended(Session(ScriptedModel([refused]), PRICE, Limits())) == ("refusal", 1)


def asked(part: Part) -> str:
    message = Message(role="user", parts=(part,))
    return request_digest(Request(system="s", messages=(message,), max_output_tokens=1))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3 passed in 0.31s", "3 passed in 12.4s"),
        ("slowest:\n12 ms a\n\t0.5s b\r3 seconds", "slowest:\n13 ms a\n\t0.7s b\r4 seconds"),
        ("-rw-r--r-- 1 agent 10 Nov 29 10:03 a", "-rw-r--r-- 1 agent 10 Nov 29 10:04 a"),
        ("Started server process [17]", "Started server process [912]"),
        ("http://127.0.0.1:40123/health", "http://127.0.0.1:51234/health"),
        ("listening on port 40123", "listening on port 51234"),
        ("<object at 0x7f00aa>", "<object at 0x7f00ab>"),
    ],
)
def test_what_differs_from_run_to_run_changes_no_question_in_what_tools_said(
    one: str, other: str
) -> None:
    assert asked(ToolResult(call_id="c", text=one)) == asked(ToolResult(call_id="c", text=other))
    assert asked(Text(text=one)) != asked(Text(text=other))


def test_another_result_is_another_question() -> None:
    for text in ("{} passed in 0.31s", "found:\n{} shelves", "n{}s", "\n{} m"):
        one, other = (ToolResult(call_id="c", text=text.format(n)) for n in (3, 4))
        assert asked(one) != asked(other), text


def refusing(*before: Try) -> ModelRefused:
    """A key that is no longer taken, after other tries."""
    refused = Try(status="rejected", http_status=403, seconds=0.1)
    return ModelRefused("HTTP 403", (*before, refused))


def test_a_key_that_fails_later_costs_the_trial_and_not_its_record() -> None:
    """The first call of a trial stops the sweep; later ones have paid for something."""
    with pytest.raises(ModelRefused):
        Session(ScriptedModel([refusing()]), PRICE, Limits()).ask(talk())
    session = Session(ScriptedModel([says("x"), refusing()]), PRICE, Limits())
    session.ask(talk())
    with pytest.raises(ModelFailed, match="HTTP 403"):
        session.ask(talk())
    assert len(session.calls) == 2
    assert session.cost_usd == pytest.approx(150e-6)


def test_what_was_paid_before_a_key_failed_is_kept_in_a_first_call_too() -> None:
    used = Usage(fresh_input=5000, output=700)
    broken = Try(status="malformed", http_status=200, seconds=0.1, usage=used)
    session = Session(ScriptedModel([refusing(broken)]), PRICE, Limits())
    with pytest.raises(ModelFailed, match="HTTP 403"):
        session.ask(talk())
    assert [one.status for one in session.calls[0].tries] == ["malformed", "rejected"]
    assert session.cost_usd == pytest.approx(PRICE.of(used))


def test_what_was_paid_is_reported_where_what_the_study_spent_cannot_be_kept() -> None:
    session = Session(ScriptedModel([says("x")]), PRICE, Limits())

    def work() -> None:
        raise BadInput("results/x/spending.json: cannot be written: Permission denied")

    session.ask(talk())
    report = reported("tool_loop", session, talk(), (), work)
    assert [call.cost_usd for call in report.calls] == [session.cost_usd]
    assert isinstance(report.failure, BadInput)


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
