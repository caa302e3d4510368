"""A tree of files as a value: what git would commit, without its history."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Self

from harness.errors import BadInput
from harness.patch.archive import write_tar
from harness.patch.names import (
    is_git_name,
    is_gitmodules_name,
    path_problem,
    shown,
    text_problem,
)
from harness.verifier.globs import matching

FILE = 0o100644
EXECUTABLE = 0o100755
LINK = 0o120000

_STEPS = 200  # bounds the work on links to links to links; real ones take a few


@dataclass(frozen=True)
class Limits:
    """Bounds of a workspace and of what a patch may make. Folders count as entries."""

    file_bytes: int = 10 * 2**20
    total_bytes: int = 64 * 2**20
    entries: int = 20_000


@dataclass(frozen=True)
class Entry:
    """One file (`FILE`, `EXECUTABLE`) or symbolic link (`LINK`, whose bytes are its target)."""

    mode: int
    content: bytes


@dataclass(frozen=True)
class Tree:
    """Paths with their entries, in order.

    Always valid: plain relative UTF-8 paths, no `.git`, no path below a file, no link that leaves
    the tree. Raises BadInput otherwise.
    """

    entries: Mapping[str, Entry]

    def __post_init__(self) -> None:
        if problem := _problem(self.entries):
            raise BadInput(problem)
        ordered = MappingProxyType(dict(sorted(self.entries.items())))
        object.__setattr__(self, "entries", ordered)

    @classmethod
    def read(cls, folder: Path, ignored: tuple[str, ...] = ()) -> Self:
        """The files below a folder; links are kept as links, empty folders are left out."""
        is_ignored = matching(ignored)
        paths = (path.relative_to(folder).as_posix() for path in _walk(folder))
        return cls({path: _read(folder / path) for path in paths if not is_ignored(path)})

    def overlay(self, other: "Tree", prefix: str = "") -> "Tree":
        """This tree with the other's files laid over it, below the folder `prefix`."""
        start = f"{prefix.rstrip('/')}/" if prefix else ""
        moved = {start + path: entry for path, entry in other.entries.items()}
        return Tree({**self.entries, **moved})

    def tar(self, prefix: str = "") -> bytes:
        """An uncompressed tar, the same bytes for the same tree, below the folder `prefix`."""
        rows = ((path, entry.mode, entry.content) for path, entry in self.entries.items())
        return write_tar(rows, prefix)

    @property
    def digest(self) -> str:
        """SHA-256 over paths, modes and contents."""
        total = hashlib.sha256()
        for path, entry in self.entries.items():
            total.update(b"%o %s\0%d\0" % (entry.mode, path.encode(), len(entry.content)))
            total.update(entry.content)
        return total.hexdigest()


def parents(path: str) -> Iterator[str]:
    """The folders that a path lies in, nearest first, without the root."""
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def excess(entries: Mapping[str, Entry], limits: Limits) -> str | None:
    """Which limit the entries exceed, or None."""
    for path, entry in entries.items():
        if len(entry.content) > limits.file_bytes:
            return f"{shown(path)} is larger than {limits.file_bytes} bytes"
    if sum(len(entry.content) for entry in entries.values()) > limits.total_bytes:
        return f"the files are larger than {limits.total_bytes} bytes together"
    if len(entries) + len(_folders(entries)) > limits.entries:
        return f"there are more than {limits.entries} files and folders"
    return None


def _folders(entries: Mapping[str, Entry]) -> set[str]:
    return {folder for path in entries for folder in parents(path)}


def _problem(entries: Mapping[str, Entry]) -> str | None:
    for path, entry in entries.items():
        problem = path_problem(path)
        if problem is None and entry.mode == LINK:
            problem = _link_problem(entries, path)
        if problem is None and entry.mode not in {FILE, EXECUTABLE, LINK}:
            problem = f"has the mode {entry.mode:o}, which is no file or link"
        if problem:
            return f"{shown(path)} {problem}"
    both = entries.keys() & _folders(entries)
    return f"{shown(min(both))} is both a file and a folder" if both else None


def _link_problem(entries: Mapping[str, Entry], path: str) -> str | None:
    """Read the link by its names, then as a kernel would.

    To a kernel `folder/..` is the parent of what `folder` points to.
    """
    if is_gitmodules_name(path.rpartition("/")[2]):
        return "is a link in place of .gitmodules"
    target = _target(entries[path])
    if problem := text_problem(target):
        return f"is a link whose target {problem}"
    if target.startswith("/"):
        return f"is a link to the absolute path {shown(target)}"
    if any(map(is_git_name, target.split("/"))):
        return f"is a link into a .git folder ({shown(target)})"
    place = os.path.normpath(f"{path}/../{target}")  # a sandbox judges by the names alone
    if place.split("/")[0] == "..":
        return f"is a link out of the tree by its names ({shown(target)})"
    return _follow(entries, path)


def _target(link: Entry) -> str:
    return link.content.decode(errors="surrogateescape")


def _follow(entries: Mapping[str, Entry], path: str) -> str | None:
    position = path.split("/")
    todo: list[str] = []
    for _step in range(_STEPS):
        here = entries.get("/".join(position))
        if here is not None and here.mode == LINK:
            position.pop()
            todo.extend(reversed(_target(here).split("/")))
        if not todo:
            return None
        part = todo.pop()
        if part == ".." and not position:
            return f"is a link out of the tree ({shown(entries[path].content)})"
        if part == "..":
            position.pop()
        elif part not in {"", "."}:
            position.append(part)
    return "is a link that loops or is too long"


def _walk(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        raise BadInput(f"{folder} is not a folder")
    for place, folders, files in os.walk(folder):
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        yield from (Path(place) / name for name in (*files, *links))


def _read(path: Path) -> Entry:
    if path.is_symlink():
        return Entry(LINK, os.fsencode(path.readlink()))
    if not path.is_file():
        raise BadInput(f"{path} is neither a file, a folder nor a link")
    mode = EXECUTABLE if path.stat().st_mode & 0o100 else FILE
    return Entry(mode, path.read_bytes())
