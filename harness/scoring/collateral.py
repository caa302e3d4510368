"""Collateral damage: which hidden tests broke outside the contexts that a task is about."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from harness.scoring.evidence import TestOutcome


@dataclass(frozen=True)
class Collateral:
    """What broke where; null where no test ran."""

    break_share: float | None = None
    """of the tests outside the target contexts; a test of no context is outside"""
    contexts_broken: int | None = None


def collateral(tests: Iterable[TestOutcome], targets: Collection[str]) -> Collateral:
    """Count over the tests of all fresh starts; a test is broken if it failed in any of them."""
    contexts: dict[str, str | None] = {}
    broken: set[str] = set()
    for test in tests:
        contexts[test.test] = test.context
        if test.outcome != "passed":
            broken.add(test.test)
    outside = {test for test, context in contexts.items() if context not in targets}
    return Collateral(
        len(outside & broken) / len(outside) if outside else None,
        len({contexts[test] for test in broken} - {None}) if contexts else None,
    )
