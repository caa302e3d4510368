"""What a run wrote, a trial at a time: its row, its attempts and calls, the tests that failed."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from harness.analysis.frame import sort_trials
from harness.errors import BadInput
from harness.paths import RunPaths, TrialPaths
from harness.records import AttemptRecord, CallRecord, TestRecord, TrialRecord
from harness.store import Entry, read_entries


@dataclass
class Gathered:
    """One trial that has ended."""

    paths: TrialPaths
    trial: TrialRecord
    attempts: list[AttemptRecord]
    calls: tuple[CallRecord, ...]
    """those of the attempt that gave the row"""
    failed: tuple[TestRecord, ...]
    """the hidden tests that did not pass, in every fresh start"""


@dataclass
class _Seen:
    attempts: dict[int, AttemptRecord] = field(default_factory=dict)
    last: Entry | None = None


def gather(folder: Path) -> list[Gathered]:
    """Every ended trial in the order of the tables, whatever the order of the file.

    Raises:
        BadInput: there is no record file, no trial in it has ended, or a line of it is corrupt.
    """
    paths = RunPaths(folder)
    if not paths.records.is_file():
        raise BadInput(f"{folder}: no records.jsonl there; is it a results folder?")
    seen = _collect(read_entries(paths.records))
    trials = sort_trials(s.last.trial for s in seen.values() if s.last and s.last.trial)
    if not trials:
        raise BadInput(f"{paths.records}: no trial has ended yet; run the experiment again")
    return [_gathered(paths, trial, seen[trial.trial_id]) for trial in trials]


def _collect(entries: Iterable[Entry]) -> dict[str, _Seen]:
    seen: dict[str, _Seen] = {}
    for entry in entries:
        found = seen.setdefault(entry.attempt.trial_id, _Seen())
        found.attempts[entry.attempt.attempt] = entry.attempt
        if entry.trial is not None:
            found.last = _without_passed(entry)
    return seen


def _without_passed(entry: Entry) -> Entry:
    # A trial has hundreds of tests that passed; 10,000 trials of them would not fit in memory.
    failed = tuple(test for test in entry.tests if test.outcome not in {"passed", "skipped"})
    return entry.model_copy(update={"tests": failed})


def _gathered(paths: RunPaths, trial: TrialRecord, seen: _Seen) -> Gathered:
    attempts = [seen.attempts[number] for number in sorted(seen.attempts)]
    calls, failed = (seen.last.calls, seen.last.tests) if seen.last else ((), ())
    return Gathered(paths.trial(trial.trial_id), trial, attempts, calls, failed)
