"""What a trial starts from: an arm's files with the visible tests, as tree and repository."""

import threading
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import BadInput, PatchRefused
from harness.pairs import Pair
from harness.patch import BaseRepository, Tree, apply_patch
from harness.tasks import Task


def app_tree(pair: Pair, arm: str) -> Tree:
    """The arm as its authors left it, visible tests laid in."""
    ignored = pair.spec.ignored
    tests = Tree.read(pair.visible_tests, ignored)
    return Tree.read(pair.arm_folder(arm), ignored).overlay(tests, "tests")


@dataclass
class Bases:
    """Base repositories by arm and task, made once and kept below `cache`."""

    cache: Path
    _made: dict[tuple[str, str, str], BaseRepository] = field(default_factory=dict)
    _trees: dict[tuple[str, str, str], Tree] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def tree(self, pair: Pair, arm: str, task: Task | None = None) -> Tree:
        """The files that an agent finds."""
        self.repository(pair, arm, task)
        return self._trees[_key(pair, arm, task)]

    def repository(self, pair: Pair, arm: str, task: Task | None = None) -> BaseRepository:
        """The repository whose one commit is the base. Raises BadInput for a bad base patch."""
        key = _key(pair, arm, task)
        with self._lock:
            if key not in self._made:
                tree = self._task_tree(pair, arm, task)
                self._made[key] = BaseRepository.create(self.cache / tree.digest[:32], tree)
                self._trees[key] = tree
            return self._made[key]

    def _task_tree(self, pair: Pair, arm: str, task: Task | None) -> Tree:
        patch = task.base_patch(arm) if task else None
        if patch is None:
            return app_tree(pair, arm)
        app = self.repository(pair, arm)
        try:
            return apply_patch(app, patch.read_bytes())
        except PatchRefused as error:
            raise BadInput(f"{patch}: {error}") from error


def _key(pair: Pair, arm: str, task: Task | None) -> tuple[str, str, str]:
    own_base = task is not None and task.spec.base is not None
    return pair.app, arm, task.id if task is not None and own_base else ""
