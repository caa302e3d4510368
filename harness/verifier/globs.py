"""Path globs: `*` and `?` stay within a folder, `**` crosses folders."""

import re
from collections.abc import Iterable
from functools import lru_cache

_PARTS = re.compile(r"\*\*/|\*\*|\*|\?|[^*?]+")
_MEANING = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def matches(path: str, globs: Iterable[str]) -> bool:
    """Whether any of the globs takes the whole path."""
    return any(_compiled(glob).fullmatch(path) for glob in globs)


@lru_cache(maxsize=1024)
def _compiled(glob: str) -> re.Pattern[str]:
    parts = (_MEANING.get(part) or re.escape(part) for part in _PARTS.findall(glob))
    return re.compile("".join(parts), re.DOTALL)
