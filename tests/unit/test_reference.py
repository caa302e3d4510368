"""The real study that the repository ships is whole, and what it says of itself."""

from pathlib import Path

import pandas as pd
import pytest

from harness.analysis.frame import read_trials
from harness.analysis.paper import calibration
from harness.paths import RunPaths
from harness.plan import ALWAYS, Plan, read_plans

REFERENCE = Path("results/reference")


@pytest.fixture(scope="module")
def plans() -> list[Plan]:
    """Of each study that it joins."""
    return read_plans(RunPaths(REFERENCE))


@pytest.fixture(scope="module")
def trials() -> pd.DataFrame:
    return read_trials(REFERENCE)


def test_every_planned_trial_has_ended(plans: list[Plan], trials: pd.DataFrame) -> None:
    planned = sorted(cell.trial_id for plan in plans for cell in plan.cells)
    assert sorted(trials["trial_id"]) == planned
    assert "lost" not in set(trials["status"])


def test_every_row_carries_a_digest_that_its_plan_tells(
    plans: list[Plan], trials: pd.DataFrame
) -> None:
    digests = trials.set_index("trial_id")["plan_digest"]
    for plan in plans:
        carried = set(digests[[cell.trial_id for cell in plan.cells]])
        assert plan.digest in carried
        # Versions that did not lock these kept no digest from before a plan was extended.
        if plan.locks.keys() >= ALWAYS:
            assert carried <= {plan.digest, *plan.earlier}


def test_every_agent_works_on_every_task_and_arm(trials: pd.DataFrame) -> None:
    for _, of_task in trials.groupby("task"):
        assert set(of_task["agent"]) == {"oracle", "nop", "sabotage", "one_shot"}
        assert set(map(len, of_task.groupby("agent").groups.values())) == {3}
        assert set(of_task["arm"]) == {"monolith", "modular", "microservices"}


def test_every_control_came_out_as_it_must(trials: pd.DataFrame) -> None:
    found = calibration.data(trials)
    assert found["n"].sum() == 3 * 3 * 12 * trials["app"].nunique()
    assert (found["right"] == found["n"]).all()


def test_no_file_names_the_place_where_it_was_made() -> None:
    for path in sorted(REFERENCE.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            assert not any(word in content for word in (b"/root/", b"/home/", b"/work/")), path
