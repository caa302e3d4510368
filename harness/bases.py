"""What a trial starts from: an arm's files with the visible tests, as tree and repository."""

import threading
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from harness.errors import BadInput, PatchRefused
from harness.pairs import Pair
from harness.patch import BaseRepository, Tree, apply_patch
from harness.sandbox import Kept
from harness.tasks import Task
from harness.verifier.effort import code_lines
from harness.verifier.globs import matching
from harness.verifier.reach import imports_of, reach

_TESTS = "tests"
"""Where an arm's visible tests are laid, wherever its pair keeps them."""


def app_tree(pair: Pair, arm: str) -> Tree:
    """The arm as its authors left it, visible tests laid in.

    Raises BadInput for a file where programs leave their own: no patch would keep it.
    """
    ignored, is_left = pair.spec.ignored, matching(pair.spec.left)
    tests = Tree.read(pair.visible_tests, ignored)
    tree = Tree.read(pair.arm_folder(arm), ignored).overlay(tests, _TESTS)
    if lost := next(filter(is_left, sorted(tree.entries)), None):
        told = "what programs leave in a workspace lies there (pair.yaml: left); move it"
        raise BadInput(f"{pair.arm_folder(arm) / lost}: {told}")
    return tree


def own_code(tree: Tree) -> dict[str, bytes]:
    """The Python files of an arm by path, without its tests."""
    return {
        path: entry.content
        for path, entry in tree.entries.items()
        if path.endswith(".py") and not path.startswith(f"{_TESTS}/")
    }


def app_code_lines(tree: Tree) -> int:
    """Python lines of an arm, without tests, blank lines, comments and docstrings."""
    return sum(len(code_lines(path, content)) for path, content in own_code(tree).items())


@dataclass(frozen=True)
class View:
    """What an agent finds: a repository, and the files of the base that it does not see."""

    repository: BaseRepository
    hidden: Tree

    def whole(self, worked: Tree) -> Tree:
        """The agent's tree with the hidden files back; what the agent wrote there itself stays.

        Raises PatchRefused where both cannot be: a file in the place of a hidden folder.
        """
        if not self.hidden.entries:
            return worked
        try:
            return self.hidden.overlay(worked)
        except BadInput as error:
            raise PatchRefused(f"beside the files that were not shown: {error}") from error

    @cached_property
    def kept(self) -> Kept | None:
        """The hidden files as a sandbox keeps them, or None where nothing is hidden."""
        if not self.hidden.entries:
            return None
        files = {**self.repository.files.entries, **self.hidden.entries}
        imports = imports_of({p: e.content.decode() for p, e in files.items() if p.endswith(".py")})
        kept = imports.keys() & self.hidden.entries.keys()
        run = {path: reach(imports, [path]) for path in sorted(kept)}
        return Kept(
            self.hidden.tar(),
            needs={path: tuple(sorted(paths & kept)) for path, paths in run.items()},
            mixed=tuple(path for path, paths in run.items() if paths - kept),
            reached=tuple(sorted(reach(imports, imports.keys() - kept) & kept)),
        )


@dataclass
class Bases:
    """Base repositories by folder of the pair, arm and task, made once and kept below `cache`."""

    cache: Path
    _made: dict[tuple[str, str, str], BaseRepository] = field(default_factory=dict)
    _trees: dict[tuple[str, str, str], Tree] = field(default_factory=dict)
    _by_content: dict[str, BaseRepository] = field(default_factory=dict)
    _views: dict[tuple[str, str, str], View] = field(default_factory=dict)
    _sizes: dict[tuple[str, str], int] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def tree(self, pair: Pair, arm: str, task: Task | None = None) -> Tree:
        """The files that an agent finds."""
        self.repository(pair, arm, task)
        return self._trees[_key(pair, arm, task)]

    def code_lines(self, pair: Pair, arm: str) -> int:
        """How large the arm is, before any task."""
        with self._lock:
            key = (str(pair.folder), arm)
            if key not in self._sizes:
                self._sizes[key] = app_code_lines(self.tree(pair, arm))
            return self._sizes[key]

    def repository(self, pair: Pair, arm: str, task: Task | None = None) -> BaseRepository:
        """The repository whose one commit is the base. Raises BadInput for a bad base patch."""
        key = _key(pair, arm, task)
        with self._lock:
            if key not in self._made:
                tree = self._task_tree(pair, arm, task)
                self._made[key] = self._repository_of(tree)
                self._trees[key] = tree
            return self._made[key]

    def view(self, pair: Pair, arm: str, task: Task, scope: str) -> View:
        """What `scope` shows: `all`, or `own`: the task's contexts and the others' contracts.

        Raises BadInput for `own` where the arm names no contracts.
        """
        base = self.repository(pair, arm, task)
        if scope == "all":
            return View(base, Tree({}))
        with self._lock:
            key = (str(pair.folder), arm, task.id)
            if key not in self._views:
                self._views[key] = self._own_view(pair, arm, task)
            return self._views[key]

    def _own_view(self, pair: Pair, arm: str, task: Task) -> View:
        tree = self.tree(pair, arm, task)
        is_shown = matching(_shown(pair, arm, task))
        shown = {path: entry for path, entry in tree.entries.items() if is_shown(path)}
        hidden = {path: entry for path, entry in tree.entries.items() if path not in shown}
        own = Tree(shown)
        return View(self._repository_of(own), Tree(hidden))

    def _repository_of(self, tree: Tree) -> BaseRepository:
        """The repository of a tree; two doses or two tasks may show the same one."""
        if tree.digest not in self._by_content:
            made = BaseRepository.create(self.cache / tree.digest[:32], tree)
            self._by_content[tree.digest] = made
        return self._by_content[tree.digest]

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
    return str(pair.folder), arm, task.id if task is not None and own_base else ""


def _shown(pair: Pair, arm: str, task: Task) -> tuple[str, ...]:
    pair.refuse_own_without_contracts(arm)
    spec = pair.spec.arms[arm]
    files = [spec.contexts[context] for context in task.spec.contexts]
    own = [glob for each in files for glob in (*each.domain, *each.glue)]
    return (*own, *spec.shared, *spec.contracts, *pair.spec.protected)
