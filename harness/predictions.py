"""Patches made elsewhere: SWE-bench's prediction lines, one JSON object a line.

    {"instance_id": "...", "model_name_or_path": "...", "model_patch": "diff --git ..."}

An instance is a cell without its agent: app, task, arm, scope, context budget, repeat, and the dose
of couplings where it is known: app__task__arm__scope__budget__repeat or that with __dose2. A
task's own name may hold `__`. What other tools keep in a line besides is passed over.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, ValidationError

from harness.errors import BadInput
from harness.records import Record

_BETWEEN = "__"
_DOSE = "dose"


@dataclass(frozen=True)
class Instance:
    """What a patch was made for."""

    task: str
    """as app/name"""
    arm: str
    scope: str = "all"
    context_budget: str = "full"
    repeat: int = 0
    dose: int | None = None

    def __str__(self) -> str:
        app, _, name = self.task.partition("/")
        parts = [app, name, self.arm, self.scope, self.context_budget, str(self.repeat)]
        parts += [] if self.dose is None else [f"{_DOSE}{self.dose}"]
        return _BETWEEN.join(parts)


class Prediction(Record):
    """One line of the file."""

    model_config = ConfigDict(extra="ignore")
    instance_id: str
    model_name_or_path: str
    model_patch: Annotated[str, BeforeValidator(lambda patch: "" if patch is None else patch)]
    """null in the file, where no patch was made, is empty"""

    @property
    def key(self) -> str:
        """Short, and another for another model, instance or patch; fit for a folder's name."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]

    @property
    def instance(self) -> Instance:
        """Raises BadInput for an id that no instance has."""
        named, _, last = self.instance_id.rpartition(_BETWEEN)
        dose = last.removeprefix(_DOSE) if last.startswith(_DOSE) else None
        # A task may have a name with the sign in it: the rest is taken from both ends.
        first, *parts = (self.instance_id if dose is None else named).rsplit(_BETWEEN, 4)
        app, _, name = first.partition(_BETWEEN)
        numbers = parts[3:] + ([] if dose is None else [dose])
        if len(parts) != 4 or not name or not all(number.isdecimal() for number in numbers):
            raise BadInput(
                f"instance_id {self.instance_id!r}: must be app__task__arm__scope__budget__repeat, "
                "and may end in __doseN"
            )
        arm, scope, budget, repeat = parts
        given = None if dose is None else int(dose)
        return Instance(f"{app}/{name}", arm, scope, budget, int(repeat), given)


def read_predictions(path: Path) -> dict[tuple[str, Instance], Prediction]:
    """The predictions of a file by model and instance.

    Raises:
        BadInput: no such file, a line that is no prediction, or the same instance twice for one
            model; names file and line.
    """
    try:
        text = path.read_text("utf-8", "replace")
    except OSError as error:
        told = f"{error.strerror}; from= names a file of predictions (JSON lines)"
        raise BadInput(f"{path}: {told}") from None
    found: dict[tuple[str, Instance], Prediction] = {}
    # JSON takes as parts of a text what `splitlines` takes for ends of lines.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            prediction = Prediction.model_validate_json(line)
            key = (prediction.model_name_or_path, prediction.instance)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"]) or "line"
            raise BadInput(f"{path}:{number}: {field}: {first['msg']}") from None
        except BadInput as error:
            raise BadInput(f"{path}:{number}: {error}") from None
        if key in found:
            raise BadInput(f"{path}:{number}: instance_id {prediction.instance_id}: twice")
        found[key] = prediction
    return found


def lines(predictions: Iterable[Prediction]) -> Iterator[str]:
    """Predictions as the lines of a file."""
    for prediction in predictions:
        yield json.dumps(prediction.model_dump(), sort_keys=True) + "\n"
