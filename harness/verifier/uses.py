"""Which contexts use the files that neither a folder nor a name gives to one, by who imports them.

Only files that could name one are parsed, each by itself, so that this takes seconds and little
memory on the largest app.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from .graph import asks, said
from .reach import follow, module_of
from .walk import Import, Unparsable, imports, parse

_WORDS = re.compile(r"\w+")


@dataclass(frozen=True)
class Uses:
    """Loose file -> the contexts that use it, directly or through other loose files."""

    users: Mapping[str, frozenset[str]] = field(default_factory=dict)
    asked: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """user -> the other users that those of its files ask which import loose ones"""

    def of(self, path: str) -> frozenset[str]:
        return self.users.get(path, frozenset())

    def asked_by_all(self, path: str) -> frozenset[str]:
        """Those users of a file whom all its other users ask: of a single one, itself."""
        users = self.of(path)
        return users.intersection(*(self.asked[user] | {user} for user in users))


def uses(files: Mapping[str, bytes], placed: Mapping[str, str], loose: Collection[str]) -> Uses:
    """Who uses the loose files; `placed` has the contexts of the others that have one.

    What cannot be parsed imports nothing.
    """
    if not loose:
        return Uses()
    modules = _Modules(loose)
    used: dict[str, set[str]] = defaultdict(set)
    told: dict[str, set[str]] = defaultdict(set)
    onward: dict[str, frozenset[str]] = {}
    for path in (*placed, *loose):
        imported, heard = modules.read(path, files[path])
        if path in placed and imported:
            used[placed[path]] |= imported
            told[placed[path]] |= heard
        elif imported:
            onward[path] = imported
    users: dict[str, set[str]] = defaultdict(set)
    for context, start in used.items():
        for path in follow(start, lambda path: onward.get(path, ())):
            users[path].add(context)
    asked = {name: frozenset(asks(heard, told)) for name, heard in told.items()}
    return Uses({path: frozenset(names) for path, names in users.items()}, asked)


class _Modules:
    """Loose files by the names under which they are imported."""

    def __init__(self, loose: Collection[str]) -> None:
        self._named: dict[str, set[str]] = defaultdict(set)
        for path in loose:
            self._named[module_of(path)].add(path)
        self._words = {name.rpartition(".")[2] for name in self._named}
        self._depth = max(name.count(".") + 1 for name in self._named)

    def read(self, path: str, content: bytes) -> tuple[frozenset[str], frozenset[str]]:
        """The loose files that a file imports, and where there are any, what it says."""
        text = content.decode("utf-8", "replace")
        if not path.endswith(".py") or self._words.isdisjoint(_WORDS.findall(text)):
            return frozenset(), frozenset()
        try:
            nodes = tuple(ast.walk(parse(path, content)))
        except Unparsable:
            return frozenset(), frozenset()
        names = {name for each in imports(path, nodes) for name in self._run_by(each)}
        found = frozenset(at for name in names for at in self._named.get(name, ()) if at != path)
        return found, said(path, nodes) if found else frozenset()

    def _run_by(self, found: Import) -> Iterator[str]:
        """What an import runs: the module, the packages that it lies in, a module in it."""
        parts = [part for part in (*found.module.split("."), found.name) if part]
        return (".".join(parts[:end]) for end in range(1, min(len(parts), self._depth) + 1))
