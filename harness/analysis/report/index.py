"""What the page filters, sorts and searches: columns, with repeated words as codes."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from harness.analysis.order import FACTORS
from harness.records import TrialRecord, columns

WORDS = (
    "arm", "task", "task_class", "agent", "model", "scope", "context_budget", "dose", "status",
    "resolved", "reason", "variant", "failure_cause",
)  # fmt: skip
NUMBERS = (
    "repeat", "input_tokens", "output_tokens", "cost_usd", "wall_seconds", "lines_added",
    "lines_deleted",
)  # fmt: skip


@dataclass(frozen=True)
class Parts:
    """The numbers of a trial's blobs."""

    detail: int
    instruction: int
    talk: int
    patch: int


@dataclass(frozen=True)
class Coded:
    """A column of words: each word once, sorted, and the place of each row's word."""

    values: list[str]
    codes: list[int]


def index(trials: Sequence[TrialRecord], parts: Sequence[Parts]) -> dict[str, object]:
    """The document that the page reads first."""
    return {
        "ids": [trial.trial_id for trial in trials],
        "factors": FACTORS,
        "refused": [_refused(trial) for trial in trials],
        "words": {name: asdict(_code(_word(t, name) for t in trials)) for name in WORDS},
        "numbers": {name: [_number(trial, name) for trial in trials] for name in NUMBERS},
        "parts": [list(vars(part).values()) for part in parts],
        "record": [(c.name, c.unit, c.meaning) for c in columns(TrialRecord)],
    }


def _refused(trial: TrialRecord) -> int:
    """A bit for each factor that did not hold; a factor without evidence has none."""
    return sum(1 << place for place, name in enumerate(FACTORS) if getattr(trial, name) is False)


def _word(trial: TrialRecord, name: str) -> str:
    if name == "resolved":
        return "yes" if trial.resolved else "no"
    if name == "reason":
        return trial.reason or trial.failure_detail or ""
    value = getattr(trial, name)
    return "none" if value is None else str(value)


def _number(trial: TrialRecord, name: str) -> float | None:
    value: float | None = getattr(trial, name)
    return round(value, 4) if isinstance(value, float) else value


def _code(words: Iterable[str]) -> Coded:
    every = list(words)
    values = sorted(set(every))
    places = {value: place for place, value in enumerate(values)}
    return Coded(values, [places[word] for word in every])
