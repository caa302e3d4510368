"""What a path in a tree may be called."""

import re

from harness.records import NAME_BYTES

PATH_BYTES = 1_000

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# Case-insensitive file systems ignore these marks; git refuses names that fold to .git with them.
_IGNORED_MARKS = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
_LIKE_GIT = re.compile(r"\.git|git~\d+")
_LIKE_GITMODULES = re.compile(r"\.gitmodules|gi[0-9a-z]{2,4}~\d+")


def shown(path: str | bytes) -> str:
    """A path as one short printable line, whatever it holds."""
    text = ascii(path)
    return text if len(text) <= 200 else f"{text[:160]}...{text[-30:]}"


def text_problem(text: str) -> str | None:
    """What keeps a text from being a path or the target of a link, or None."""
    if not text:
        return "is empty"
    if found := _UNPRINTABLE.search(text):
        return f"has a control character or is not UTF-8 ({found[0]!a})"
    if len(text.encode()) > PATH_BYTES:
        return f"is longer than {PATH_BYTES} bytes"
    return None


def path_problem(path: str) -> str | None:
    """What is wrong with a relative path, or None."""
    if problem := text_problem(path):
        return problem
    if path.startswith("/"):
        return "is an absolute path"
    return next(filter(None, map(_component_problem, path.split("/"))), None)


def _component_problem(name: str) -> str | None:
    if name == "..":
        return "has a .. in it"
    if name in {"", "."}:
        return "is not in plain form"
    if len(name.encode()) > NAME_BYTES:
        return f"has a part longer than {NAME_BYTES} bytes"
    if is_git_name(name):
        return "is taken for a .git folder"
    return None


def is_git_name(name: str) -> bool:
    """Whether some file system takes the name for `.git` (case, marks, streams, short names)."""
    return any(_LIKE_GIT.fullmatch(part) for part in _folded(name))


def is_gitmodules_name(name: str) -> bool:
    """The same for `.gitmodules`, which git does not take as a link."""
    return any(_LIKE_GITMODULES.fullmatch(part) for part in _folded(name))


def _folded(name: str) -> list[str]:
    folded = _IGNORED_MARKS.sub("", name).lower()
    return [part.rstrip(" .") for part in re.split(r"[\\:]", folded)]
