"""What `scope=own` hides, and that it comes back."""

from pathlib import Path

import pytest

from harness.bases import Bases
from harness.errors import BadInput
from harness.pairs import load_pairs
from harness.patch import FILE, Entry, Tree
from harness.paths import Checkout
from harness.tasks import load_tasks

CHECKOUT = Checkout(Path(__file__).parents[2])


def test_own_shows_the_contexts_of_the_task_and_the_contracts_of_the_others(tmp_path: Path) -> None:
    pairs = load_pairs(CHECKOUT)
    (task,) = load_tasks(CHECKOUT, pairs, ["atelier-handmade/price-table"])
    bases = Bases(tmp_path)
    view = bases.view(pairs["atelier-handmade"], "microservices", task, "own")
    shown = set(view.repository.files.entries)
    assert "catalogue/service.py" in shown
    assert {"openapi/accounts.json", "openapi/jobs.json"} <= shown
    assert not [p for p in shown if p.startswith(("accounts/", "jobs/", "gallery/"))]
    assert "accounts/service.py" in view.hidden.entries
    worked = view.repository.files.overlay(Tree({"catalogue/new.py": Entry(FILE, b"x = 1\n")}))
    whole = view.whole(worked)
    base = bases.tree(pairs["atelier-handmade"], "microservices", task)
    assert set(whole.entries) == set(base.entries) | {"catalogue/new.py"}
    assert all(whole.entries[path] == entry for path, entry in base.entries.items())


def test_all_shows_everything(tmp_path: Path) -> None:
    pairs = load_pairs(CHECKOUT)
    (task,) = load_tasks(CHECKOUT, pairs, ["atelier-handmade/price-table"])
    view = Bases(tmp_path).view(pairs["atelier-handmade"], "monolith", task, "all")
    assert not view.hidden.entries


def test_an_arm_without_contracts_has_no_own_scope(tmp_path: Path) -> None:
    pairs = load_pairs(CHECKOUT)
    (task,) = load_tasks(CHECKOUT, pairs, ["atelier-handmade/price-table"])
    with pytest.raises(BadInput, match=r"arms\.monolith\.contracts"):
        Bases(tmp_path).view(pairs["atelier-handmade"], "monolith", task, "own")
