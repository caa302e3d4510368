"""Solutions and sabotages with some of their code edited, and what predicates say of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from harness.bases import Bases
from tests.trees import start_of


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
    start = start_of(bases, edited.task, edited.start, arm)
    files, view = dict(start.files), start.tree({})
    own = [f.path for name in edited.contexts.split() for f in view.context(name).python]
    for pattern, new in edited.edits:
        after = {path: re.sub(pattern, new, files[path].decode()).encode() for path in own}
        assert any(files[path] != content for path, content in after.items()), pattern
        files |= after
    return start.reasons(files)
