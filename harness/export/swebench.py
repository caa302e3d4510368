"""Patches of a run as SWE-bench predictions; `run agent=predictions from=FILE` reads them back."""

from pathlib import Path

from harness.analysis.frame import read_trial_records, write_file
from harness.errors import BadInput
from harness.paths import RunPaths
from harness.predictions import Instance, Prediction, lines
from harness.records import TrialRecord


def export(folder: Path, out: Path) -> list[Path]:
    """Write one line a trial that has a patch; the paths that were written.

    Raises:
        BadInput: the folder holds no trial that has ended, or none has a patch.
    """
    paths = RunPaths(folder)
    made = [_prediction(paths, trial) for trial in read_trial_records(folder)]
    if not any(made):
        raise BadInput(f"{paths.trials}: no trial has a patch.diff there")
    return [write_file(out / "predictions.jsonl", "".join(lines(p for p in made if p)))]


def _prediction(paths: RunPaths, trial: TrialRecord) -> Prediction | None:
    patch = paths.trial(trial.trial_id).patch
    if not patch.is_file():
        return None
    instance = Instance(
        trial.task, trial.arm, trial.scope, trial.context_budget, trial.repeat, trial.dose
    )
    names = (trial.agent, trial.model, trial.variant if trial.model is None else None)
    return Prediction(
        instance_id=str(instance),
        model_name_or_path=":".join(name for name in names if name),
        model_patch=patch.read_text("utf-8", "surrogateescape"),
    )
