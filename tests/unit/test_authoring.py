"""What docs/authoring.md tells a reader to write is an app with a task."""

import difflib
import subprocess
from pathlib import Path

import pytest

from harness.bases import Bases
from harness.errors import BadInput
from harness.gates.weaving import weave_app
from harness.pairs import load_pair, load_pairs
from harness.pairs.weave import at_dose
from harness.patch import apply_patch
from harness.paths import Checkout
from harness.tasks import load_tasks
from tests.authoring import APP, git_commands, write_example


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(write_example(tmp_path))


def test_the_example_is_woven_loaded_and_linted(checkout: Checkout, tmp_path: Path) -> None:
    assert weave_app(checkout, APP, check=False)
    assert weave_app(checkout, APP, check=True)
    pairs = load_pairs(checkout)
    assert set(pairs[APP].spec.arms) == {"monolith", "modular", "microservices"}
    (task,) = load_tasks(checkout, pairs, [f"{APP}/*"])
    bases = Bases(tmp_path / "bases")
    for arm in pairs[APP].spec.arms:
        base = bases.repository(pairs[APP], arm, task)
        for kind, names in (("solutions", task.spec.solutions), ("sabotages", task.spec.sabotages)):
            for name in names:
                patch = task.folder / kind / name / f"{arm}.patch"
                assert apply_patch(base, patch.read_bytes()) != base.files


def git(checkout: Checkout, command: str) -> str:
    done = subprocess.run(command, shell=True, cwd=checkout.root, capture_output=True, text=True,
                          check=False)  # fmt: skip
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def test_git_makes_the_patch_of_a_change_by_the_commands_of_the_page(checkout: Checkout) -> None:
    """The sources of a new app, and the file of a new context, are nothing that git knows of."""
    before, *after = git_commands()
    domain = checkout.fixtures / APP / "app/domain"
    loans = (domain / "loans.py").read_text()
    git(checkout, "git init")
    git(checkout, before)
    (domain / "loans.py").write_text(loans.replace("days * 80", "days * 90"))
    (domain / "fines.py").write_text("DAILY = 90\n")
    for command in after:
        git(checkout, command)
    assert (domain / "loans.py").read_text() == loans
    assert not (domain / "fines.py").exists()
    patch = (checkout.root / "app.patch").read_text()
    assert [line for line in patch.splitlines() if line.startswith("diff")] == [
        f"diff --git a/domain/{name}.py b/domain/{name}.py" for name in ("fines", "loans")
    ]
    changed = [
        line for line in patch.splitlines() if line[:1] in "+-" and line[1:3] not in ("++", "--")
    ]
    assert [line.split()[-1] for line in changed] == ["90", "80", "90"]


def test_a_context_that_nobody_described_is_named(checkout: Checkout) -> None:
    (checkout.fixtures / APP / "app/domain/members.py").unlink()
    with pytest.raises(Exception, match=r"app\.yaml:15: contexts\.members: .*members\.py: no such"):
        weave_app(checkout, APP, check=False)


def test_other_doses_are_woven_once_and_change_the_tangled_arm_alone(checkout: Checkout) -> None:
    weave_app(checkout, APP, check=False)
    before = load_pair(checkout, APP)
    woven = at_dose(checkout, APP, 0)
    marked = woven.root / "seen"
    marked.touch()
    assert at_dose(checkout, APP, 0) == woven
    assert marked.exists()
    pair = load_pair(woven, APP)
    assert (before.spec.dose, pair.spec.dose) == (2, 0)
    assert [c.name for c in pair.spec.couplings] == []
    assert [c.name for c in before.spec.couplings] == ["members-before-loans", "member-cache"]
    changed = {
        path.relative_to(before.folder).as_posix()
        for path in before.folder.rglob("*.py")
        if _text(path) != _text(pair.folder / path.relative_to(before.folder))
    }
    assert {path.split("/")[0] for path in changed} == {"monolith"}
    assert "monolith/toolshed/cache.py" in changed
    assert not (pair.folder / "monolith/toolshed/cache.py").exists()


def test_a_dose_is_woven_anew_when_the_sources_change(checkout: Checkout) -> None:
    weave_app(checkout, APP, check=False)
    first = at_dose(checkout, APP, 1)
    loans = checkout.fixtures / APP / "app/domain/loans.py"
    loans.write_text(loans.read_text().replace("days * 80", "days * 90"))
    task = checkout.tasks / APP / "late-fees"
    for patch in task.rglob("app.patch"):
        patch.write_text(patch.read_text().replace("days * 80", "days * 90"))
    second = at_dose(checkout, APP, 1)
    assert second != first
    place = f"tasks/{APP}/late-fees/solutions/table/monolith.patch"
    old, new = ((each.root / place).read_text().splitlines() for each in (first, second))
    told = [line[2:] for line in difflib.ndiff(old, new) if line[0] in "+-"]
    assert [line.split() for line in told] == [
        ["-", "loan.fee_cents", "=", "days", "*", "80"],
        ["-", "loan.fee_cents", "=", "days", "*", "90"],
    ]


def test_a_dose_is_woven_anew_when_anything_of_the_app_or_its_donors_changes(
    checkout: Checkout,
) -> None:
    weave_app(checkout, APP, check=False)
    places = {at_dose(checkout, APP, 1)}
    for folder in (checkout.fixtures / APP / "contract", checkout.tasks / APP / "late-fees/hidden"):
        (folder / "test_more.py").touch()
        places.add(at_dose(checkout, APP, 1))
    assert len(places) == 3


def test_an_app_can_be_its_own_donor_at_every_dose(checkout: Checkout) -> None:
    spec = checkout.fixtures / APP / "app/app.yaml"
    spec.write_text(spec.read_text() + f"size: {{donors: [{APP}, {APP}], contexts: 2}}\n")
    assert len(load_pair(at_dose(checkout, APP, 0), APP).spec.contexts) == 4


def test_an_app_takes_its_suites_and_words_along_from_others(checkout: Checkout) -> None:
    """Which `contract`, `visible_tests` and `like` name, at every dose."""
    app, lender = checkout.fixtures / APP, checkout.fixtures / "shed"
    lender.mkdir()
    (lender / "pair.yaml").touch()
    spec = app / "app/app.yaml"
    spec.write_text(spec.read_text() + "contract: ../shed/contract\nvisible_tests: ../shed/tests\n")
    for name in ("contract", "tests"):
        (app / name).rename(lender / name)
    task, words = checkout.tasks / APP / "late-fees", checkout.tasks / "shed/late-fees"
    words.mkdir(parents=True)
    for name in ("hidden", "instruction.md", "predicates.py"):
        (task / name).rename(words / name)
    said = (task / "task.yaml").read_text()
    (task / "task.yaml").write_text(f"like: shed/late-fees\n{said}")
    places = set()
    for change in ("instruction.md", "hidden/test_fees.py"):
        woven = at_dose(checkout, APP, 0)
        places.add(woven)
        pair = load_pair(woven, APP)
        assert pair.contract.parent == woven.fixtures / "shed"
        (found,) = load_tasks(woven, {APP: pair}, [f"{APP}/*"])
        assert found.instruction == (words / "instruction.md").read_text()
        with (words / change).open("a") as file:
            file.write("\n")
    assert len(places) == 2


def test_a_donor_that_is_not_there_is_named(checkout: Checkout) -> None:
    spec = checkout.fixtures / APP / "app/app.yaml"
    spec.write_text(spec.read_text() + "size: {donors: [nobody], contexts: 1}\n")
    with pytest.raises(BadInput, match=r"nobody/app/app\.yaml: no such file"):
        at_dose(checkout, APP, 0)


def test_what_is_not_woven_has_no_other_dose(checkout: Checkout) -> None:
    with pytest.raises(Exception, match=r"doses: nothing is not woven: it has no app/app\.yaml"):
        at_dose(checkout, "nothing", 0)


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None
