"""A trial as a sample: scores, usage, limit, and its record as metadata."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from inspect_ai.log import EvalError, EvalSample, EvalSampleLimit
from inspect_ai.model import ModelOutput, ModelUsage
from inspect_ai.scorer import CORRECT, INCORRECT, Score

from harness.analysis.order import FACTORS
from harness.export.inspect.events import events
from harness.export.inspect.talk import NO_MODEL, Spoken, output, speak, usage
from harness.export.turns import Talk
from harness.llm import Usage
from harness.records import TrialRecord

SCORES = ("resolved", *FACTORS)
_LIMITS = {
    "turns": "turn",
    "tokens": "token",
    "output_tokens": "token",
    "seconds": "working",
    "wall_seconds": "time",
    "usd": "cost",
    "study_usd": "cost",
    "study_turns": "turn",
    "study_tokens": "token",
    "study_output_tokens": "token",
    "context": "context",
}
"""endings that are limits, in Inspect's words"""


@dataclass(frozen=True)
class Held:
    """A trial with what its folder holds of it."""

    trial: TrialRecord
    talk: Talk | None
    patch: str | None


def digest_of(*parts: str | None) -> str:
    """An id as long as Inspect's own, the same for the same parts."""
    return hashlib.sha256("\0".join(part or "" for part in parts).encode()).hexdigest()[:22]


def sample_name(trial: TrialRecord) -> str:
    """Names the cell among those of its agent and model; controls alone have variants.

    What is played again, or was made elsewhere, has a key of each trial for a variant.
    """
    usual: dict[str, str | None] = {"scope": "all", "context_budget": "full"}
    usual |= {} if trial.model else {"variant": None}
    values = [
        getattr(trial, name) for name, value in usual.items() if getattr(trial, name) != value
    ]
    values += [] if trial.dose is None else [f"dose{trial.dose}"]
    return "/".join((trial.task, trial.arm, *values))


def sample(held: Held) -> EvalSample:
    """The sample of a trial."""
    trial = held.trial
    # Tables of several logs keep one row an id: the same trial of another run has another one.
    uuid = digest_of(trial.trial_id, trial.plan_digest, trial.started_at.isoformat())
    spoken = speak(held.talk, uuid) if held.talk else Spoken()
    asked = next((one.text for one in spoken.messages if one.role == "user"), trial.task)
    is_lost = trial.status == "lost"
    return EvalSample(
        id=sample_name(trial),
        epoch=trial.repeat + 1,
        uuid=uuid,
        input=asked,
        target="",
        messages=spoken.messages,
        events=list(events(spoken, trial, held.talk)) if held.talk else [],
        output=_output(trial, spoken),
        scores=None if is_lost else _scores(trial),
        metadata=trial.model_dump(mode="json"),
        store={} if held.patch is None else {"patch": held.patch},
        model_usage={trial.model: spent(trial)} if trial.model else {},
        started_at=trial.started_at.isoformat(),
        completed_at=(trial.started_at + timedelta(seconds=trial.wall_seconds)).isoformat(),
        total_time=trial.wall_seconds,
        working_time=trial.agent_seconds,
        turn_count=trial.model_calls,
        error=_error(trial) if is_lost else None,
        limit=_limit(trial, held.talk),
    )


def _error(trial: TrialRecord) -> EvalError:
    why = f"{trial.failure_cause}: {trial.failure_detail}"
    return EvalError(message=why, traceback=why, traceback_ansi=why)


def _scores(trial: TrialRecord) -> dict[str, Score]:
    factor, _, why = (trial.reason or "").partition(": ")
    reasons = {"resolved": trial.reason or trial.failure_detail, factor: why}
    return {name: _score(getattr(trial, name), reasons.get(name)) for name in SCORES}


def _score(held: bool | None, why: str | None) -> Score:
    if held is None:
        return Score.unscored(explanation="no evidence")
    return Score(value=CORRECT if held else INCORRECT, explanation=why)


def spent(trial: TrialRecord) -> ModelUsage:
    """What the trial's row says was used."""
    used = Usage(
        fresh_input=trial.fresh_input_tokens,
        cache_read=trial.cache_read_tokens,
        cache_write=trial.cache_write_tokens,
        output=trial.output_tokens,
        reasoning=trial.reasoning_tokens,
    )
    return usage(used, trial.cost_usd)


def _limit(trial: TrialRecord, talk: Talk | None) -> EvalSampleLimit | None:
    kind = _LIMITS.get(trial.agent_ending or "")
    if kind is None:
        return None
    ending = str(trial.agent_ending)
    name = "context_tokens" if ending == "context" else ending
    value = talk.told.limits.get(name) if talk else None
    return EvalSampleLimit(type=kind, limit=value or 0, reason=ending)


def _output(trial: TrialRecord, spoken: Spoken) -> ModelOutput:
    last = next((one for one in reversed(spoken.exchanges) if one.answer), None)
    return output(last) if last else ModelOutput(model=trial.model or NO_MODEL)
