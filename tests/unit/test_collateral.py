"""What breaks outside the contexts that a task is about."""

import pytest

from harness.scoring.collateral import Collateral, collateral
from harness.scoring.evidence import TestOutcome


def ran(name: str, context: str | None, outcome: str) -> TestOutcome:
    return TestOutcome.model_validate(
        {"test": name, "context": context, "outcome": outcome, "seconds": 0.1, "message": None}
    )


@pytest.mark.parametrize(
    ("tests", "expected"),
    [
        ([], Collateral(None, None)),
        ([("a", "jobs", "failed")], Collateral(None, 1)),
        ([("a", "jobs", "passed"), ("b", "gallery", "passed")], Collateral(0.0, 0)),
        ([("a", "jobs", "passed"), ("b", "gallery", "error")], Collateral(1.0, 1)),
        ([("a", None, "failed"), ("b", "gallery", "passed")], Collateral(0.5, 0)),
        ([("b", "gallery", "passed"), ("b", "gallery", "failed")], Collateral(1.0, 1)),
    ],
)
def test_is_counted_over_tests_outside_and_over_every_start(tests, expected):
    assert collateral([ran(*test) for test in tests], {"jobs"}) == expected
