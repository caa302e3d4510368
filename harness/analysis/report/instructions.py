"""The words of each task. A results folder holds their digest, the checkout may hold the words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import BadInput
from harness.specfile import read_spec
from harness.tasks import TaskSpec


@dataclass(frozen=True)
class Instruction:
    """What an agent was told to do; `note` says why `text` is empty."""

    text: str = ""
    note: str | None = None


def find_instructions(
    tasks: set[str], locks: Mapping[str, str], folder: Path, digest: Callable[[Path], str]
) -> dict[str, Instruction]:
    """The instruction of each task whose folder below `folder` is the one that `locks` names.

    A task that has changed since the run is not shown: other words would explain the results
    wrongly.
    """
    return {task: _find(task, locks, folder, digest) for task in tasks}


def _find(
    task: str, locks: Mapping[str, str], folder: Path, digest: Callable[[Path], str]
) -> Instruction:
    changed = _changed(task, locks, folder, digest)
    if changed is not None:
        return changed
    try:
        like = read_spec(folder / task / "task.yaml", TaskSpec).like
    except BadInput:
        return Instruction(note=f"The task file of {task} cannot be read.")
    if like is None:
        return _read(folder / task / "instruction.md", task)
    changed = _changed(like, locks, folder, digest)
    return changed or _read(folder / like / "instruction.md", like)


def _changed(
    task: str, locks: Mapping[str, str], folder: Path, digest: Callable[[Path], str]
) -> Instruction | None:
    """Why the words of a task cannot be shown; None where they can."""
    lock = locks.get(f"task/{task}")
    if lock is None or not (folder / task / "task.yaml").is_file():
        return Instruction(note=f"The words of {task} are not in this checkout.")
    if digest(folder / task) != lock:
        why = "its words of then are not in the results folder"
        return Instruction(note=f"{task} has changed since these trials ran; {why}.")
    return None


def _read(path: Path, task: str) -> Instruction:
    if not path.is_file():
        return Instruction(note=f"{task} has no instruction.md in this checkout.")
    return Instruction(path.read_text(encoding="utf-8", errors="replace"))
