"""What the verifier is told about a subject."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.bases import app_tree
from harness.errors import BadInput
from harness.pairs import load_pair, load_pairs
from harness.patch import EXECUTABLE, FILE, LINK, Entry, Tree
from harness.paths import Checkout, find_checkout
from harness.tasks import load_tasks
from harness.verification import Known, Subject, settings
from harness.verifier.job import ContextGlobs, Settings
from tests.benches import edit
from tests.samples import make_checkout, write


def tree(megabytes: int) -> Tree:
    return Tree({"big.py": Entry(FILE, b"#" * megabytes * 1_000_000)})


def test_the_room_to_inspect_grows_with_the_app_and_not_with_what_an_agent_adds() -> None:
    pair = load_pair(find_checkout(), "atelier")

    def room(base: Tree, now: Tree) -> tuple[float, int]:
        told = settings(Subject(pair, "monolith", base, now), Known(b"[]"))
        return told.inspect_seconds, told.inspect_mb

    assert room(tree(0), tree(0)) == (30.0, 768)
    assert room(tree(8), tree(8)) == (126.0, 1248)
    assert room(tree(0), tree(40)) == (30.0, 768)
    assert room(tree(40), tree(40)) == (180.0, 1536)


def read(path: Path) -> dict[str, Any]:
    found = yaml.safe_load(path.read_text())
    assert isinstance(found, dict)
    return found


def test_the_verifier_is_told_all_that_the_pair_and_the_task_say() -> None:
    checkout = find_checkout()
    pairs = load_pairs(checkout)
    (task,) = load_tasks(checkout, pairs, ["atelier/member-discount"])
    base = {"big.py": Entry(FILE, b"#" * 8_000_000), "run": Entry(EXECUTABLE, b"")}
    now = {"big.py": Entry(LINK, b"run"), "run": Entry(FILE, b"")}
    moved = {"new.py": "old.py"}
    subject = Subject(pairs["atelier"], "modular", Tree(base), Tree(now), task, moved)
    found = settings(subject, Known(b"[]", "answers", {"edge": {"paths": {}}}), port_offset=300)
    pair = read(checkout.fixtures / "atelier/pair.yaml")
    asked = read(checkout.tasks / "atelier/member-discount/task.yaml")
    arm = pair["arms"]["modular"]
    assert found == Settings(
        app_url="http://127.0.0.1:8300",
        port_offset=300,
        contexts={
            name: ContextGlobs(tuple(files["domain"]), tuple(files["glue"]))
            for name, files in arm["contexts"].items()
        },
        shared=tuple(arm["shared"]),
        protected=tuple(pair["protected"]),
        ignored=("**/__pycache__/**", "**/*.pyc", "**/.pytest_cache/**"),
        contracts=tuple(arm["contracts"]),
        id_pattern=pair["id_pattern"],
        predicates=tuple(asked["predicates"]),
        intended=tuple(asked["intended"]),
        base_modes={"run": "100755"},
        tree_modes={"big.py": "120000"},
        renamed=moved,
        documents={"edge": {"paths": {}}},
        inspect_seconds=126.0,
        inspect_mb=1248,
    )


def test_what_a_task_asks_for_comes_through_from_each_that_is_shipped() -> None:
    checkout = find_checkout()
    pairs = load_pairs(checkout)
    seen: set[str] = set()
    for task in load_tasks(checkout, pairs, ["*/*"]):
        asked = read(task.folder / "task.yaml")
        pair = pairs[task.spec.app]
        subject = Subject(pair, next(iter(pair.spec.arms)), Tree({}), Tree({}), task)
        found = settings(subject, Known(b"[]"))
        for name in ("predicates", "intended", "differs", "new_contexts"):
            assert getattr(found, name) == tuple(asked.get(name, ())), (task.id, name)
        seen |= asked.keys()
    assert seen >= {"predicates", "intended", "new_contexts"}


def test_what_no_shipped_pair_or_task_says_comes_through_too(tmp_path: Path) -> None:
    """Fields left out of the comparison, another port, other files that enter no patch."""
    checkout = Checkout(make_checkout(tmp_path))
    said = 'entry_port: 8765\nignored: ["*.log"]\narms:'
    edit(checkout.fixtures / "tally/pair.yaml", "arms:", said)
    differs = 'differs: ["POST /v1/tallies/{name} value"]\nsolutions:'
    edit(checkout.tasks / "tally/rename/task.yaml", "solutions:", differs)
    pairs = load_pairs(checkout)
    (task,) = load_tasks(checkout, pairs, ["*/*"])
    found = settings(Subject(pairs["tally"], "one", Tree({}), Tree({}), task), Known(b"[]"), 10)
    assert found.app_url == "http://127.0.0.1:8775"
    assert found.ignored == ("*.log",)
    assert found.differs == ("POST /v1/tallies/{name} value",)


def test_what_lies_where_programs_leave_theirs_is_read_in_a_suite_and_refused_in_an_arm(
    tmp_path: Path,
) -> None:
    checkout = Checkout(make_checkout(tmp_path))
    write(checkout.fixtures / "tally/tests/data/cases.json", "[]")
    pair = load_pair(checkout, "tally")
    assert "tests/data/cases.json" in app_tree(pair, "one").entries
    write(checkout.fixtures / "tally/one/data/rates.py", "RATE = 3\n")
    with pytest.raises(BadInput, match=r"one/data/rates\.py: what programs leave in a workspace"):
        app_tree(pair, "one")
