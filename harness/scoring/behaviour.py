"""Behaviour: every hidden test passes in every fresh start."""

from collections.abc import Sequence

from harness.errors import VerifierError
from harness.scoring.evidence import BehaviourEvidence, TestOutcome
from harness.scoring.factor import Factor


def behaviour(starts: Sequence[BehaviourEvidence]) -> Factor:
    """Holds when all tests passed in all starts.

    Raises VerifierError where the starts did not run the same tests, or there was none.
    """
    demand_same_tests(starts)
    failing = [
        (number, test)
        for number, start in enumerate(starts, 1)
        for test in start.tests
        if test.outcome != "passed"
    ]
    return Factor.of("behaviour", _reason(failing) if failing else None)


def passed_everywhere(starts: Sequence[BehaviourEvidence]) -> frozenset[str]:
    """The tests that passed in every start."""
    each = [{t.test for t in start.tests if t.outcome == "passed"} for start in starts]
    return frozenset(set.intersection(*each)) if each else frozenset()


def demand_same_tests(starts: Sequence[BehaviourEvidence]) -> None:
    """Raises VerifierError where there is no start, or two ran different tests."""
    if not starts:
        raise VerifierError("behaviour: no fresh start was tested")
    first = {test.test for test in starts[0].tests}
    for number, start in enumerate(starts[1:], 2):
        other = {test.test for test in start.tests}
        if other != first:
            odd = min(first ^ other)
            raise VerifierError(f"behaviour: starts 1 and {number} differ in the test {odd}")


def _reason(failing: Sequence[tuple[int, TestOutcome]]) -> str:
    number, test = failing[0]
    names = {test.test for _, test in failing}
    told = f"{test.test} {test.outcome} in start {number}: {test.message or 'no message'}"
    return told if len(names) == 1 else f"{len(names)} tests do not pass, first {told}"
