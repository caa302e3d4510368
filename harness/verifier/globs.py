"""Path globs: `*` and `?` stay within a folder, `**` crosses folders."""

import re
from collections.abc import Callable, Iterable
from functools import cache

_PARTS = re.compile(r"\*\*/|\*\*|\*|\?|[^*?]+")
_MEANING = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
_NOTHING = r"(?!)"


def matching(globs: Iterable[str]) -> Callable[[str], bool]:
    """A test for paths: whether any of the globs takes the whole of one."""
    pattern = _compiled(tuple(globs))
    return lambda path: pattern.fullmatch(path) is not None


def matches(path: str, globs: Iterable[str]) -> bool:
    """Whether any of the globs takes the whole path."""
    return matching(globs)(path)


# Globs are the pair's and few beside the paths they are asked about: an app of 200,000 lines has
# thousands, each asked of every file.
@cache
def _compiled(globs: tuple[str, ...]) -> re.Pattern[str]:
    every = ("".join(_MEANING.get(part) or re.escape(part) for part in _PARTS.findall(glob))
             for glob in globs)  # fmt: skip
    return re.compile("|".join(every) if globs else _NOTHING, re.DOTALL)
