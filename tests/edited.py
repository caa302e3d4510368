"""Solutions and sabotages with some of their code edited, and what predicates say of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from harness.bases import Bases
from harness.pairs import load_pairs
from harness.patch import apply_patch
from harness.paths import find_checkout
from harness.tasks import load_tasks
from harness.verification import Known, Subject, settings
from harness.verifier.structure import load_predicates, why_not
from harness.verifier.tree import Tree

CHECKOUT = find_checkout()
PAIRS = load_pairs(CHECKOUT)
ARMS = ("monolith", "modular", "microservices")


@dataclass(frozen=True)
class Edited:
    """A solution or sabotage (`base`: the untouched app), with the files of contexts edited.

    `contexts` are their names, with a space between two. An edit is a pattern and what it becomes,
    in every file of Python where it is found.
    """

    what: str
    task: str
    start: str
    contexts: str
    edits: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return f"{self.task}: {self.what}"


def whole(pattern: str) -> str:
    """A pattern of a file that holds this, in three groups."""
    return rf"(?s)\A(.*?)({pattern})(.*)\Z"


def appended(mark: str, text: str) -> tuple[str, str]:
    """The edit that puts text at the end of the file that holds the mark."""
    return rf"(?s)\A(.*{mark}.*)\Z", rf"\1\n\n{text}\n"


@pytest.fixture(scope="session")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Bases:
    return Bases(tmp_path_factory.mktemp("bases"))


def reasons(bases: Bases, edited: Edited, arm: str) -> Mapping[str, str | None]:
    """Predicate -> why it does not hold on what was edited."""
    (task,) = load_tasks(CHECKOUT, PAIRS, [edited.task])
    pair = PAIRS[task.spec.app]
    repository, base = bases.repository(pair, arm, task), bases.tree(pair, arm, task)
    start = base
    if edited.start != "base":
        patch = task.folder / edited.start / f"{arm}.patch"
        start = apply_patch(repository, patch.read_bytes())
    told = settings(Subject(pair, arm, base, start, task), Known(b""))
    before = Tree({path: entry.content for path, entry in base.entries.items()}, told)
    files = {path: entry.content for path, entry in start.entries.items()}
    view, names = Tree(files, told, before), edited.contexts.split()
    own = [file.path for name in names for file in view.context(name).python]
    for pattern, new in edited.edits:
        after = {path: re.sub(pattern, new, files[path].decode()).encode() for path in own}
        assert any(files[path] != content for path, content in after.items()), pattern
        files |= after
    tree = Tree(files, told, before)
    predicates = load_predicates(task.predicates, task.spec.predicates)
    named = zip(task.spec.predicates, predicates, strict=True)
    return {name: why_not(predicate, tree) for name, predicate in named}
