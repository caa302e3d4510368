"""Finding and checking tasks."""

import os
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from harness.errors import BadInput
from harness.pairs import Pair
from harness.paths import Checkout
from harness.specfile import choose, read_spec, read_text
from harness.tasks.lint import architecture_words
from harness.tasks.spec import TaskSpec

_SOURCES = ("app.patch", "extra.patch")
PatchKind = Literal["solutions", "sabotages"]


@dataclass(frozen=True)
class Task:
    """A task and the folder it lies in."""

    spec: TaskSpec
    folder: Path

    @property
    def id(self) -> str:
        """`app/name`."""
        return f"{self.folder.parent.name}/{self.folder.name}"

    @property
    def words(self) -> Path:
        """The folder of what is the same for every app of one behaviour."""
        return self.folder if self.spec.like is None else self.folder.parents[1] / self.spec.like

    @property
    def instruction(self) -> str:
        return read_text(self.words / "instruction.md")

    @property
    def predicates(self) -> Path:
        return self.words / "predicates.py"

    @property
    def hidden(self) -> Path:
        return self.words / "hidden"

    def patch(self, kind: PatchKind, name: str, arm: str) -> Path:
        """The file of a solution or a sabotage."""
        return self.folder / kind / name / f"{arm}.patch"

    def base_patch(self, arm: str) -> Path | None:
        """The patch that makes the task's base from the app, or None where the app is the base."""
        return None if self.spec.base is None else self.folder / self.spec.base / f"{arm}.patch"


def load_tasks(checkout: Checkout, pairs: dict[str, Pair], globs: list[str]) -> list[Task]:
    """The tasks that match any of `globs` (over `app/name`), in order of id.

    Raises BadInput for a glob that matches nothing and for a task that does not check.
    """
    files = sorted(checkout.tasks.glob("*/*/task.yaml"))
    ids = {f"{path.parent.parent.name}/{path.parent.name}": path for path in files}
    chosen: dict[str, Path] = {}
    for glob in globs:
        matches = {name: path for name, path in ids.items() if fnmatchcase(name, glob)}
        if not matches:
            raise BadInput(f"tasks: {glob!r} matches none of: {', '.join(ids) or 'no tasks'}")
        chosen |= matches
    return [_load(path, pairs) for _, path in sorted(chosen.items())]


def _load(path: Path, pairs: dict[str, Pair]) -> Task:
    task = Task(read_spec(path, TaskSpec), path.parent)
    choose("app", task.spec.app, sorted(pairs), f"{path}: app")
    if task.spec.app != path.parent.parent.name:
        raise BadInput(f"{path}: app: must be the folder's name, {path.parent.parent.name!r}")
    pair = pairs[task.spec.app]
    for context in task.spec.contexts:
        choose("context", context, list(pair.spec.contexts), f"{path}: contexts")
    if known := set(task.spec.new_contexts) & set(pair.spec.contexts):
        raise BadInput(f"{path}: new_contexts: {pair.app} has a context {min(known)!r} already")
    _check_files(path, task, list(pair.spec.arms))
    _check_instruction(task)
    return task


def _check_files(path: Path, task: Task, arms: list[str]) -> None:
    needed = [task.predicates, task.words / "instruction.md"]
    for arm in arms:
        needed += [task.patch("solutions", name, arm) for name in task.spec.solutions]
        needed += [task.patch("sabotages", name, arm) for name in task.spec.sabotages]
        base = task.base_patch(arm)
        needed += [base] if base else []
    for file in needed:
        if not file.is_file():
            raise BadInput(f"{path}: {os.path.relpath(file, task.folder)} is missing")
    if not list(task.hidden.glob("test_*.py")):
        raise BadInput(f"{path}: hidden/ holds no test_*.py")
    for kind, listed in (("solutions", task.spec.solutions), ("sabotages", task.spec.sabotages)):
        for folder in sorted(path.parent.glob(f"{kind}/*/")):
            if folder.name not in listed:
                raise BadInput(f"{path}: {kind}/{folder.name}/ is there and not listed")
    for patch in path.parent.glob("s*/*/*.patch"):
        if patch.name not in _SOURCES and not patch.name.endswith(".extra.patch"):
            choose("arm", patch.stem, arms, str(patch))


def _check_instruction(task: Task) -> None:
    for number, word in architecture_words(task.instruction):
        where = task.words / "instruction.md"
        raise BadInput(f"{where}:{number}: {word!r} names an architecture; use domain words")
