"""What a study's hard stop does to the trials that it meets, and how the study goes on."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from harness.agents.sessions import Sessions
from harness.agents.spend import Spend
from harness.agents.tool_loop import ToolLoop
from harness.config import AgentKind, BudgetConfig, ModelConfig, SandboxKind
from harness.errors import BudgetSpent
from harness.executors import LocalExecutor
from harness.experiment import Sweep, paid, run_sweep
from harness.llm import Answer, Model, Request
from harness.llm.prices import Price, Tier
from harness.llm.settings import open_model
from harness.paths import RunPaths
from harness.plan import Plan, expand
from harness.store import Entry, Store, read_entries
from harness.trial import Bench
from tests.benches import Witness, bench_of
from tests.samples import ROOT
from tests.wire.moves import Say, Stall, Use
from tests.wire.scripted import ScriptedModel, uses
from tests.wire.server import scripted

RENAME = uses(("bash", {"command": "sed -i s/next_value/advance/g tally/*.py"}))
SUBMIT = uses(("submit", {}))


def renames(request: Request) -> Answer:
    """Two calls a trial."""
    return RENAME if len(request.messages) == 1 else SUBMIT


@pytest.fixture
def bench(shared_home: Path) -> Iterator[Bench]:
    with bench_of(shared_home, SandboxKind.process, {"nop": ToolLoop(None)}) as made:  # type: ignore[arg-type]
        yield made


def swept(
    bench: Bench, folder: Path, turns: int | None, model: Model | None = None, **limits: float
) -> Witness:
    """Run or go on with the study of two trials, which may take so many turns in all."""
    with Store(RunPaths(folder)) as store:
        spend = Spend({"turns": turns, **limits})
        sessions = Sessions(model or ScriptedModel(renames), None, BudgetConfig(), spend)
        held = replace(bench, spend=spend, agents={"nop": ToolLoop(sessions)})
        cells = expand(bench.study)
        witness = Witness()
        plan = Plan(name="t", locks={}, cells=cells)
        run_sweep(Sweep(held, plan, store, LocalExecutor(1, list), witness), cells)
    return witness


def entries(folder: Path) -> list[Entry]:
    return list(read_entries(RunPaths(folder).records))


def test_a_trial_that_money_broke_off_is_no_failure_and_is_run_when_there_is_more(
    bench: Bench, tmp_path: Path
) -> None:
    with pytest.raises(BudgetSpent, match=r"study_turns=3 is spent: 1 trials .* not finished"):
        swept(bench, tmp_path, 3)
    first, cut = entries(tmp_path)
    assert first.trial is not None
    assert (first.trial.resolved, first.trial.agent_ending) == (True, "submitted")
    assert (cut.trial, cut.tests, len(cut.calls)) == (None, (), 1)  # what it cost is kept
    assert (cut.attempt.status, cut.attempt.failure_cause) == ("lost", "study_budget")
    # The same sum again: nothing is asked, and nothing is kept of it.
    for _ in range(2):
        with pytest.raises(BudgetSpent, match="1 trials"):
            swept(bench, tmp_path, 3)
        assert len(entries(tmp_path)) == 2
        RunPaths(tmp_path).spending.unlink(missing_ok=True)  # earlier versions kept records alone
    witness = swept(bench, tmp_path, 5)
    assert witness.reused == 1
    (trial,) = witness.ended_trials
    assert (trial.resolved, trial.attempt, trial.model_calls) == (True, 2, 2)


@pytest.mark.parametrize("limit", ["agent_seconds", "wall_seconds"])
def test_what_earlier_runs_took_of_the_time_of_a_study_is_passed(
    bench: Bench, tmp_path: Path, limit: str
) -> None:
    def slowly(request: Request) -> Answer:
        time.sleep(1.0)
        return renames(request)

    slow = ScriptedModel(slowly)
    for _ in range(2):
        with pytest.raises(BudgetSpent, match=rf"study_{limit}=1 is spent: 2 trials"):
            swept(bench, tmp_path, None, slow, **{limit: 1.0})
        assert len(slow.requests) == 1
        with Store(RunPaths(tmp_path)) as store:
            assert getattr(store.spending(), limit) > 1.0
    assert len(swept(bench, tmp_path, None, **{limit: 600.0}).ended_trials) == 2


def asks(bench: Bench, folder: str, url: str, turns: int) -> None:
    """The same study, and a model behind a wire."""
    config = ModelConfig(wire="anthropic", model="m", context_tokens=200_000, base_url=url)
    with closing(open_model("m", config, gates=bench.gates)) as model:
        swept(bench, Path(folder), turns, model)


ASKS = """
import sys
from pathlib import Path
from tests.integration.test_study_budget import *
with bench_of(Path(sys.argv[1]), SandboxKind.process, {"nop": ToolLoop(None)}) as made:
    asks(made, *sys.argv[2:], 9)
"""


def test_what_a_run_had_paid_for_and_in_flight_when_it_was_killed_is_spent(
    bench: Bench, shared_home: Path, tmp_path: Path
) -> None:
    look = Say(uses=(Use("bash", {"command": "ls"}),))
    with scripted([look, Stall(60), *[Say("no")] * 9]) as server, TemporaryDirectory() as left:
        url, asked = server.base_url("anthropic"), server.ledger.requests
        argv = [sys.executable, "-c", ASKS, str(shared_home), str(tmp_path), url]
        env = os.environ | {"TMPDIR": left}
        with subprocess.Popen(argv, cwd=ROOT, env=env) as running:
            while len(asked) < 2:
                assert running.poll() is None
                time.sleep(0.02)
            running.kill()
        assert entries(tmp_path) == []
        with Store(RunPaths(tmp_path)) as store:
            kept = store.spending()
        assert (kept.turns, server.ledger.told["output"]) == (2, 5)
        assert kept.output_tokens == 5 + BudgetConfig().max_output_tokens
        with pytest.raises(BudgetSpent, match="study_turns=2 is spent: 2 trials"):
            asks(bench, str(tmp_path), url, 2)
        assert len(asked) == 2


def test_what_is_spent_counts_unknown_costs_as_their_most_and_leaves_out_what_is_played(
    bench: Bench, tmp_path: Path
) -> None:
    swept(bench, tmp_path, None)
    price = Price((Tier(10.0, 1.0, 12.5, 50.0),), "test", "2026-01-01")
    cells = tuple(cell.model_copy(update={"model": "m"}) for cell in expand(bench.study))
    calls = [call for entry in entries(tmp_path) for call in entry.calls]
    assert {call.cost_usd for call in calls} == {None}
    plan = Plan(name="t", locks={}, cells=cells)
    found = list(paid(calls, plan, {"m": price}))
    most = [price.most(call.input_tokens, call.output_tokens) for call in calls]
    assert [taken["usd"] for taken in found] == most
    assert [taken["usd"] for taken in paid(calls, plan, {"m": None})] == [0.0] * len(calls)
    played = tuple(cell.model_copy(update={"kind": AgentKind.replay}) for cell in cells)
    assert not list(paid(calls, Plan(name="t", locks={}, cells=played), {"m": price}))


@pytest.mark.long
def test_what_earlier_versions_scored_when_money_ended_it_is_run_again(
    bench: Bench, tmp_path: Path
) -> None:
    swept(bench, tmp_path, None)
    assert swept(bench, tmp_path, None).reused == 2
    last = entries(tmp_path)[-1]
    assert last.trial is not None
    cut = last.trial.model_copy(update={"agent_ending": "study_usd", "resolved": False})
    with Store(RunPaths(tmp_path)) as store:
        store.append(last.model_copy(update={"trial": cut}))
    witness = swept(bench, tmp_path, None)
    assert [trial.trial_id for trial in witness.ended_trials] == [cut.trial_id]
    assert witness.reused == 1
