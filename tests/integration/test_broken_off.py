"""Whatever stops a sweep: what its trials have paid for until then is in the records."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from harness.agents import Agent, AgentReport, Assignment
from harness.agents.reporting import reported
from harness.agents.sessions import Sessions
from harness.agents.tool_loop import ToolLoop
from harness.config import BudgetConfig, ModelConfig, SandboxKind
from harness.errors import EngineGone, ModelRefused
from harness.executors import LocalExecutor
from harness.experiment import Sweep, run_sweep
from harness.llm import Text
from harness.llm.prices import Price, Tier
from harness.llm.settings import open_model
from harness.paths import RunPaths
from harness.plan import Plan, expand
from harness.sandbox import Sandbox
from harness.store import Entry, Store, read_entries
from harness.trial import Bench
from tests.benches import Witness, bench_of
from tests.wire.asking import user
from tests.wire.moves import Fail, Move, Say, Stall, Tokens, Use
from tests.wire.server import Scripted, scripted

PRICE = Price((Tier(10.0, 1.0, 12.5, 50.0),), "test", "2026-01-01")
LOOK = Say(uses=(Use("bash", {"command": "ls"}),), tokens=Tokens(fresh=50_000, output=4_000))


@dataclass(frozen=True)
class Later:
    """Works as the other, but in the second arm only after something has happened."""

    agent: Agent
    event: threading.Event
    is_control: bool = False

    def work(self, assignment: Assignment, sandbox: Sandbox) -> AgentReport:
        assert assignment.arm == "one" or self.event.wait(20)
        return self.agent.work(assignment, sandbox)


@pytest.fixture
def bench(shared_home: Path) -> Iterator[Bench]:
    with bench_of(shared_home, SandboxKind.process, {"nop": ToolLoop(None)}) as made:  # type: ignore[arg-type]
        yield made


@contextmanager
def sweeping(
    bench: Bench,
    folder: Path,
    moves: Callable[[int, dict[str, Any]], Move],
    made: Callable[[Sessions], Agent] = ToolLoop,
) -> Iterator[tuple[Scripted, Callable[[], None]]]:
    """The server, and the sweep of two trials at once that asks it."""
    with scripted(moves) as server, Store(RunPaths(folder)) as store:
        config = ModelConfig(
            wire="anthropic", model="m", context_tokens=200_000,
            base_url=server.base_url("anthropic"),
        )  # fmt: skip
        model = open_model("m", config, gates=bench.gates)
        agent = made(Sessions(model, PRICE, BudgetConfig(), bench.spend))
        held = replace(bench, agents={"nop": agent})
        cells = expand(bench.study)
        plan = Plan(name="t", locks={}, cells=cells)
        sweep = Sweep(held, plan, store, LocalExecutor(2, held.stop), Witness())
        yield server, lambda: run_sweep(sweep, cells) and None
        model.close()


def check_all_is_kept(folder: Path, server: Scripted, *, unkept: int = 0) -> list[Entry]:
    """Every request but `unkept`, and all that was told of them, is in the records."""
    entries = list(read_entries(RunPaths(folder).records))
    calls = [call for entry in entries for call in entry.calls]
    told = server.ledger.told
    assert sum(call.fresh_input_tokens for call in calls) == told["fresh"] > 0
    assert sum(call.output_tokens for call in calls) == told["output"] > 0
    assert sum(call.tries for call in calls) == len(server.ledger.requests) - unkept
    return entries


def is_first(body: dict[str, Any]) -> bool:
    return len(body["messages"]) == 1


def test_a_refusal_of_one_trial_loses_no_paid_call_of_another(bench: Bench, tmp_path: Path) -> None:
    paid = threading.Event()

    def moves(number: int, body: dict[str, Any]) -> Move:
        if is_first(body):
            return LOOK if number == 1 else Fail(402, told="Insufficient credits")
        paid.set()
        return Stall(20)

    def made(sessions: Sessions) -> Agent:
        return Later(ToolLoop(sessions), paid)

    swept = sweeping(bench, tmp_path, moves, made)
    with swept as (server, sweep), pytest.raises(ModelRefused, match="402"):
        sweep()
    (entry,) = check_all_is_kept(tmp_path, server, unkept=1)
    assert (entry.trial, entry.attempt.status) == (None, "lost")
    assert [call.usage_reported for call in entry.calls] == [True, False]


@pytest.fixture
def listens_to_ctrl_c() -> Iterator[None]:
    """A program that a shell starts in the background is told to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("listens_to_ctrl_c")
def test_ctrl_c_loses_no_paid_call_and_waits_for_none(bench: Bench, tmp_path: Path) -> None:
    pressed: list[float] = []

    def press() -> None:
        pressed.append(time.monotonic())
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    def moves(number: int, body: dict[str, Any]) -> Move:
        if is_first(body):
            return LOOK
        if number == 4:
            threading.Timer(0.3, press).start()
        return Stall(20)

    with sweeping(bench, tmp_path, moves) as (server, sweep):
        with pytest.raises(KeyboardInterrupt):
            sweep()
        assert time.monotonic() - pressed[0] < 10
    entries = check_all_is_kept(tmp_path, server)
    assert [entry.trial for entry in entries] == [None, None]


def test_an_engine_that_goes_away_loses_no_paid_call(shared_home: Path, tmp_path: Path) -> None:
    agents: dict[str, Agent] = {"nop": ToolLoop(None)}  # type: ignore[arg-type]
    with bench_of(shared_home, SandboxKind.process, agents, arms=["one"]) as bench:

        def moves(number: int, body: dict[str, Any]) -> Move:
            if number == 2:
                bench.sandboxes.abort()
            return LOOK

        with sweeping(bench, tmp_path, moves) as (server, sweep), pytest.raises(EngineGone):
            sweep()
    (entry,) = check_all_is_kept(tmp_path, server)
    assert (entry.trial, len(entry.calls)) == (None, 2)


@dataclass(frozen=True)
class Broken:
    """Asks once, and then does what no code expects."""

    sessions: Sessions
    is_control: bool = False

    def work(self, assignment: Assignment, sandbox: Sandbox) -> AgentReport:
        session = self.sessions.open(assignment)
        talk = session.limits.conversation("s")
        talk.say(user(Text(text="hello")))

        def work() -> None:
            session.ask(talk)
            raise ZeroDivisionError("of a defect")

        return reported("broken", session, talk, [], work)


def test_a_defect_of_a_scaffold_costs_its_trials_and_no_paid_call(
    bench: Bench, tmp_path: Path
) -> None:
    with sweeping(bench, tmp_path, lambda *_: LOOK, Broken) as (server, sweep):
        sweep()
    entries = check_all_is_kept(tmp_path, server)
    for entry in entries:
        assert entry.trial is not None
        assert (entry.trial.status, entry.trial.failure_cause) == ("lost", "harness")
        assert "ZeroDivisionError" in (entry.trial.failure_detail or "")
        assert entry.trial.cost_usd == pytest.approx(0.7)
