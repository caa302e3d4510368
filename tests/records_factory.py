"""Realistic records: one pair x two arms x four tasks x three control agents = 24 trials."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harness.paths import RunPaths
from harness.records import AttemptRecord, TestRecord, TrialRecord
from harness.store import Entry, Store

ARMS = ("monolith", "microservices")
AGENTS = ("oracle", "nop", "sabotage")
TASKS = (
    # task, family, class, the factor its sabotage must fail on
    ("atelier/price-tiers-as-table", "strategy table", "L", "structure"),
    ("atelier/swap-job-queue", "replace internals", "I", "equivalence"),
    ("atelier/rename-credit-hold", "parallel change", "X", "contract"),
    ("atelier/late-refund", "diagnose then refactor", "D", "behaviour"),
)
STARTED = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)


def trial(**changes: object) -> TrialRecord:
    """One resolved oracle trial, with `changes` laid over it."""
    values = {
        "trial_id": "0" * 16,
        "cell_id": "c" * 16,
        "pair": "atelier",
        "app": "atelier",
        "arm": "monolith",
        "task": TASKS[0][0],
        "family": TASKS[0][1],
        "task_class": TASKS[0][2],
        "scope": "all",
        "agent": "oracle",
        "model": None,
        "variant": "reference",
        "expected_factor": None,
        "repeat": 0,
        "seed": 1,
        "isolation": "container",
        "status": "scored",
        "failure_cause": None,
        "failure_detail": None,
        "attempt": 1,
        "resolved": True,
        **dict.fromkeys(("behaviour", "equivalence", "structure", "contract", "integrity"), True),
        "reason": None,
        "tests_passed": 18,
        "tests_total": 18,
        "sequences_replayed": 500,
        "lines_added": 64,
        "lines_deleted": 41,
        "code_lines_added": 52,
        "code_lines_deleted": 37,
        "domain_lines_changed": 60,
        "glue_lines_changed": 29,
        "hunks": 9,
        "files_changed": 4,
        "contexts_changed": 1,
        "churn_ratio": 1.0,
        "input_tokens": 0,
        "output_tokens": 0,
        "cost_usd": None,
        "agent_seconds": 0.21,
        "verify_seconds": 6.4,
        "overhead_seconds": 0.74,
        "wall_seconds": 7.4,
        "started_at": STARTED,
        "image_digest": "sha256:" + "a" * 64,
        "plan_digest": "sha256:" + "b" * 64,
    }
    return TrialRecord.model_validate(values | changes)


def replayed(played: str, arm: str = "monolith", repeat: int = 0) -> TrialRecord:
    """A trial of the agent `played` and the model `m`, played again."""
    source = f"{TASKS[0][0].partition('/')[2]}-{arm}-{played}-m-r{repeat}-{'0' * 8}"
    return trial(
        trial_id=f"replay-{source}-r{repeat}-{'1' * 8}",
        agent="replay",
        model="m",
        variant=source,
        arm=arm,
        repeat=repeat,
        resolved=played == "tool_loop",
    )


def demo_trials(arms: tuple[str, ...] = ARMS) -> list[TrialRecord]:
    """The 24 trials of the demo, every control as it must be."""
    cells = [(task, arm, agent) for task in range(4) for arm in arms for agent in AGENTS]
    return [_demo_trial(number, *cell) for number, cell in enumerate(cells)]


def lost(record: TrialRecord) -> TrialRecord:
    """The same trial, lost to the sandbox."""
    gone = dict.fromkeys(("behaviour", "equivalence", "structure", "contract", "integrity"))
    failure = {"status": "lost", "failure_cause": "sandbox", "failure_detail": "create timed out"}
    return record.model_copy(update={**gone, **failure, "resolved": False, "tests_passed": 0})


def attempts(trials: Iterable[TrialRecord]) -> list[AttemptRecord]:
    """One attempt a trial."""
    names = set(AttemptRecord.model_fields)
    return [AttemptRecord.model_validate(t.model_dump(include=names)) for t in trials]


def hidden_tests(trials: Iterable[TrialRecord]) -> list[TestRecord]:
    """Two tests in three fresh starts a trial; the second follows the behaviour factor."""
    return [
        TestRecord(
            trial_id=t.trial_id,
            start=start,
            test=f"hidden/test_task.py::{name}",
            context="jobs" if name == "test_kept" else None,
            outcome="failed" if name == "test_changed" and not t.behaviour else "passed",
            seconds=0.04,
            message="assert 12 == 13" if name == "test_changed" and not t.behaviour else None,
        )
        for t in trials
        for start in (1, 2, 3)
        for name in ("test_kept", "test_changed")
    ]


def entries(trials: Iterable[TrialRecord]) -> list[Entry]:
    """What the store appends: one line a trial, which ended at its first attempt."""
    return [
        Entry(attempt=attempt, trial=t, tests=tuple(hidden_tests([t])))
        for t in trials
        for attempt in attempts([t])
    ]


def write_run(folder: Path, rows: Iterable[Entry]) -> Path:
    """A results folder with these entries; the folder."""
    with Store(RunPaths(folder)) as store:
        for row in rows:
            store.append(row)
    return folder


def _demo_trial(number: int, task: int, arm: str, agent: str) -> TrialRecord:
    name, family, task_class, sabotaged = TASKS[task]
    glue = (6, 14, 88, 31)[task] if arm == "microservices" else (4, 9, 33, 12)[task]
    domain = (46, 118, 37, 24)[task]
    # In the last two tasks the hidden tests pin what changes, so doing nothing fails them too.
    failing = {"oracle": (), "nop": ("structure", *(["behaviour"] if task > 1 else []))}
    failed = failing.get(agent, (sabotaged,))
    passed = 18 - 5 * ("behaviour" in failed)
    effort = 0 if agent == "nop" else 1
    return trial(
        trial_id=hashlib.sha256(f"{number}".encode()).hexdigest()[:16],
        cell_id=hashlib.sha256(f"cell{number}".encode()).hexdigest()[:16],
        arm=arm,
        task=name,
        family=family,
        task_class=task_class,
        agent=agent,
        variant={"oracle": "reference", "nop": None}.get(agent, f"breaks_{sabotaged}"),
        expected_factor=sabotaged if agent == "sabotage" else None,
        resolved=not failed,
        **dict.fromkeys(failed, False),
        reason=f"{failed[0]}: told in one line" if failed else None,
        tests_passed=passed,
        contexts_changed=effort * (1, 1, 3, 2)[task],
        churn_ratio=effort * (1.0 if agent == "oracle" else 0.83),
        lines_added=effort * (domain + glue),
        lines_deleted=effort * domain // 2,
        code_lines_added=effort * (domain + glue) // 2,
        code_lines_deleted=effort * domain // 2,
        domain_lines_changed=effort * domain,
        glue_lines_changed=effort * glue,
        agent_seconds=0.2 * effort,
        verify_seconds=round((3.1 if arm == "monolith" else 5.2) + 0.37 * task, 2),
        started_at=STARTED + timedelta(seconds=6 * number),
    )
