"""Reading the workspace that comes out of an agent's sandbox."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from harness.errors import BadInput, PatchRefused
from harness.patch.archive import Member, members
from harness.patch.names import path_problem, shown
from harness.patch.tree import EXECUTABLE, FILE, LINK, Entry, Limits, Tree, excess
from harness.verifier.globs import matching


@dataclass(frozen=True)
class Workspace:
    """What the agent left, and one line for each thing that was left out of it unasked."""

    tree: Tree
    notes: tuple[str, ...] = ()


@dataclass
class _Reading:
    """What has been read so far. `seen` holds left-out entries too: hard links may name them."""

    tar: bytes
    limits: Limits
    seen: dict[str, Member] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    contents: dict[int, bytes] = field(default_factory=dict)


def read_workspace(
    tar: bytes, ignored: Iterable[str] = (), limits: Limits | None = None
) -> Workspace:
    """The tree in an agent's tar, in memory.

    The top-level `.git` and paths that match an `ignored` glob are left out; a nested `.git` is
    left out and noted. Hard links become copies.

    Raises PatchRefused for anything that is not a plain tree of files within the limits.
    """
    reading = _Reading(tar, limits or Limits())
    is_ignored = matching(ignored)
    for member in members(tar):
        path = _path(member)
        if not path:
            continue
        _register(reading, path, member)
        if not _left_out(reading, path) and not is_ignored(path) and member.kind != "folder":
            reading.entries[path] = _entry(reading, path, member)
    return Workspace(checked(reading.entries, reading.limits), tuple(reading.notes))


def checked(entries: dict[str, Entry], limits: Limits) -> Tree:
    """The entries as a tree. Raises PatchRefused where they make none, or exceed the limits."""
    if problem := excess(entries, limits):
        raise PatchRefused(problem)
    try:
        return Tree(entries)
    except BadInput as problem:
        raise PatchRefused(str(problem)) from None


def _path(member: Member) -> str:
    """The path in plain form, or nothing for the root itself."""
    path = member.name.decode(errors="surrogateescape")
    if member.kind == "folder":
        if path in {"", ".", "./"}:
            return ""
        path = path.removesuffix("/")
    path = path.removeprefix("./")
    return path if ".git" in path.split("/") else _plain(path)


def _plain(path: str) -> str:
    if problem := path_problem(path):
        raise PatchRefused(f"{shown(path)} {problem}")
    return path


def _register(reading: _Reading, path: str, member: Member) -> None:
    if path in reading.seen:
        raise PatchRefused(f"{shown(path)} is there twice")
    if len(reading.seen) >= reading.limits.entries:
        raise PatchRefused(f"there are more than {reading.limits.entries} files and folders")
    reading.seen[path] = _origin(reading, path, member) if member.kind == "hardlink" else member


def _origin(reading: _Reading, path: str, link: Member) -> Member:
    target = link.target.decode(errors="surrogateescape").removeprefix("./")
    origin = reading.seen.get(target)
    if origin is None or origin.kind == "folder":
        raise PatchRefused(f"{shown(path)} is a hard link to {shown(target)}, no file of the tree")
    return origin


def _left_out(reading: _Reading, path: str) -> bool:
    parts = path.split("/")
    if ".git" not in parts:
        return False
    if at := parts.index(".git"):
        folder = "/".join(parts[: at + 1])
        reading.notes[f"{shown(folder)} was left out: a repository within the workspace"] = None
    return True


def _entry(reading: _Reading, path: str, member: Member) -> Entry:
    origin = reading.seen[path]
    if origin.kind == "special":
        raise PatchRefused(f"{shown(path)} is a device, a FIFO or a socket")
    if origin.kind == "symlink":
        return Entry(LINK, origin.target)
    return Entry(EXECUTABLE if member.executable else FILE, _content(reading, origin))


def _content(reading: _Reading, origin: Member) -> bytes:
    """A file's bytes, shared between its hard links: many to a large one shall cost nothing."""
    if origin.offset not in reading.contents:
        end = origin.offset + origin.size
        reading.contents[origin.offset] = reading.tar[origin.offset : end]
    return reading.contents[origin.offset]
