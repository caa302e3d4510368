"""Patches of a run as SWE-bench predictions; `run agent=predictions from=FILE` reads them back."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.analysis.frame import read_trial_records, write_file
from harness.errors import BadInput
from harness.export.makers import first_twins, maker
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
        BadInput: the folder holds no trial that has ended, none has such a patch, or two are the
            same repeat of the same cell.
    """
    paths = RunPaths(folder)
    made: dict[str, Prediction] = {}
    left_out = []
    for trial in read_trial_records(folder):
        patch = paths.trial(trial.trial_id).patch
        try:
            made[trial.trial_id] = _prediction(trial, patch.read_bytes().decode())
        except FileNotFoundError:
            left_out.append(f"left out, no patch.diff there: {trial.trial_id}")
        except UnicodeDecodeError:
            left_out.append(f"left out, its patch.diff is not UTF-8: {trial.trial_id}")
    if not made:
        raise BadInput(f"{paths.trials}: no trial has a patch.diff of UTF-8 there")
    _refuse_twice(folder, made)
    written = write_file(out / "predictions.jsonl", "".join(lines(made.values())))
    return Predictions(written, tuple(left_out))


def _refuse_twice(folder: Path, made: Mapping[str, Prediction]) -> None:
    """Who reads a file with two lines of one name keeps one of them, or refuses it as we do."""
    keys = {trial: (one.instance_id, one.model_name_or_path) for trial, one in made.items()}
    if twins := first_twins(keys):
        (instance, model), other, trial = twins
        raise BadInput(
            f"{folder}: trials {other} and {trial} are both {instance} of {model}, "
            "and a file of predictions holds one of them; "
            "export joined studies one by one, and give each seed a name= of its own"
        )


def _prediction(trial: TrialRecord, patch: str) -> Prediction:
    instance = Instance(
        trial.task, trial.arm, trial.scope, trial.context_budget, trial.repeat, trial.dose
    )
    names = (maker(trial), trial.model, trial.variant if trial.model is None else None)
    return Prediction(
        instance_id=str(instance),
        model_name_or_path=":".join(name for name in names if name),
        model_patch=patch,
    )
