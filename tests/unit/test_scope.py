"""What `scope=own` hides, and that it comes back."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.bases import Bases
from harness.errors import BadInput, PatchRefused
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


@pytest.mark.parametrize("arm", ["modular", "microservices"])
def test_own_shows_the_tables_of_the_tasks_contexts_alone(tmp_path: Path, arm: str) -> None:
    pairs = load_pairs(CHECKOUT)
    (task,) = load_tasks(CHECKOUT, pairs, ["atelier/running-balance"])
    view = Bases(tmp_path).view(pairs["atelier"], arm, task, "own")
    shown, hidden = (
        b"".join(entry.content for entry in tree.entries.values())
        for tree in (view.repository.files, view.hidden)
    )
    assert b"ledger_entries (" in shown
    assert b"redemptions (" not in shown
    assert b"redemptions (" in hidden


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


def test_a_view_is_made_once_however_many_trials_ask_for_it(tmp_path: Path) -> None:
    pairs = load_pairs(CHECKOUT)
    (task,) = load_tasks(CHECKOUT, pairs, ["atelier-handmade/price-table"])
    other = replace(task, folder=task.folder.with_name("another"))
    bases, pair = Bases(tmp_path), pairs["atelier-handmade"]
    first = bases.view(pair, "microservices", task, "own")
    assert bases.view(pair, "microservices", task, "own") is first
    assert bases.view(pair, "microservices", other, "own").repository is first.repository


def test_the_hidden_part_has_the_fault_of_the_tasks_base(tmp_path: Path) -> None:
    pairs = load_pairs(CHECKOUT)
    (task,) = load_tasks(CHECKOUT, pairs, ["atelier/estimate-count"])
    part = replace(task, spec=task.spec.model_copy(update={"contexts": ("catalogue",)}))
    view = Bases(tmp_path).view(pairs["atelier"], "modular", part, "own")
    jobs = "atelier/jobs/service.py"
    sound = pairs["atelier"].arm_folder("modular") / jobs
    assert b"expected = job.estimate_s" in view.hidden.entries[jobs].content
    assert "expected = job.estimate_s" not in sound.read_text()


@pytest.mark.parametrize("arm", ["microservices", "modular"])
def test_what_runs_with_what_follows_from_the_imports(tmp_path: Path, arm: str) -> None:
    """A service needs its own files alone; in one program everything is reached, and mixed."""
    app = "atelier-handmade" if arm == "microservices" else "atelier"
    pairs = load_pairs(CHECKOUT)
    (task,) = load_tasks(CHECKOUT, pairs, [f"{app}/price-table"])
    kept = Bases(tmp_path).view(pairs[app], arm, task, "own").kept
    assert kept is not None
    assert all(path in needed for path, needed in kept.needs.items())
    if arm == "microservices":
        assert (kept.mixed, kept.reached) == ((), ())
        assert {path.split("/")[0] for path in kept.needs["jobs/main.py"]} == {"jobs"}
        assert "jobs/clients.py" in kept.needs["jobs/main.py"]
    else:
        assert set(kept.reached) == set(kept.mixed) == set(kept.needs)


@pytest.mark.parametrize("path", ["accounts", "accounts/service.py/more"])
def test_a_file_where_a_hidden_folder_is_refuses_the_patch_and_stops_nothing(
    tmp_path: Path, path: str
) -> None:
    pairs = load_pairs(CHECKOUT)
    (task,) = load_tasks(CHECKOUT, pairs, ["atelier-handmade/price-table"])
    view = Bases(tmp_path).view(pairs["atelier-handmade"], "microservices", task, "own")
    worked = view.repository.files.overlay(Tree({path: Entry(FILE, b"")}))
    with pytest.raises(PatchRefused, match="both a file and a folder"):
        view.whole(worked)
