"""Sandboxes as an agent of scope `own` finds them, on the pairs that the repository ships."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harness.bases import Bases, View
from harness.pairs import Pair, load_pairs
from harness.paths import Checkout
from harness.sandbox import Sandbox, Sandboxes
from harness.tasks import Task, load_tasks

_TABLES = re.compile(r'^TABLES = """.*?"""', re.DOTALL | re.MULTILINE)
CHECKOUT = Checkout(Path(__file__).parents[1])


@dataclass(frozen=True)
class Place:
    """One task on one arm, with what `own` shows of it."""

    pair: Pair
    arm: str
    task: Task
    bases: Bases

    @property
    def view(self) -> View:
        return self.bases.view(self.pair, self.arm, self.task, "own")

    @property
    def secrets(self) -> set[str]:
        """Lines of the hidden code that stand nowhere in what is shown.

        But for the tables of an arm with one database: it tells them to whoever has run the app.
        """
        shown = "\n".join(e.content.decode() for e in self.view.repository.files.entries.values())
        texts = (e.content.decode() for p, e in self.view.hidden.entries.items() if _is_code(p))
        if self.arm == "modular":
            texts = (_TABLES.sub("", text) for text in texts)
        lines = {line.strip() for text in texts for line in text.splitlines()}
        return {line for line in lines if _is_telling(line) and line not in shown}

    @contextmanager
    def opened(self, sandboxes: Sandboxes) -> Iterator[Sandbox]:
        view = self.view
        assert view.kept is not None
        with sandboxes.open("agent") as sandbox:
            sandbox.put(view.repository.workspace_tar(), "/work")
            sandbox.keep(view.kept)
            yield sandbox


def _is_telling(line: str) -> bool:
    """Whether nobody but the hidden code is likely to have the line."""
    return len(line) > 30 and not line.startswith(("from ", "import "))


def _is_code(path: str) -> bool:
    return path.endswith(".py")


@cache
def place(task: str, arm: str) -> Place:
    pairs = load_pairs(CHECKOUT)
    (found,) = load_tasks(CHECKOUT, pairs, [task])
    return Place(pairs[found.spec.app], arm, found, Bases(Path(tempfile.mkdtemp())))


SERVICES = ("atelier-handmade/price-table", "microservices")
MODULES = ("atelier/price-table", "modular")
