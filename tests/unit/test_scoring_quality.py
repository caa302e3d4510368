"""Changes in quality, as their sources define them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import pytest

from harness.scoring.evidence import QualityEvidence, QualityFacts
from harness.scoring.quality import propagation_cost, quality

CHAIN = {"a": ["b"], "b": ["c"], "c": []}
CIRCLE = {"a": ["b"], "b": ["c"], "c": ["a"]}
PAIR = {"a": ["b"], "b": ["a"], "c": []}


def side(
    asked: Mapping[str, Sequence[str]] = CHAIN,
    complexities: Sequence[int] = (),
    cohesions: Sequence[int] = (),
    lines: int = 100,
    repeated: int = 0,
) -> QualityFacts:
    return QualityFacts(
        asked={name: list(others) for name, others in asked.items()},
        complexities=list(complexities),
        cohesions=list(cohesions),
        lines=lines,
        repeated_lines=repeated,
    )


def change(before: QualityFacts, after: QualityFacts, *targets: str) -> dict[str, float | None]:
    return asdict(quality(QualityEvidence(before=before, after=after), targets))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"a": [], "b": []}, 2 / 4),
        (CHAIN, 6 / 9),
        (CIRCLE, 1.0),
        (PAIR, 5 / 9),
        ({}, None),
        # Each reaches itself; a all six, b and c two and three, d and f none, e one more.
        ({"a": ["b", "c"], "b": ["d"], "c": ["e"], "d": [], "e": ["f"], "f": []}, 15 / 36),
    ],
)
def test_propagation_cost_is_the_density_of_what_reaches_what(
    asked: dict[str, list[str]], expected: float | None
) -> None:
    assert propagation_cost(asked) == expected


def test_a_new_edge_counts_where_it_leads_from_and_to() -> None:
    found = change(side(CHAIN), side(CIRCLE), "a")
    assert found == pytest.approx({
        "propagation_cost": 3 / 9,
        "dependencies": 1,
        "mutual_pairs": 0,
        "circular_contexts": 3,
        "afferent": 1,
        "efferent": 0,
        "instability": 1 / 2 - 1,
        "complexity": 0,
        "complexity_mean": None,
        "complexity_max": None,
        "cohesion_lack": None,
        "repeated_lines": 0,
    })  # fmt: skip


def test_contexts_that_ask_each_other_are_one_pair() -> None:
    found = change(side(CHAIN), side(PAIR), "b", "c")
    assert (found["mutual_pairs"], found["circular_contexts"]) == (1, 2)
    assert (found["afferent"], found["efferent"]) == (-1, 0)


def test_instability_is_the_mean_over_targets_and_0_for_one_without_an_edge() -> None:
    apart = {"a": [], "b": ["c"], "c": []}
    assert change(side(CHAIN), side(apart), "a")["instability"] == 0 - 1
    # b alone is as unstable as can be; asked by a, which now is, it is less so.
    assert change(side(apart), side(CHAIN), "a", "b")["instability"] == (1 + 1 / 2) / 2 - 1 / 2
    # One that is only asked is as stable as can be.
    assert change(side(CHAIN), side(CIRCLE), "c")["instability"] == 1 / 2


def test_a_context_that_is_new_or_gone_is_no_error() -> None:
    found = change(side({"a": []}), side({"a": ["new"], "new": []}), "a", "new")
    assert (found["dependencies"], found["propagation_cost"]) == (1, 3 / 4 - 1)
    assert change(side({"a": []}), side({}), "a")["propagation_cost"] is None


def test_complexity_cohesion_and_repetition_are_after_less_before() -> None:
    before = side(complexities=(2, 6), cohesions=(3,), repeated=10)
    after = side(complexities=(1, 1, 4), cohesions=(1, 2), lines=50, repeated=7)
    found = change(before, after, "a")
    assert (found["complexity_mean"], found["complexity_max"]) == (2 - 4, 4 - 6)
    assert (found["cohesion_lack"], found["repeated_lines"]) == (1.5 - 3, -3)
    assert found["complexity"] == 6 - 8


def test_what_is_on_one_side_only_has_no_change() -> None:
    found = change(side(complexities=(2,), cohesions=(1,)), side(lines=0), "a")
    names = ("complexity_mean", "complexity_max", "cohesion_lack")
    assert {found[name] for name in names} == {None}
    assert found["complexity"] == -2
