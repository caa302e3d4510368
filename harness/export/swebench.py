"""Patches of a run as SWE-bench predictions; `run agent=predictions from=FILE` reads them back."""

from dataclasses import dataclass
from pathlib import Path

from harness.analysis.frame import read_trial_records, write_file
from harness.errors import BadInput
from harness.paths import RunPaths
from harness.predictions import Instance, Prediction, lines
from harness.records import TrialRecord


@dataclass(frozen=True)
class Predictions:
    """The file, and a line for each trial that is not in it."""

    path: Path
    left_out: tuple[str, ...]


def export(folder: Path, out: Path) -> Predictions:
    """Write one line a trial that has a patch; JSON holds text, so a patch must be UTF-8.

    Raises:
        BadInput: the folder holds no trial that has ended, or none has such a patch.
    """
    paths = RunPaths(folder)
    made, left_out = [], []
    for trial in read_trial_records(folder):
        patch = paths.trial(trial.trial_id).patch
        try:
            made.append(_prediction(trial, patch.read_bytes().decode()))
        except FileNotFoundError:
            left_out.append(f"left out, no patch.diff there: {trial.trial_id}")
        except UnicodeDecodeError:
            left_out.append(f"left out, its patch.diff is not UTF-8: {trial.trial_id}")
    if not made:
        raise BadInput(f"{paths.trials}: no trial has a patch.diff of UTF-8 there")
    return Predictions(write_file(out / "predictions.jsonl", "".join(lines(made))), tuple(left_out))


def _prediction(trial: TrialRecord, patch: str) -> Prediction:
    instance = Instance(
        trial.task, trial.arm, trial.scope, trial.context_budget, trial.repeat, trial.dose
    )
    names = (trial.agent, trial.model, trial.variant if trial.model is None else None)
    return Prediction(
        instance_id=str(instance),
        model_name_or_path=":".join(name for name in names if name),
        model_patch=patch,
    )
