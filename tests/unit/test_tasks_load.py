"""The tasks that the repository ships, and what the instruction's lint refuses and lets pass."""

from pathlib import Path

import pytest

from harness.pairs import load_pairs
from harness.paths import find_checkout
from harness.tasks import load_tasks
from harness.tasks.lint import architecture_words

CHECKOUT = find_checkout()
SHIPPED = sorted(path.parent for path in CHECKOUT.tasks.glob("*/*/task.yaml"))
WOVEN = ("atelier", "lindenhof", "quayside")


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: "/".join(folder.parts[-2:]))
def test_a_shipped_task_can_be_read(folder: Path) -> None:
    (task,) = load_tasks(CHECKOUT, load_pairs(CHECKOUT), ["/".join(folder.parts[-2:])])
    assert task.spec.solutions
    assert len(task.spec.sabotages) >= 3


@pytest.mark.parametrize("app", WOVEN)
def test_an_app_of_the_loom_has_a_task_of_each_family(app: str) -> None:
    tasks = load_tasks(CHECKOUT, load_pairs(CHECKOUT), [f"{app}/*"])
    assert sorted(int(task.spec.family) for task in tasks) == list(range(1, 13))


@pytest.mark.parametrize("app", WOVEN)
def test_a_task_of_the_loom_has_a_solution_by_somebody_who_saw_no_other(app: str) -> None:
    tasks = load_tasks(CHECKOUT, load_pairs(CHECKOUT), [f"{app}/*"])
    solutions = {task.id: task.spec.solutions.values() for task in tasks}
    assert [name for name, each in solutions.items() if not any(s.independent for s in each)] == []


@pytest.mark.parametrize(
    "word",
    ["service", "Microservices", "micro-service", "monolith", "MODULES", "endpoint", "database",
     "client", "processes", "architecture", "bounded context", "SeamBench"],
)  # fmt: skip
def test_a_word_that_names_an_architecture_is_found_with_its_line(word: str) -> None:
    assert architecture_words(f"Rename the rule.\nIn the {word}, too.\n") == [(2, word)]


@pytest.mark.parametrize(
    "text", ["A refund is a credit.", "The processing of jobs", "unserviceable", "clientele", ""]
)
def test_words_of_the_domain_pass(text: str) -> None:
    assert architecture_words(text) == []
