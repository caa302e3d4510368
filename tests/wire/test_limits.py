"""Limits of trials and studies, held over real wires: in the middle of a call, and try by try."""

import threading
import time
from pathlib import Path
from typing import Any, cast

import pytest

from harness.agents import AgentReport
from harness.agents.conversation import Conversation
from harness.agents.protocol import Assignment
from harness.agents.replay import Recorded
from harness.agents.reporting import reported
from harness.agents.session import Ended, Limits, Session
from harness.agents.spend import Spend
from harness.agents.trajectory import read_trajectory
from harness.errors import BudgetSpent, ModelFailed, ModelRefused
from harness.llm import Text
from harness.llm.prices import Price, Tier
from harness.rows import _calls
from tests.wire.asking import ASK, Open, user
from tests.wire.moves import Fail, Say, Stall, Tokens
from tests.wire.test_storm import FACTS

PRICE = Price((Tier(10.0, 1.0, 12.5, 50.0),), "test", "2026-01-01")
BROKEN = Say("x", broken=True, tokens=Tokens(fresh=5000, output=700))
REPLAYED = cast("Assignment", type("_", (), {"variant": "t"}))


def talk() -> Conversation:
    made = Conversation("s" * 2900, (), 30_000, 1000)
    made.say(user(Text(text="hi")))
    return made


def most() -> float:
    """USD that one try of the first question can cost."""
    return PRICE.most(talk().estimate(talk().request()), 1000)


def worked(session: Session) -> AgentReport:
    """The report of a scaffold that asks for more and more."""
    words = talk()

    def work() -> None:
        while True:
            session.ask(words)
            words.say(user(Text(text="more")))

    return reported("loop", session, words, [], work)


def again(report: AgentReport, folder: Path) -> AgentReport:
    """The report of the same work, played again."""
    path = folder / "trajectory.json"
    path.write_text(report.trajectory)
    return worked(Recorded(read_trajectory(path)).open(REPLAYED))


@pytest.mark.parametrize("limits", [Limits(seconds=0.6), Limits(wall_seconds=0.6)])
def test_time_that_runs_out_in_a_call_ends_the_trial_in_words(
    play: Open, limits: Limits, tmp_path: Path
) -> None:
    """It is no failure of the provider, which would be tried and paid for again."""
    model, server, _ = play(Say("go"), Stall(3), Say("never"))
    report = worked(Session(model, None, limits))
    ending = "seconds" if limits.wall_seconds is None else "wall_seconds"
    assert (report.ending, report.failure, len(report.calls)) == (ending, None, 2)
    assert report.calls[1].answer is None
    assert [one.status for one in report.calls[1].tries] == ["timeout"]
    assert len(server.ledger.requests) == 2
    replayed = again(report, tmp_path)
    assert (replayed.ending, replayed.failure, len(replayed.calls)) == (ending, None, 2)


def test_a_wait_for_a_rate_limit_may_be_longer_than_the_working_time(play: Open) -> None:
    model, _, _ = play(Fail(429, "1.5"), Say("ok"))
    session = Session(model, None, Limits(seconds=1.0))
    assert session.ask(talk()).message.text == "ok"
    assert session.seconds_left > 0  # what was waited for counts for nothing


def test_a_wait_beyond_the_wall_time_ends_the_trial_at_once(play: Open) -> None:
    model, _, waits = play(Fail(429, "30"), Say("never"))
    report = worked(Session(model, None, Limits(wall_seconds=20.0)))
    assert (report.ending, report.failure, waits) == ("wall_seconds", None, [0.0])
    assert [one.status for one in report.calls[0].tries] == ["rate_limited"]


def test_a_pause_beyond_the_wall_time_ends_the_other_trials_at_once_too(play: Open) -> None:
    model, server, _ = play(Say("never"))
    model._gate.pause(30.0)
    start = time.monotonic()
    report = worked(Session(model, None, Limits(wall_seconds=20.0)))
    assert time.monotonic() - start < 2
    assert (report.ending, report.calls, server.ledger.requests) == ("wall_seconds", (), [])


def test_a_place_is_waited_for_no_longer_than_the_wall_time(play: Open) -> None:
    model, server, _ = play(Say("a", after=3.0), Say("never"), max_concurrency=1)
    other = threading.Thread(target=lambda: model.answer(ASK, deadline=60))
    other.start()
    while not server.ledger.inside:
        time.sleep(0.01)
    start = time.monotonic()
    report = worked(Session(model, None, Limits(wall_seconds=0.3)))
    assert time.monotonic() - start < 2
    assert (report.ending, report.calls, len(server.ledger.requests)) == ("wall_seconds", (), 1)
    assert report.idle == pytest.approx(0.3, abs=0.2)
    other.join()


@pytest.mark.parametrize("usd", [0.2, 0.3])
def test_every_try_of_a_call_is_held_against_the_study(play: Open, usd: float) -> None:
    model, server, _ = play(*[BROKEN] * 8)
    spend = Spend({"usd": usd})
    with pytest.raises(BudgetSpent, match="study_usd"):
        Session(model, PRICE, Limits(), spend).ask(talk())
    asked = len(server.ledger.requests)
    assert 1 < asked < 5
    assert spend.spent["turns"] == 1
    assert usd - most() < spend.spent["usd"] <= usd


def test_every_try_of_a_call_is_held_against_the_trial(play: Open, tmp_path: Path) -> None:
    model, _, _ = play(*[BROKEN] * 8)
    report = worked(Session(model, PRICE, Limits(usd=0.2)))
    assert (report.ending, report.failure, len(report.calls)) == ("usd", None, 1)
    assert 1 < len(report.calls[0].tries) < 8
    assert (report.calls[0].cost_usd or 0) <= 0.2
    assert again(report, tmp_path).ending == "usd"


def test_a_study_whose_requests_fail_waits_for_nobody_for_ever(play: Open) -> None:
    """Calls that need several tries, and room for one at once: each gives back what it held."""
    moves = [Fail(500), BROKEN, Say("a")] * 6
    model, _, _ = play(*moves)
    spend = Spend({"usd": most() * 1.5 + 18 * 0.09})
    threads = [
        threading.Thread(target=Session(model, PRICE, Limits(), spend).ask, args=(talk(),))
        for _ in range(6)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert not any(each.is_alive() for each in threads)
    assert (spend.reached, spend.spent["turns"]) == (None, 6)


def test_what_was_paid_before_a_key_was_refused_is_in_the_records(play: Open) -> None:
    model, server, _ = play(Say("one"), BROKEN, Fail(403))
    report = worked(Session(model, PRICE, Limits()))
    assert isinstance(report.failure, ModelFailed)
    _, record = _calls(FACTS, report)
    assert (record.status, record.tries, record.usage_reported) == ("rejected", 2, True)
    assert record.fresh_input_tokens + 11 == server.ledger.told["fresh"]
    assert record.output_tokens + 5 == server.ledger.told["output"]
    assert record.cost_usd == pytest.approx(0.085)


def test_a_key_that_is_refused_at_once_stops_the_sweep(play: Open) -> None:
    model, _, _ = play(Fail(403))
    with pytest.raises(ModelRefused) as refused:
        Session(model, PRICE, Limits()).ask(talk())
    assert [one.http_status for one in refused.value.tries] == [403]


def test_what_the_policy_forbids_ends_as_a_refusal(play: Open, tmp_path: Path) -> None:
    flagged: Any = Fail(400, told="invalid_prompt: your prompt was flagged")
    model, server, _ = play(Say("go"), flagged)
    report = worked(Session(model, None, Limits()))
    assert (report.ending, report.failure, len(report.calls)) == ("refusal", None, 2)
    assert len(server.ledger.requests) == 2
    assert again(report, tmp_path).ending == "refusal"


def test_a_session_that_was_stopped_is_stopped_again(play: Open) -> None:
    model, server, _ = play(Say("a"))
    session = Session(model, None, Limits(turns=1))
    words = talk()
    session.ask(words)
    words.say(user(Text(text="more")))
    for _ in range(2):
        with pytest.raises(Ended, match="turns"):
            session.ask(words)
    assert len(server.ledger.requests) == 1
