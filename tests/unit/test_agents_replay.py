"""A record plays again to where it ended, whatever ended it."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from harness.agents.conversation import Conversation
from harness.agents.protocol import Assignment
from harness.agents.replay import Recorded
from harness.agents.reporting import reported
from harness.agents.session import Ended, Limits, Session
from harness.agents.trajectory import read_trajectory
from harness.errors import ContextOverflow, ModelFailed, SandboxError
from harness.llm import Message, Text
from harness.llm.prices import Price, Tier
from harness.llm.replay import Diverged
from harness.pairs import load_pairs
from harness.paths import Checkout
from harness.tasks import load_tasks
from tests.wire.scripted import ScriptedModel, fails, says

CHECKOUT = Checkout(Path(__file__).parents[2])
ASSIGNMENT = Assignment(
    load_tasks(CHECKOUT, load_pairs(CHECKOUT), ["atelier/members-price"])[0], "one", "t", 1, 60.0
)
PRICE = Price((Tier(1.0, 0.1, 1.25, 5.0),), "test", "2026-01-01")
LATE = iter(range(10**6))


def user(text: str) -> Message:
    return Message(role="user", parts=(Text(text=text),))


def talk(budget: int = 32_768) -> Conversation:
    made = Conversation("system", (), budget, 64)
    made.say(user("do it"))
    return made


def worked(session: Session, words: Conversation, most: int = 5) -> str:
    """The trajectory of a scaffold that asks for more, at most so often."""

    def work() -> None:
        for _ in range(most):
            session.ask(words)
            words.say(user("more " * 50))
        raise Ended("stopped")

    return reported("loop", session, words, [], work).trajectory


def minutes() -> float:
    return 60.0 * next(LATE)


RECORDED: dict[str, Any] = {
    "stopped": lambda: Session(ScriptedModel(lambda _: says("on")), PRICE, Limits()),
    "turns": lambda: Session(ScriptedModel(lambda _: says("on")), PRICE, Limits(turns=2)),
    "tokens": lambda: Session(ScriptedModel(lambda _: says("on")), PRICE, Limits(tokens=500)),
    "output_tokens": lambda: Session(
        ScriptedModel(lambda _: says("on")), PRICE, Limits(output_tokens=20)
    ),
    "usd": lambda: Session(ScriptedModel(lambda _: says("on")), PRICE, Limits(usd=0.001)),
    "seconds": lambda: Session(
        ScriptedModel(lambda _: says("on")), PRICE, Limits(seconds=600), clock=minutes
    ),
    "wall_seconds": lambda: Session(
        ScriptedModel(lambda _: says("on")), PRICE, Limits(wall_seconds=600), clock=minutes
    ),
    "context": lambda: Session(
        ScriptedModel([says("on"), says("on"), fails(overflow=True)]), PRICE, Limits()
    ),
}


@pytest.mark.parametrize("ending", RECORDED)
def test_a_record_ends_again_as_it_ended(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "trajectory.json"
    path.write_text(worked(RECORDED[ending](), talk()))
    first = read_trajectory(path)
    assert first.ending == ending
    assert 0 < len(first.calls) <= 5
    path.write_text(worked(Recorded(first).open(ASSIGNMENT), talk()))
    second = read_trajectory(path)
    assert (second.ending, second.failure) == (ending, None)
    told = [call.request_digest for call in first.calls]
    assert [call.request_digest for call in second.calls] == told
    assert second.closing == first.closing


@pytest.mark.parametrize("ending", ["study_usd", "tokens"])
def test_a_record_of_an_earlier_version_ends_where_it_ended(tmp_path: Path, ending: str) -> None:
    """Limits were looked at after a call then, and a study's ended a trial that was scored."""
    path = tmp_path / "trajectory.json"
    limits = Limits(tokens=250)
    told = json.loads(worked(Session(ScriptedModel([says("on")] * 3), PRICE, Limits()), talk(), 3))
    path.write_text(json.dumps(told | {"ending": ending, "limits": asdict(limits)}))
    again = worked(Recorded(read_trajectory(path)).open(ASSIGNMENT), talk())
    path.write_text(again)
    second = read_trajectory(path)
    assert (second.ending, second.failure, len(second.calls)) == (ending, None, 3)


def test_a_call_without_an_answer_fails_again(tmp_path: Path) -> None:
    path = tmp_path / "trajectory.json"
    path.write_text(worked(Session(ScriptedModel([says("on"), fails()]), PRICE, Limits()), talk()))
    recorded = read_trajectory(path)
    session, words = Recorded(recorded).open(ASSIGNMENT), talk()
    session.ask(words)
    words.say(user("more " * 50))
    with pytest.raises(ModelFailed, match="no answer") as failed:
        session.ask(words)
    assert not isinstance(failed.value, ContextOverflow)
    assert failed.value.tries == recorded.calls[1].tries != ()


def test_a_record_that_was_broken_off_loses_its_replay_there(tmp_path: Path) -> None:
    session, words, path = RECORDED["stopped"](), talk(), tmp_path / "trajectory.json"

    def work() -> None:
        session.ask(words)
        raise SandboxError("the sandbox is gone")

    path.write_text(reported("loop", session, words, [], work).trajectory)
    recorded = read_trajectory(path)
    assert (recorded.ending, recorded.failure) == (None, "the sandbox is gone")
    path.write_text(worked(Recorded(recorded).open(ASSIGNMENT), talk()))
    second = read_trajectory(path)
    assert (second.ending, len(second.calls)) == (None, 1)
    assert second.failure == "replay of t: its record was broken off here"


def test_a_question_beyond_the_record_or_unlike_it_is_told(tmp_path: Path) -> None:
    path = tmp_path / "trajectory.json"
    path.write_text(worked(RECORDED["stopped"](), talk(), most=2))
    recorded = read_trajectory(path)
    session, words = Recorded(recorded).open(ASSIGNMENT), talk()
    for _ in range(2):
        session.ask(words)
        words.say(user("more " * 50))
    with pytest.raises(Diverged, match="call 3: only 2 were recorded"):
        session.ask(words)
    session, words = Recorded(recorded).open(ASSIGNMENT), talk()
    session.ask(words)
    words.say(user("something else"))
    with pytest.raises(Diverged, match="call 2: the first that differs"):
        session.ask(words)
