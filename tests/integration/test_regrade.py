"""Scoring stored patches again: what changes a verdict is told, and no result is lost by it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness import build
from harness.agents import Agent
from harness.agents.sessions import Sessions
from harness.agents.spend import Spend
from harness.agents.tool_loop import ToolLoop
from harness.config import BudgetConfig, SandboxKind
from harness.executors import LocalExecutor
from harness.experiment import Sweep, regrade, run_sweep
from harness.paths import Checkout, RunPaths
from harness.plan import Cell, Plan, expand, read_plan
from harness.records import TrialRecord
from harness.store import Store, read_entries
from tests.benches import (
    QUICK,
    ScriptAgent,
    Witness,
    bench_of,
    checkout_with_venv,
    config,
    edit,
    seambench,
    trials_in,
)
from tests.conversations import PRICE, turn
from tests.sandboxes import say
from tests.wire.scripted import ScriptedModel

STUDY = ("run", "sandbox=process", *QUICK, "agent=oracle", "arms=[one]", "name=t")
HIDDEN = "tasks/tally/rename/hidden/test_zero.py"
MAIN = "fixtures/tally/one/tally/main.py"
PATCH = "tasks/tally/rename/solutions/plain/one.patch"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with the results of one trial, which has been resolved."""
    root = checkout_with_venv(tmp_path_factory.mktemp("regrade") / "home")
    assert seambench(root, *STUDY).returncode == 0
    return root


@contextmanager
def changed(home: Path, path: str, old: str, new: str) -> Iterator[None]:
    edit(home / path, old, new)
    try:
        yield
    finally:
        edit(home / path, new, old)


def only(home: Path) -> TrialRecord:
    (trial,) = trials_in(home / "results/t").values()
    return trial


def plan_of(home: Path) -> Plan:
    plan = read_plan(RunPaths(home / "results/t"))
    assert plan is not None
    return plan


def test_a_regrade_that_is_lost_leaves_the_score_and_is_no_success(home: Path) -> None:
    before, locked = only(home), (home / "results/t/plan.json").read_bytes()
    with changed(home, HIDDEN, "def test_zero", "def (test_zero"):
        done = seambench(home, "regrade", "results/t", "--workers", "1")
    assert done.returncode == 1, done.stderr
    assert "1 of 1 trials were lost to infrastructure: what they scored before" in done.stderr
    assert only(home) == before
    last = list(read_entries(home / "results/t/records.jsonl"))[-1]
    assert (last.trial, last.attempt.status) == (None, "lost")
    assert (home / "results/t/plan.json").read_bytes() == locked
    assert "1 of 1 trials are already finished" in seambench(home, *STUDY).stderr


def test_a_patch_of_another_base_is_named_and_nothing_is_scored(home: Path) -> None:
    before = (home / "results/t/records.jsonl").read_bytes()
    old, new = "next_value(values", "next_value( values"
    with changed(home, MAIN, old, new), changed(home, PATCH, old, new):
        done = seambench(home, "regrade", "results/t", "--workers", "1")
    assert done.returncode == 2, done.stderr
    last = done.stderr.splitlines()[-1]
    assert f"{only(home).trial_id}: its patch.diff is of another base" in last
    assert (home / "results/t/records.jsonl").read_bytes() == before


@pytest.mark.long
def test_what_a_verdict_was_made_under_is_told_and_kept(home: Path) -> None:
    first, locked = only(home), plan_of(home)
    with changed(home, HIDDEN, '"value": 0}', '"value": 9}'):
        done = seambench(home, "regrade", "results/t", "--workers", "1")
        assert done.returncode == 0, done.stderr
        assert "changed since these trials were judged: task/tally/rename\n" in done.stderr
        second, plan = only(home), plan_of(home)
        assert (second.resolved, second.plan_digest) == (False, plan.digest)
        assert plan.judged.keys() == {"task/tally/rename"}
        assert plan.locks == locked.locks
        assert plan.earlier == {first.plan_digest: locked.locks}
        assert plan.judged_otherwise(first.plan_digest)
        parts = second.agent_seconds + second.verify_seconds + second.overhead_seconds
        assert parts < second.wall_seconds
        refused = seambench(home, *STUDY)
        assert refused.returncode == 2
        assert "changed since these results were made: task/tally/rename; choose" in refused.stderr
    refused = seambench(home, *STUDY)
    assert refused.returncode == 2
    told = "these results were judged under other locks: task/tally/rename; regrade them"
    assert told in refused.stderr
    assert seambench(home, "regrade", "results/t", "--workers", "1").returncode == 0
    assert only(home).plan_digest == plan_of(home).digest == first.plan_digest
    assert seambench(home, *STUDY).returncode == 0


def test_a_run_with_lost_trials_is_no_success(home: Path) -> None:
    study = (*STUDY[:-1], "name=lost", "budget.attempts=1")
    with changed(home, HIDDEN, "def test_zero", "def (test_zero"):
        done = seambench(home, *study)
    assert done.returncode == 1, done.stderr
    assert "1 of 1 trials are lost to infrastructure; run again to try them again" in done.stderr
    assert (home / "results/lost/summary.csv").exists()


def test_files_of_a_run_that_was_killed_are_no_trial(home: Path) -> None:
    records = home / "results/t/records.jsonl"
    before = records.read_bytes()
    records.write_bytes(b"")
    done = seambench(home, "regrade", "results/t", "--workers", "1")
    records.write_bytes(before)
    assert done.returncode == 2
    assert "left out, it has not ended: " in done.stderr
    assert "no trial has its patch.diff" in done.stderr.splitlines()[-1]


def test_where_patches_are_scored_no_agent_is_made(home: Path) -> None:
    chosen = config(SandboxKind.process, ["oracle"])
    with build.bench(chosen, Checkout(home), say, only_scores=True) as bench:
        assert bench.agents == {}


RENAME = "sed -i s/next_value/advance/g tally/*.py"
RENAMER = ScriptAgent(f"{RENAME}; sleep 0.3")
Work = Callable[[Sweep, list[Cell]], int]


def carry_out(home: Path, out: Path, agent: Agent, work: Work) -> TrialRecord:
    """Let an agent, or a regrade, make the record of the one trial."""
    with (
        bench_of(home, SandboxKind.process, {"a": agent}) as bench,
        Store(RunPaths(out)) as store,
    ):
        cells = [cell for cell in expand(bench.study) if cell.arm == "one"]
        plan = Plan(name="t", locks={}, cells=tuple(cells))
        executor = LocalExecutor(1, bench.sandboxes.abort)
        work(Sweep(bench, plan, store, executor, Witness()), cells)
        trial = store.finished[cells[0].trial_id].trial
        assert trial is not None
        return trial


def stored(sweep: Sweep, cells: list[Cell]) -> int:
    """Regrade what is there."""
    paths = sweep.store.paths
    return regrade(sweep, {c.trial_id: paths.trial(c.trial_id).patch.read_bytes() for c in cells})


def test_a_trial_has_the_files_of_its_own_attempt_alone(home: Path, tmp_path: Path) -> None:
    def files(trial: TrialRecord) -> set[str]:
        folder = RunPaths(tmp_path).trial(trial.trial_id).folder
        return {path.name for path in folder.iterdir()}

    with changed(home, HIDDEN, "def test_zero", "def (test_zero"):
        lost = carry_out(home, tmp_path, RENAMER, run_sweep)
    assert (lost.status, files(lost)) == ("lost", {"agent.log", "patch.diff"})
    scored = carry_out(home, tmp_path, RENAMER, stored)
    worked = (lost.agent_seconds, lost.waited_seconds)
    assert (scored.resolved, scored.agent_seconds, scored.waited_seconds) == (True, *worked)
    assert files(scored) > {"agent.log", "patch.diff", "evidence.json", "score.json"}
    assert scored.wall_seconds > scored.verify_seconds + 0.3
    records = RunPaths(tmp_path).records
    first_alone = [row.model_dump_json() for row in read_entries(records)][:2]
    records.write_text("\n".join(first_alone) + "\n")
    refused = carry_out(home, tmp_path, ScriptAgent("ln -s /etc/passwd leak.txt"), run_sweep)
    assert (refused.failure_cause, files(refused)) == ("patch_refused", {"agent.log"})


MEASURED_ANEW = {"attempt", "started_at", "verify_seconds", "overhead_seconds", "wall_seconds"}
UNSEEN = {"waited_seconds": 0.25, "compactions": 1, "edits_applied": 3, "edits_failed": 2}
"""What this agent does not do, as the row of another would say it."""


def worked(sweep: Sweep, cells: list[Cell]) -> int:
    """Run what is asked for, and let its row say what one agent alone cannot do."""
    lost = run_sweep(sweep, cells)
    (entry,) = sweep.store.finished.values()
    assert entry.trial is not None
    trial = entry.trial.model_copy(update=UNSEEN)
    sweep.store.append(entry.model_copy(update={"trial": trial}))
    return lost


def test_what_the_agent_did_and_spent_stays_in_the_row_and_in_its_files(
    home: Path, tmp_path: Path
) -> None:
    said = [turn("on", ("a", "bash", {"command": RENAME}, "{}")), turn("", ("b", "submit", {}, ""))]
    model = ScriptedModel(said)
    agent = ToolLoop(Sessions(model, PRICE, BudgetConfig(), Spend()))
    before = carry_out(home, tmp_path, agent, worked)
    files = RunPaths(tmp_path).trial(before.trial_id)
    kept = (files.trajectory.read_bytes(), files.agent_log.read_bytes())
    assert (before.resolved, before.agent_ending, before.model_calls) == (True, "submitted", 2)
    # Twice 100 fresh, 40 from and 7 into the cache, 30 out, at 1, 0.1, 1.25 and 5 USD a million.
    assert (before.input_tokens, before.output_tokens) == (294, 60)
    assert before.cost_usd == pytest.approx(2 * 262.75e-6)
    after = carry_out(home, tmp_path, agent, stored)
    assert after.attempt == before.attempt + 1
    assert after.model_dump(exclude=MEASURED_ANEW) == before.model_dump(exclude=MEASURED_ANEW)
    assert (files.trajectory.read_bytes(), files.agent_log.read_bytes()) == kept
    assert len(model.requests) == 2
