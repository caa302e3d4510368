"""One log for each agent and model of a study."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby
from pathlib import Path

from inspect_ai.log import (
    EvalConfig,
    EvalDataset,
    EvalLog,
    EvalSpec,
    EvalStats,
    recompute_metrics,
    write_eval_log,
)
from inspect_ai.model import ModelUsage

from harness.analysis.frame import read_trial_records
from harness.errors import BadInput
from harness.export.inspect.sample import SCORES, Held, digest_of, sample, sample_name, spent
from harness.export.inspect.talk import NO_MODEL
from harness.export.makers import first_twins, maker
from harness.export.turns import read_talk
from harness.paths import RunPaths
from harness.plan import read_plan
from harness.records import TrialRecord

_AS_INSPECT = str.maketrans("_/:+", "----")
"""what its own writer changes in each part of a log's name"""


def export(folder: Path, out: Path) -> list[Path]:
    """Write one `.eval` log for each agent and model; the paths that were written.

    Raises:
        BadInput: no trial has ended, two are the same repeat of the same cell, or a conversation
            cannot be read.
    """
    paths = RunPaths(folder)
    plan = read_plan(paths)
    study = plan.name if plan else folder.resolve().name
    trials = sorted(read_trial_records(folder), key=_worker)
    _refuse_twice(folder, trials)
    out.mkdir(parents=True, exist_ok=True)
    return [_write(paths, study, list(group), out) for _, group in groupby(trials, _worker)]


def _worker(trial: TrialRecord) -> tuple[str, str]:
    return maker(trial), trial.model or ""


def _refuse_twice(folder: Path, trials: Sequence[TrialRecord]) -> None:
    """Studies with seeds of their own, joined, repeat one another's cells: Inspect keeps one."""
    keys = {one.trial_id: (_worker(one), sample_name(one), one.repeat) for one in trials}
    if twins := first_twins(keys):
        (_, name, repeat), other, one = twins
        raise BadInput(
            f"{folder}: trials {other} and {one} are both repeat {repeat} of {name}, and "
            "a log keeps one of them; export the studies that were joined one by one"
        )


def _write(paths: RunPaths, study: str, trials: Sequence[TrialRecord], out: Path) -> Path:
    made = log(study, [_held(paths, trial) for trial in trials])
    # Inspect lists a log as its name says, split at `_`: time, task, and the task's id.
    stamp = min(trial.started_at for trial in trials).strftime("%Y-%m-%dT%H-%M-%S-00-00")
    path = out / f"{stamp}_{study.translate(_AS_INSPECT)}_{made.eval.task_id}.eval"
    write_eval_log(made, str(path), format="eval")
    return path


def _held(paths: RunPaths, trial: TrialRecord) -> Held:
    patch = paths.trial(trial.trial_id).patch
    text = patch.read_bytes().decode(errors="replace") if patch.is_file() else None
    return Held(trial, read_talk(paths, trial), text)


def log(study: str, held: Sequence[Held]) -> EvalLog:
    """The log of one agent's trials with one model."""
    trials = [one.trial for one in held]
    ends = [trial.started_at + timedelta(seconds=trial.wall_seconds) for trial in trials]
    model = trials[0].model
    made = EvalLog(
        status="success",
        eval=_spec(study, trials),
        stats=EvalStats(
            started_at=min(trial.started_at for trial in trials).isoformat(),
            completed_at=max(ends).isoformat(),
            model_usage={model: _spent(trials)} if model else {},
        ),
        samples=[sample(one) for one in held],
    )
    recompute_metrics(made)
    return made


def _spent(trials: Sequence[TrialRecord]) -> ModelUsage:
    """What they used together. Inspect's own sum passes over costs that are not known."""
    usage = sum((spent(trial) for trial in trials), ModelUsage())
    if any(trial.cost_usd is None for trial in trials):
        usage.total_cost = None
    return usage


def _spec(study: str, trials: Sequence[TrialRecord]) -> EvalSpec:
    first = trials[0]
    solver, model = _worker(first)
    names = list(dict.fromkeys(map(sample_name, trials)))
    plans = sorted({trial.plan_digest for trial in trials})
    created = min(trial.started_at for trial in trials).isoformat()
    # Its types of scorers are not public: they are validated from what they say.
    scorers = [{"name": name, "metrics": [{"name": "inspect_ai/accuracy"}]} for name in SCORES]
    spec = EvalSpec(
        eval_id=digest_of(study, created, *plans, solver, model),
        run_id=digest_of(study, created, *plans),
        task_id=digest_of(study, solver, model),
        created=created,
        task=f"seambench/{study}",
        solver=solver,
        model=model or NO_MODEL,
        dataset=EvalDataset(name=study, samples=len(names), sample_ids=names),
        config=EvalConfig(
            epochs=max(trial.repeat for trial in trials) + 1, epochs_reducer=["mean"]
        ),
        metadata={"agent": first.agent, "plan_digest": plans},
    )
    return EvalSpec.model_validate(spec.model_dump() | {"scorers": scorers})
