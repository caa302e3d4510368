"""What a run wrote, a trial at a time: its row, its attempts and calls, the tests that failed."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from harness.analysis.frame import (
    holds_tables_only,
    parquet_records,
    read_trial_records,
    sort_trials,
)
from harness.errors import BadInput
from harness.paths import RunPaths, TrialPaths
from harness.records import AttemptRecord, CallRecord, TestRecord, TrialRecord
from harness.store import Entry, read_entries

R = TypeVar("R", AttemptRecord, CallRecord, TestRecord)


@dataclass
class Gathered:
    """One trial that has ended."""

    paths: TrialPaths
    trial: TrialRecord
    attempts: list[AttemptRecord]
    calls: tuple[CallRecord, ...]
    """those of the attempt that worked; a regrade gives a row, and asks no model"""
    failed: tuple[TestRecord, ...]
    """the hidden tests that did not pass, in every fresh start"""
    has_files: bool = True
    """false where the folder holds tables and no trial's own files"""


@dataclass
class _Seen:
    attempts: dict[int, AttemptRecord] = field(default_factory=dict)
    last: Entry | None = None
    calls: tuple[CallRecord, ...] = ()
    """those of the last attempt that ended the trial and asked a model"""


def gather(folder: Path) -> list[Gathered]:
    """Every ended trial in the order of the tables, whatever the order of the file.

    A folder that holds Parquet and no records (a release, a simulated study) is read from that.

    Raises:
        BadInput: there is no record file, no trial in it has ended, or a line of it is corrupt.
    """
    paths = RunPaths(folder)
    if holds_tables_only(folder):
        return _from_tables(paths)
    if not paths.records.is_file():
        raise BadInput(f"{folder}: no records.jsonl there; is it a results folder?")
    seen = _collect(read_entries(paths.records))
    trials = sort_trials(s.last.trial for s in seen.values() if s.last and s.last.trial)
    if not trials:
        raise BadInput(f"{paths.records}: no trial has ended yet; run the experiment again")
    return [_gathered(paths, trial, seen[trial.trial_id]) for trial in trials]


def missing_tables(folder: Path) -> list[str]:
    """The tables besides the trials that a folder of tables lacks."""
    names = ("attempts", "calls", "tests")
    return [name for name in names if not (folder / f"{name}.parquet").is_file()]


def _from_tables(paths: RunPaths) -> list[Gathered]:
    trials = read_trial_records(paths.root)
    attempts = _by_trial(paths.root / "attempts.parquet", AttemptRecord)
    calls = _by_trial(paths.root / "calls.parquet", CallRecord)
    failed = _by_trial(paths.root / "tests.parquet", TestRecord)
    has_files = paths.trials.is_dir()
    return [
        Gathered(
            paths.trial(trial.trial_id),
            trial,
            sorted(attempts[trial.trial_id], key=lambda one: one.attempt),
            _of_worked(trial, calls[trial.trial_id]),
            tuple(t for t in failed[trial.trial_id] if _is_failed(t)),
            has_files,
        )
        for trial in trials
    ]


def _by_trial(path: Path, kind: type[R]) -> dict[str, list[R]]:
    """The rows of a table by trial; none where there is no such file."""
    found: dict[str, list[R]] = defaultdict(list)
    for row in parquet_records(path, kind) if path.is_file() else ():
        found[row.trial_id].append(row)
    return found


def _of_worked(trial: TrialRecord, calls: list[CallRecord]) -> tuple[CallRecord, ...]:
    if not trial.model_calls:
        return ()
    worked = max((call.attempt for call in calls), default=0)
    return tuple(call for call in calls if call.attempt == worked)


def _is_failed(test: TestRecord) -> bool:
    return test.outcome not in {"passed", "skipped"}


def _collect(entries: Iterable[Entry]) -> dict[str, _Seen]:
    seen: dict[str, _Seen] = {}
    for entry in entries:
        found = seen.setdefault(entry.attempt.trial_id, _Seen())
        found.attempts[entry.attempt.attempt] = entry.attempt
        if entry.trial is not None:
            found.last = _without_passed(entry)
            found.calls = entry.calls or found.calls
    return seen


def _without_passed(entry: Entry) -> Entry:
    # A trial has hundreds of tests that passed; 10,000 trials of them would not fit in memory.
    failed = tuple(test for test in entry.tests if _is_failed(test))
    return entry.model_copy(update={"tests": failed})


def _gathered(paths: RunPaths, trial: TrialRecord, seen: _Seen) -> Gathered:
    attempts = [seen.attempts[number] for number in sorted(seen.attempts)]
    calls = seen.calls if trial.model_calls else ()
    failed = seen.last.tests if seen.last else ()
    return Gathered(paths.trial(trial.trial_id), trial, attempts, calls, failed)
