"""A task of the shipped apps as its predicates see it, from any start and with files changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from harness.bases import Bases
from harness.pairs import load_pairs
from harness.patch import apply_patch
from harness.paths import find_checkout
from harness.tasks import Task, load_tasks
from harness.verification import Known, Subject, settings
from harness.verifier.job import Settings
from harness.verifier.structure import load_predicates, why_not
from harness.verifier.tree import Tree

CHECKOUT = find_checkout()
PAIRS = load_pairs(CHECKOUT)
ARMS = ("monolith", "modular", "microservices")


@dataclass(frozen=True)
class Start:
    """What stands in an arm once a solution or sabotage is laid over its base, or nothing is."""

    task: Task
    settings: Settings
    base: Mapping[str, bytes]
    files: Mapping[str, bytes]

    @cached_property
    def before(self) -> Tree:
        return Tree(self.base, self.settings)

    def tree(self, changed: Mapping[str, bytes]) -> Tree:
        return Tree({**self.files, **changed}, self.settings, self.before)

    def reasons(self, changed: Mapping[str, bytes]) -> dict[str, str | None]:
        """Predicate -> why it does not hold on what was changed."""
        tree = self.tree(changed)
        names = self.task.spec.predicates
        predicates = zip(names, load_predicates(self.task.predicates, names), strict=True)
        return {name: why_not(predicate, tree) for name, predicate in predicates}


def start_of(bases: Bases, name: str, start: str, arm: str) -> Start:
    """`start` is a folder of the task, or `base`."""
    (task,) = load_tasks(CHECKOUT, PAIRS, [name])
    pair = PAIRS[task.spec.app]
    repository, base = bases.repository(pair, arm, task), bases.tree(pair, arm, task)
    now = base
    if start != "base":
        now = apply_patch(repository, (task.folder / start / f"{arm}.patch").read_bytes())
    told = settings(Subject(pair, arm, base, now, task), Known(b""))
    before, after = ({p: e.content for p, e in each.entries.items()} for each in (base, now))
    return Start(task, told, before, after)
