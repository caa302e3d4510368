"""The edits in a one-shot answer: search/replace blocks and whole files.

Lines end at a line feed and nowhere else: form feeds and the like are a part of the code. A file
keeps its own line ends, whatever those of the answer are.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_OPEN = re.compile(r"^<{5,9} ?(SEARCH|FILE)\s*$")
_MIDDLE = re.compile(r"^={5,9}\s*$")
_CLOSE = re.compile(r"^>{5,9} ?(REPLACE|END)\s*$")
_DECORATION = "`*#: \t"
_LINE_END = r"\r?\n|(?<=[^\n])\Z"
"""Of a whole line; the last one of a file may have none."""


@dataclass(frozen=True)
class Edit:
    """One edit; `old` is null for a whole file. `problem` says why it cannot be one."""

    path: str
    old: str | None
    new: str
    problem: str | None = None


def parse_edits(answer: str) -> Iterator[Edit]:
    """Every edit that an answer tries to make, malformed ones with their problem."""
    lines = answer.replace("\r\n", "\n").split("\n")
    path, start, index = "", 0, 0
    while index < len(lines):
        opened = _OPEN.match(lines[index])
        index += 1
        if opened is None:
            continue
        path = _path(lines[start : index - 1], path)
        end = _end(lines, index)
        is_closed = end < len(lines) and _CLOSE.match(lines[end]) is not None
        yield _edit(opened[1], path, lines[index:end], is_closed)
        # The name above the next block stands in the body of one without an end.
        start, index = (end + 1, end + 1) if is_closed else (index, end)


def apply_edit(edit: Edit, files: dict[str, str]) -> str | None:
    """Change `files` in place; the reason where the edit does not apply."""
    if edit.problem is not None:
        return edit.problem
    if edit.old is None:
        files[edit.path] = edit.new.replace("\n", _usual_end(files.get(edit.path, "")))
        return None
    if edit.path not in files:
        return "no such file"
    text = files[edit.path]
    found = list(_whole_lines(edit.old).finditer(text)) if edit.old else []
    if len(found) != 1:
        return f"the text to replace is there {len(found)} times, must be once"
    start, end = found[0].span("lines")
    new = edit.new.removesuffix("\n").replace("\n", _usual_end(text))
    files[edit.path] = text[:start] + new + (found[0]["end"] if edit.new else "") + text[end:]
    return None


def _end(lines: list[str], start: int) -> int:
    """Where the block closes, or the next one opens, or the answer ends."""
    for index in range(start, len(lines)):
        if _CLOSE.match(lines[index]) or _OPEN.match(lines[index]):
            return index
    return len(lines)


def _path(above: list[str], before: str) -> str:
    """The nearest line above that is not empty and no fence; the last block's path without one."""
    for line in reversed(above):
        bare = line.strip()
        if bare and not bare.startswith("```"):
            return bare.strip(_DECORATION).removeprefix("/work/").removeprefix("./")
    return before


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


def _whole_lines(old: str) -> re.Pattern[str]:
    """Where these lines stand, from the first one's start to the last one's end.

    It looks ahead, so that two places that overlap count as two.
    """
    lines = r"\r?\n".join(map(re.escape, old.removesuffix("\n").split("\n")))
    return re.compile(rf"(?m)^(?=(?P<lines>{lines}(?P<end>{_LINE_END})))")


def _usual_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
