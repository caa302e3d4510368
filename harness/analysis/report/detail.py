"""What an opened trial shows besides its conversation: verdict, patch, tokens and time."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from pydantic import BaseModel, ValidationError

from harness.analysis.order import FACTORS
from harness.analysis.report.blobs import PART_CHARACTERS, PATCH_CHARACTERS, Clip, clip
from harness.analysis.report.gather import Gathered
from harness.records import TestRecord, TrialRecord

TESTS = 25
"""Failed tests that the page names; the others are counted."""


class Factor(BaseModel):
    """One factor of a verdict."""

    holds: bool | None
    reason: str | None


class Verdict(BaseModel):
    """`score.json`."""

    factors: dict[str, Factor]


@dataclass(frozen=True)
class FailedTest:
    """A hidden test that did not pass, in one line."""

    test: str
    starts: list[int]
    message: str


@dataclass(frozen=True)
class Detail:
    """What the page needs to show a trial's verdict and effort."""

    record: list[object]
    """every column of the trial's row, in order"""
    factors: list[tuple[str, bool | None, str | None]]
    note: str | None
    failed: list[FailedTest]
    failed_left_out: int
    attempts: list[tuple[int, str, str | None, float]]
    calls: list[list[object]]


@dataclass(frozen=True)
class PatchText:
    """A patch as the page shows it; `note` says why there is none."""

    text: str
    lines_left_out: int
    note: str | None


CALL_COLUMNS = (
    "call", "status", "stop", "tries", "fresh_input_tokens", "cache_read_tokens",
    "cache_write_tokens", "output_tokens", "reasoning_tokens", "seconds", "cost_usd",
)  # fmt: skip


def detail(found: Gathered) -> dict[str, object]:
    """The document of a trial's verdict and effort."""
    factors, note = _factors(found)
    failed = _failed(found.failed)
    whole = Detail(
        record=list(found.trial.model_dump(mode="json").values()),
        factors=factors,
        note=note,
        failed=failed[:TESTS],
        failed_left_out=max(0, len(failed) - TESTS),
        attempts=[(a.attempt, a.status, a.failure_detail, a.wall_seconds) for a in found.attempts],
        calls=[[getattr(call, name) for name in CALL_COLUMNS] for call in found.calls],
    )
    return asdict(whole)


def patch_text(found: Gathered) -> dict[str, object]:
    """The document of a trial's patch."""
    return asdict(_patch(found))


def _patch(found: Gathered) -> PatchText:
    where = f"trials/{found.trial.trial_id}/patch.diff"
    try:
        text = found.paths.patch.read_bytes().decode(errors="replace")
    except FileNotFoundError:
        why = f"{where} is not there" if found.has_files else "this folder holds tables only"
        return PatchText("", 0, f"There is no patch: {why}.")
    except OSError as error:
        return PatchText("", 0, f"The patch cannot be read: {where}: {error.strerror}.")
    if not text:
        return PatchText("", 0, "The patch is empty: nothing was changed.")
    kept = text[:PATCH_CHARACTERS]
    if len(kept) < len(text):
        kept = kept[: kept.rfind("\n") + 1] or kept
    return PatchText(kept, text[len(kept) :].count("\n"), None)


def _factors(
    found: Gathered,
) -> tuple[list[tuple[str, bool | None, str | None]], str | None]:
    """Each factor as `score.json` tells it, or as the record does and why."""
    where = f"trials/{found.trial.trial_id}/score.json"
    try:
        told = Verdict.model_validate_json(found.paths.score.read_bytes()).factors
    except FileNotFoundError:
        why = f"There is no {where}" if found.has_files else "This folder holds tables only"
        return _recorded(found.trial), f"{why}; this is what the record says."
    except (OSError, ValidationError):
        return _recorded(found.trial), f"{where} cannot be read; this is what the record says."
    unknown = Factor(holds=None, reason=None)
    chosen = {name: told.get(name, unknown) for name in FACTORS}
    return [(name, f.holds, _short(f.reason)) for name, f in chosen.items()], None


def _recorded(trial: TrialRecord) -> list[tuple[str, bool | None, str | None]]:
    name, _, why = (trial.reason or "").partition(": ")
    return [(f, getattr(trial, f), _short(why) if f == name else None) for f in FACTORS]


def _short(reason: str | None) -> str | None:
    text: Clip = clip(reason or "", PART_CHARACTERS)
    return (text if isinstance(text, str) else " … ".join((text[0], text[2]))) or None


def _failed(tests: Sequence[TestRecord]) -> list[FailedTest]:
    by_name: dict[str, FailedTest] = {}
    for test in tests:
        one = by_name.setdefault(test.test, FailedTest(test.test, [], test.message or test.outcome))
        one.starts.append(test.start)
    return list(by_name.values())
