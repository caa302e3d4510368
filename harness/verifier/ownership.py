"""Which bounded context a file belongs to, and whether it is domain or glue."""

import ast
from collections.abc import Mapping
from pathlib import PurePosixPath

from .globs import matches
from .job import Settings
from .walk import Unparsable, imports, parse

SHARED = "shared"
"""The context of files that belong to no single one."""
GLUE_PACKAGES = frozenset({"fastapi", "starlette", "uvicorn", "httpx", "sqlite3", "sqlalchemy"})


class Ownership:
    """Places every file of a tree; `base` has the places of the files before the patch."""

    def __init__(
        self,
        files: Mapping[str, bytes],
        settings: Settings,
        base: Mapping[str, tuple[str, str]] | None = None,
    ) -> None:
        self._files = files
        self._settings = settings
        self._base = base
        self._said = {p: place for p in files if (place := self._by_glob(p)) is not None}
        for path, place in (base or {}).items():
            if place[0] != SHARED:
                self._said.setdefault(path, place)

    def place(self, path: str) -> tuple[str, str] | None:
        """Context and kind, or null for a file that is left out of the view."""
        if path in self._said:
            return self._said[path]
        fixed = (*self._settings.protected, *self._settings.ignored, f"{self._settings.tests}/**")
        if matches(path, fixed):
            return None
        if path in (self._base or ()) or matches(path, self._settings.shared):
            return SHARED, "glue"
        return self._of_new_context(path) or self._nearest(path)

    def _by_glob(self, path: str) -> tuple[str, str] | None:
        for name, globs in self._settings.contexts.items():
            if matches(path, globs.domain):
                return name, "domain"
            if matches(path, globs.glue):
                return name, "glue"
        return None

    def _of_new_context(self, path: str) -> tuple[str, str] | None:
        """A new file that is named after a new context, or lies in a folder that is, is its own.

        Its kind is that of the file with which a known context has the same place, if any.
        """
        for name in self._settings.new_contexts if self._base is not None else ():
            if name not in _words(path):
                continue
            for known, globs in self._settings.contexts.items():
                like = _renamed(path, name, known)
                if matches(like, globs.domain):
                    return name, "domain"
                if matches(like, globs.glue):
                    return name, "glue"
            return name, self._kind(path, {"domain", "glue"})
        return None

    def _nearest(self, path: str) -> tuple[str, str]:
        """A file that nothing is said of belongs where its folder does, if that is one context.

        It is new, or a task's base has it and the app has not. See `_kind`.
        """
        for folder in PurePosixPath(path).parents:
            if folder == PurePosixPath("."):
                break
            near = [said for p, said in self._said.items() if p.startswith(f"{folder}/")]
            contexts = {context for context, _ in near}
            if len(contexts) == 1:
                return contexts.pop(), self._kind(path, {kind for _, kind in near})
            if contexts:
                break
        return SHARED, "glue"

    def _kind(self, path: str, near: set[str]) -> str:
        """In a folder of both kinds a new file is glue if it imports transport or storage."""
        if len(near) == 1:
            return near.pop()
        try:
            tree = parse(path, self._files[path])
        except Unparsable:
            return "glue"
        packages = {found.module.split(".")[0] for found in imports(path, ast.walk(tree))}
        return "glue" if packages & GLUE_PACKAGES else "domain"


def _words(path: str) -> tuple[str, ...]:
    """The folders of a path and the name of the file without its ending."""
    return (*PurePosixPath(path).parts[:-1], PurePosixPath(path).stem)


def _renamed(path: str, name: str, other: str) -> str:
    *folders, stem = (other if word == name else word for word in _words(path))
    return "/".join([*folders, stem + PurePosixPath(path).suffix])
