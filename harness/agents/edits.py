"""The edits in a one-shot answer: search/replace blocks and whole files."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_OPEN = re.compile(r"^<{5,9} ?(SEARCH|FILE)\s*$")
_MIDDLE = re.compile(r"^={5,9}\s*$")
_CLOSE = re.compile(r"^>{5,9} ?(REPLACE|END)\s*$")
_DECORATION = "`*#: \t"


@dataclass(frozen=True)
class Edit:
    """One edit; `old` is null for a whole file. `problem` says why it cannot be one."""

    path: str
    old: str | None
    new: str
    problem: str | None = None


def parse_edits(answer: str) -> Iterator[Edit]:
    """Every edit that an answer tries to make, malformed ones with their problem."""
    lines = answer.splitlines()
    index = 0
    while index < len(lines):
        opened = _OPEN.match(lines[index])
        if opened is None:
            index += 1
            continue
        end = _end(lines, index + 1)
        yield _edit(opened[1], _path(lines, index), lines[index + 1 : end], end < len(lines))
        index = end + 1


def apply_edit(edit: Edit, files: dict[str, str]) -> str | None:
    """Change `files` in place; the reason where the edit does not apply."""
    if edit.problem is not None:
        return edit.problem
    if edit.old is None:
        files[edit.path] = edit.new
        return None
    if edit.path not in files:
        return "no such file"
    count = files[edit.path].count(edit.old) if edit.old else 0
    if count != 1:
        return f"the text to replace is there {count} times, must be once"
    files[edit.path] = files[edit.path].replace(edit.old, edit.new)
    return None


def _end(lines: list[str], start: int) -> int:
    """Where the block closes, or the next one opens, or the answer ends."""
    for index in range(start, len(lines)):
        if _CLOSE.match(lines[index]):
            return index
    return len(lines)


def _path(lines: list[str], opened: int) -> str:
    """The nearest line above that is not empty and no fence."""
    for line in reversed(lines[:opened]):
        bare = line.strip()
        if bare and not bare.startswith("```"):
            return bare.strip(_DECORATION).removeprefix("/work/").removeprefix("./")
    return ""


def _edit(kind: str, path: str, body: list[str], is_closed: bool) -> Edit:
    problem = None if is_closed else "the block has no end"
    if not path or " " in path or path.startswith(("/", "<")) or ".." in path.split("/"):
        problem = problem or "no file is named above the block"
    if kind == "FILE":
        return Edit(path, None, _text(body), problem)
    middles = [index for index, line in enumerate(body) if _MIDDLE.match(line)]
    if len(middles) != 1:
        return Edit(path, "", "", problem or f"the block has {len(middles)} dividing lines, not 1")
    old, new = body[: middles[0]], body[middles[0] + 1 :]
    return Edit(path, _text(old), _text(new), problem)


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
