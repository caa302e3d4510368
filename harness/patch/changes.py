"""How much a patch changes, as git itself counts it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, cast

Status = Literal["A", "M", "D", "R"]


@dataclass(frozen=True)
class FileChange:
    """One file: added, modified (also in kind or mode), deleted, or renamed from `old_path`.

    Lines of a binary file are not counted.
    """

    path: str
    old_path: str | None
    status: Status
    lines_added: int
    lines_deleted: int
    binary: bool


@dataclass(frozen=True)
class Changes:
    """All changes of a patch."""

    files: tuple[FileChange, ...] = ()
    hunks: int = 0

    @property
    def renamed(self) -> dict[str, str]:
        """The new path of each renamed file -> the old one."""
        return {file.path: file.old_path for file in self.files if file.old_path is not None}

    @property
    def lines_added(self) -> int:
        return sum(file.lines_added for file in self.files)

    @property
    def lines_deleted(self) -> int:
        return sum(file.lines_deleted for file in self.files)


def count(listing: bytes, text: bytes) -> Changes:
    """The changes from `git diff-tree -r -z --raw --numstat` and the text of the same diff."""
    tokens = iter(listing.decode().split("\0"))
    raw: list[tuple[Status, str, str | None]] = []
    files: list[FileChange] = []
    for token in tokens:
        if token.startswith(":"):
            raw.append(_raw(token, tokens))
        elif token:
            files.append(_counted(token, tokens, *raw[len(files)]))
    # In a diff made by git, a line of a file starts with a blank, plus or minus.
    return Changes(tuple(files), len(re.findall(rb"^@@ -", text, re.MULTILINE)))


def _raw(token: str, tokens: Iterator[str]) -> tuple[Status, str, str | None]:
    letter = token.rpartition(" ")[2][0]
    first = next(tokens)
    if letter == "R":
        return "R", next(tokens), first
    # T, a change of kind between file and link, is a modification to us.
    return cast("Status", letter.replace("T", "M")), first, None


def _counted(
    token: str, tokens: Iterator[str], status: Status, path: str, old_path: str | None
) -> FileChange:
    added, deleted, name = token.split("\t", 2)
    if not name:  # a rename: both names follow
        next(tokens), next(tokens)
    binary = added == "-"
    lines = (0, 0) if binary else (int(added), int(deleted))
    return FileChange(path, old_path, status, *lines, binary=binary)
