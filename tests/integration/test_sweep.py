"""A whole study, run, run again and regraded, without an engine."""

import csv
from pathlib import Path
from statistics import median

import pytest

from harness.store import read_entries
from tests.benches import CONTROLS, FACTORS, QUICK, failing, seambench, trials_in

ARTEFACTS = {
    "plan.json",
    "records.jsonl",
    "trials.parquet",
    "attempts.parquet",
    "tests.parquet",
    "trials.csv",
    "summary.csv",
    "figures/overview.pdf",
    "figures/overview.png",
    "tables/overview.tex",
}
STUDY = ("run", "sandbox=process", *QUICK, CONTROLS, "name=t")


@pytest.fixture(scope="module")
def ran(shared_home: Path) -> Path:
    """The results of a control sweep over both arms."""
    done = seambench(shared_home, *STUDY)
    assert done.returncode == 0, done.stderr
    assert "NO ISOLATION" in done.stdout
    assert "controls as expected: 6 of 6" in done.stdout
    return shared_home / "results/t"


def test_a_control_sweep_writes_records_tables_and_figures(ran: Path) -> None:
    written = {str(path.relative_to(ran)) for path in ran.rglob("*") if path.is_file()}
    assert written >= ARTEFACTS
    trials = trials_in(ran)
    outcomes = sorted((trial.agent, trial.arm, trial.resolved) for trial in trials.values())
    assert outcomes == [
        (agent, arm, agent == "oracle")
        for agent in ("nop", "oracle", "sabotage")
        for arm in ("one", "two")
    ]
    with (ran / "trials.csv").open() as file:
        rows = {row["trial_id"]: row for row in csv.DictReader(file)}
    assert rows.keys() == trials.keys()
    for name in trials:
        files = {path.name for path in (ran / "trials" / name).iterdir()}
        assert files == {"agent.log", "app.log", "evidence.json", "patch.diff", "score.json"}


def test_a_trial_tells_where_its_time_went(ran: Path) -> None:
    untold = []
    for trial in trials_in(ran).values():
        parts = trial.agent_seconds + trial.verify_seconds + trial.overhead_seconds
        assert trial.verify_seconds > 0
        assert trial.isolation == "none"
        untold.append(trial.wall_seconds - parts)
    assert min(untold) >= 0
    assert median(untold) < 0.5  # a machine that does something else may stop a trial anywhere


def test_running_again_reuses_every_trial(ran: Path, shared_home: Path) -> None:
    before = (ran / "records.jsonl").read_bytes()
    again = seambench(shared_home, *STUDY, timeout=60)
    assert again.returncode == 0
    assert "6 of 6 trials are already finished and reused" in again.stderr
    assert (ran / "records.jsonl").read_bytes() == before


def test_results_made_under_other_rules_are_not_mixed_in(ran: Path, shared_home: Path) -> None:
    other = seambench(shared_home, *STUDY, "verification.sequences=21")
    assert other.returncode == 2
    assert "changed since these results were made: verification" in other.stderr
    assert len(trials_in(ran)) == 6


@pytest.mark.long
def test_regrading_gives_the_same_scores_without_an_agent(ran: Path, shared_home: Path) -> None:
    before = trials_in(ran)
    logs = {name: (ran / "trials" / name / "agent.log").read_text() for name in before}
    done = seambench(shared_home, "regrade", str(ran), "--sandbox", "process", "--workers", "1")
    assert done.returncode == 0, done.stderr
    after = trials_in(ran)
    assert after.keys() == before.keys()
    for name, old in before.items():
        new = after[name]
        assert new.attempt == old.attempt + 1
        assert (new.resolved, new.reason) == (old.resolved, old.reason)
        assert [getattr(new, f) for f in FACTORS] == [getattr(old, f) for f in FACTORS]
        assert new.sequences_replayed == old.sequences_replayed
        assert new.agent_seconds == old.agent_seconds
        assert (ran / "trials" / name / "agent.log").read_text() == logs[name] != ""
        assert (new.lines_added, new.churn_ratio) == (old.lines_added, old.churn_ratio)
    assert len(list(read_entries(ran / "records.jsonl"))) == 12


@pytest.mark.long
def test_a_sweep_over_every_sabotage_is_refused_by_the_factor_that_was_named(
    shared_home: Path,
) -> None:
    one = ("arms=[one]", "agent=sabotage", "repeats=3", "name=sabotages")
    done = seambench(shared_home, "run", "sandbox=process", *QUICK, *one)
    assert done.returncode == 0, done.stderr
    trials = trials_in(shared_home / "results/sabotages").values()
    assert {trial.variant for trial in trials} == {"hollow", "broken", "tampered"}
    assert all(trial.expected_factor in failing(trial) for trial in trials)


def test_without_isolation_only_controls_run(shared_home: Path) -> None:
    refused = seambench(
        shared_home, "run", "sandbox=process", *QUICK, "agent=tool_loop", "model=claude", "name=no"
    )
    assert refused.returncode == 2, refused.stderr
    assert "agent 'tool_loop' needs isolation; use docker" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
