"""Which bounded context a file belongs to, and whether it is domain or glue.

What nothing is said of is a context's where its folder is, else where it or a folder is named
after one, else where contexts import it: the only one, or the one that all the others ask. Else it
is shared, and each of those that import it sees it as a part of its own; where none does, each that
has files in its folder. So it does not matter to a predicate whether an arm has a folder for each
context or one for all.
"""

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from .globs import matches
from .job import Settings
from .uses import Uses, uses
from .walk import Unparsable, imports, parse

SHARED = "shared"
"""The context of files that belong to no single one."""
GLUE_PACKAGES = frozenset({"fastapi", "starlette", "uvicorn", "httpx", "urllib3", "aiohttp",
                           "requests", "sqlite3", "sqlalchemy"})  # fmt: skip
_BOTH = frozenset({"domain", "glue"})


class Owner(NamedTuple):
    """Whose a file is, and whether it is domain or glue; `seen` has those who share it."""

    context: str
    kind: str
    seen: frozenset[str] = frozenset()


class Ownership:
    """Places the files of a tree; `base` has the owners of the files before the patch."""

    def __init__(
        self,
        files: Mapping[str, bytes],
        settings: Settings,
        base: Mapping[str, Owner] | None = None,
    ) -> None:
        self._files = files
        self._settings = settings
        self._base = base or {}
        self._new_contexts = () if base is None else settings.new_contexts
        self._said = {p: owner for p in files if (owner := self._by_glob(p)) is not None}
        for path, owner in self._base.items():
            if owner.context != SHARED:
                self._said.setdefault(path, owner)
        self._folders: dict[str, set[Owner]] = defaultdict(set)
        for path, owner in self._said.items():
            for folder in _folders(path):
                self._folders[folder].add(owner)

    def owners(self) -> dict[str, Owner]:
        """The owner of every file but those that are left out of the view."""
        seen = {path for path in self._files if not self._is_left_out(path)}
        known = {path: owner for path in seen if (owner := self._by_place(path)) is not None}
        placed = {p: owner.context for p, owner in known.items() if owner.context != SHARED}
        loose = seen - known.keys()
        found = uses(self._files, placed, loose)
        return known | {path: self._by_use(path, found) for path in loose}

    def _is_left_out(self, path: str) -> bool:
        fixed = (*self._settings.protected, *self._settings.ignored, f"{self._settings.tests}/**")
        return path not in self._said and matches(path, fixed)

    def _by_glob(self, path: str) -> Owner | None:
        for name, globs in self._settings.contexts.items():
            if matches(path, globs.domain):
                return Owner(name, "domain")
            if matches(path, globs.glue):
                return Owner(name, "glue")
        return None

    def _by_place(self, path: str) -> Owner | None:
        """The owner as far as paths tell it, or null for a file of Python that is loose."""
        if path in self._said:
            return self._said[path]
        if path in self._base:
            return self._base[path]
        if matches(path, self._settings.shared):
            return Owner(SHARED, "glue")
        told = self._of_new_context(path) or self._of_folder(path) or self._of_name(path)
        return told or (None if path.endswith(".py") else Owner(SHARED, "glue"))

    def _of_new_context(self, path: str) -> Owner | None:
        """A new file that is named after a new context, or lies in a folder that is, is its own.

        Its kind is that of the file with which a known context has the same place, if any.
        """
        for name in self._new_contexts:
            if name not in _words(path):
                continue
            for known, globs in self._settings.contexts.items():
                like = _renamed(path, name, known)
                if matches(like, globs.domain):
                    return Owner(name, "domain")
                if matches(like, globs.glue):
                    return Owner(name, "glue")
            return Owner(name, self._kind(path, _BOTH))
        return None

    def _of_folder(self, path: str) -> Owner | None:
        near = self._near(path)
        contexts = {owner.context for owner in near}
        return Owner(contexts.pop(), self._kind(path)) if len(contexts) == 1 else None

    def _of_name(self, path: str) -> Owner | None:
        named = (word for word in _words(path) if word in self._settings.contexts)
        return next((Owner(name, self._kind(path)) for name in named), None)

    def _by_use(self, path: str, found: Uses) -> Owner:
        asked = found.asked_by_all(path)
        if len(asked) == 1:
            return Owner(min(asked), self._kind(path))
        seen = found.of(path) or frozenset(owner.context for owner in self._near(path))
        return Owner(SHARED, self._kind(path) if seen else "glue", seen)

    def _near(self, path: str) -> Iterable[Owner]:
        """The files of contexts in the nearest folder that has any; the root is no folder."""
        return next((self._folders[f] for f in _folders(path) if f in self._folders), ())

    def _kind(self, path: str, near: frozenset[str] = frozenset()) -> str:
        """In a folder of both kinds a new file is glue if it imports transport or storage.

        What is no Python has no rules of the domain, though some of it can be read as Python.
        """
        if not path.endswith(".py"):
            return "glue"
        kinds = near or {owner.kind for owner in self._near(path)} or _BOTH
        if len(kinds) == 1:
            return next(iter(kinds))
        try:
            tree = parse(path, self._files[path])
        except Unparsable:
            return "glue"
        packages = {found.module.split(".")[0] for found in imports(path, ast.walk(tree))}
        return "glue" if packages & GLUE_PACKAGES else "domain"


def _folders(path: str) -> Iterator[str]:
    """The folders that a file lies in, the nearest first, without the root."""
    return (str(folder) for folder in list(PurePosixPath(path).parents)[:-1])


def _words(path: str) -> tuple[str, ...]:
    """The folders of a path and the name of the file without its ending."""
    return (*PurePosixPath(path).parts[:-1], PurePosixPath(path).stem)


def _renamed(path: str, name: str, other: str) -> str:
    *folders, stem = (other if word == name else word for word in _words(path))
    return "/".join([*folders, stem + PurePosixPath(path).suffix])
