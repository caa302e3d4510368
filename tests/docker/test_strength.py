"""Mutants of a small woven app in containers: what the suites tell, and what no request can."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from harness import build
from harness.config import ExecutorConfig, SandboxKind
from harness.errors import BadInput
from harness.gates.kills import UNCHANGED, Ledger, Verdict
from harness.gates.strength import judge_mutants
from harness.pairs import load_pair
from harness.pairs.weave import Mutant, find_mutants, read_app
from harness.paths import Checkout
from tests.benches import config, edit
from tests.sandboxes import say
from tests.woven import APP_YAML, make_woven_checkout

pytestmark = pytest.mark.docker

ARMS = ("monolith", "microservices")
WANTED = {
    UNCHANGED: "nothing",
    "counting.raised.2.comparison": "nothing",  # a step of 0 adds nothing either way
    "counting.raised.3.statement": "sequence",  # the suite never steps down
    "counting.raised.4.arithmetic": "test",
}


def judge(
    home: Path, mutants: Sequence[Mutant], arms: Sequence[str], table: Path
) -> tuple[list[Verdict], list[str]]:
    """The verdicts on these arms, and what was said meanwhile."""
    pair = load_pair(Checkout(home), "tally")
    spec = pair.spec.model_copy(update={"arms": {arm: pair.spec.arms[arm] for arm in arms}})
    chosen = config(SandboxKind.docker, [], tasks=[], executor=ExecutorConfig(2))
    said: list[str] = []
    with Ledger(table) as ledger, build.bench(chosen, Checkout(home), say) as bench:
        executor = build.make_executor(chosen, bench.sandboxes.abort)
        few = replace(pair, spec=spec)
        found = judge_mutants(bench, few, mutants, executor, ledger, said.append)
    return found, said


def mutants_of(home: Path) -> list[Mutant]:
    return find_mutants(read_app(home / "fixtures/tally/app"))


def test_mutants_are_killed_alike_on_every_arm_and_judged_once(tmp_path: Path):
    home, table = make_woven_checkout(tmp_path / "home"), tmp_path / "tally.csv"
    mutants = [mutant for mutant in mutants_of(home) if mutant.id in WANTED]
    found, _ = judge(home, mutants, ARMS, table)
    assert {(row.mutant, row.arm): row.killed_by for row in found} == {
        (name, arm): killer for name, killer in WANTED.items() for arm in ARMS
    }
    by_test = [row for row in found if row.killed_by == "test"]
    assert {row.first for row in by_test} == {"contract/test_counting.py::test_a_step_counts_up"}
    again, said = judge(home, mutants, ARMS, table)
    assert (again, said) == (found, ["8 verdicts, 8 of them known already"])


def test_what_one_mutant_changes_is_taken_back_before_the_next(tmp_path: Path):
    home = make_woven_checkout(tmp_path / "home")
    (quiet,) = [each for each in mutants_of(home) if each.id == "counting.raised.2.comparison"]
    broken = quiet.text.replace("@dataclass\n", "@nobody\n@dataclass\n", 1)
    other = APP_YAML.replace("status: 201", "status: 200")
    mutants = [
        replace(quiet, id="no start", text=broken),
        replace(quiet, id="another file", path="app.yaml", text=other),
        quiet,
    ]
    found, _ = judge(home, mutants, ["monolith"], tmp_path / "tally.csv")
    assert [(row.mutant, row.killed_by) for row in found] == [
        (UNCHANGED, "nothing"),
        ("no start", "start"),
        ("another file", "test"),
        (quiet.id, "nothing"),
    ]
    assert "nobody" in found[1].why


def test_mutants_of_other_sources_than_the_arms_are_refused(tmp_path: Path):
    home = make_woven_checkout(tmp_path / "home")
    edit(home / "fixtures/tally/app/domain/counting.py", "step < 0", "step <= 0")
    with pytest.raises(BadInput, match=r"services/counting.py: .*run `seambench weave tally`"):
        judge(home, [], ARMS, tmp_path / "tally.csv")
