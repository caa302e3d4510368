"""Scores follow from evidence, and nothing follows from odd evidence."""

import json
from itertools import product
from typing import Any, TypeVar

import pytest

from harness.errors import VerifierError
from harness.scoring.behaviour import behaviour
from harness.scoring.contract import contract
from harness.scoring.effort import effort
from harness.scoring.equivalence import equivalence
from harness.scoring.evidence import (
    BehaviourEvidence,
    ContractEvidence,
    EffortEvidence,
    Evidence,
    InspectEvidence,
    ReplayEvidence,
    RestartEvidence,
    read_verdict,
)
from harness.scoring.integrity import integrity
from harness.scoring.score import Score, score, unstarted
from harness.scoring.structure import structure

Raw = dict[str, Any]
EDITS = {"files": 1, "added": 3, "deleted": 1}
EFFORT: Raw = {
    "total": EDITS,
    "domain": EDITS,
    "glue": {"files": 0, "added": 0, "deleted": 0},
    "contexts": {"jobs": EDITS, "shared": EDITS},
}


def suite(**outcomes: str) -> Raw:
    tests = [
        {
            "test": name,
            "context": None,
            "outcome": outcome,
            "seconds": 0.1,
            "message": None if outcome == "passed" else "it broke",
        }
        for name, outcome in outcomes.items()
    ]
    failed = any(outcome in ("failed", "error") for outcome in outcomes.values())
    return {
        "phase": "behaviour",
        "exit_code": int(failed),
        "collected": len(tests),
        "seconds": 1.0,
        "tests": tests,
    }


def replayed(**changes: Any) -> Raw:
    raw = {
        "phase": "replay",
        "mode": "compare",
        "sequences": 500,
        "sequences_total": 500,
        "calls": 3000,
        "looks": 150,
        "seconds": 1.0,
        "digest": "d",
        "difference": None,
        "answers": None,
    }
    return raw | changes


def restarted(**changes: Any) -> Raw:
    raw = {
        "phase": "restart",
        "looks": 150,
        "looks_total": 150,
        "seconds": 0.1,
        "difference": None,
    }
    return raw | changes


def inspected(**changes: Any) -> Raw:
    raw = {
        "phase": "inspect",
        "structure": [{"name": "p", "holds": True, "reason": None}],
        "integrity": [],
        "effort": EFFORT,
        "effort_complete": True,
        "quality": None,
    }
    return raw | changes


def contracted(**changes: Any) -> Raw:
    raw = {
        "phase": "contract",
        "mode": "compare",
        "programs": ["edge"],
        "operations": 3,
        "breaks": [],
        "documents": None,
    }
    return raw | changes


TOLD = {"status": 200, "content_type": "", "body": ""}
DIFFERENCE = {
    "sequence": "s1",
    "step": 2,
    "request": "GET /jobs/<job#1>",
    "expected": TOLD,
    "got": TOLD,
    "what": "body.a is gone",
}
FORGOTTEN = {k: v for k, v in DIFFERENCE.items() if k != "step"} | {"request": "GET /jobs/job_1"}
FAILS_STRUCTURE = [{"name": "p", "holds": False, "reason": "still branches"}]


E = TypeVar("E", bound=Evidence)


def read(kind: type[E], raw: Raw) -> E:
    return read_verdict(kind, "noise\n" + json.dumps(raw), 0)


def scored(
    *starts: Raw, replay: Raw | None = None, inspect: Raw | None = None, openapi: Raw | None = None
) -> Score:
    return score(
        [read(BehaviourEvidence, start) for start in starts],
        read(ReplayEvidence, replay or replayed()),
        read(RestartEvidence, restarted()),
        read(InspectEvidence, inspect or inspected()),
        read(ContractEvidence, openapi or contracted()),
        predicates=["p"],
    )


def test_a_trial_is_resolved_when_all_five_factors_hold() -> None:
    told = scored(*[suite(a="passed", b="passed")] * 3)
    assert told.resolved
    assert told.reason is None
    assert (told.tests_passed, told.tests_total, told.sequences_replayed) == (2, 2, 500)


@pytest.mark.parametrize("held", list(product([True, False], repeat=5)))
def test_resolved_and_the_reason_follow_from_the_factors(held: tuple[bool, ...]) -> None:
    b, r, s, c, t = held
    told = scored(
        suite(a="passed" if b else "failed"),
        replay=replayed() if r else replayed(sequences=3, difference=DIFFERENCE),
        inspect=inspected(
            structure=inspected()["structure"] if s else FAILS_STRUCTURE,
            integrity=[] if t else ["app.toml:1: a protected file was changed"],
        ),
        openapi=contracted(breaks=[] if c else ["edge: GET /a: the operation was removed"]),
    )
    assert tuple(factor.holds for factor in told.factors) == held
    assert told.resolved is (b and r and s and c and t)
    first = next((f.name for f in told.factors if not f.holds), None)
    assert (told.reason or "").split(":")[0] == (first or "")


def test_a_test_passes_only_if_it_passes_in_every_fresh_start() -> None:
    flaky = [suite(a="passed", b="passed"), suite(a="passed", b="failed")]
    told = scored(*flaky)
    assert (told.tests_passed, told.tests_total) == (1, 2)
    assert told.behaviour.reason == "b failed in start 2: it broke"


@pytest.mark.parametrize("outcome", ["failed", "error", "skipped"])
def test_any_other_outcome_than_passed_fails_behaviour(outcome: str) -> None:
    told = behaviour([read(BehaviourEvidence, suite(a=outcome, b=outcome))])
    assert told.reason == f"2 tests do not pass, first a {outcome} in start 1: it broke"


@pytest.mark.parametrize(
    ("starts", "told"),
    [
        ([], "no fresh start was tested"),
        ([suite(a="passed"), suite(b="passed")], "starts 1 and 2 differ in the test a"),
        ([suite(a="passed"), suite(a="passed", b="passed")], "differ in the test b"),
    ],
)
def test_starts_that_cannot_be_compared_are_no_evidence(starts: list[Raw], told: str) -> None:
    with pytest.raises(VerifierError, match=told):
        behaviour([read(BehaviourEvidence, start) for start in starts])


def test_reasons_name_the_first_failure() -> None:
    replay = read(ReplayEvidence, replayed(sequences=3, difference=DIFFERENCE))
    told = "sequence s1 step 2, GET /jobs/<job#1>: body.a is gone"
    assert equivalence(replay, None).reason == told
    same, forgot = read(ReplayEvidence, replayed()), restarted(looks=2, difference=FORGOTTEN)
    told = "after a restart, sequence s1, GET /jobs/job_1: body.a is gone"
    assert equivalence(same, read(RestartEvidence, forgot)).reason == told
    failing = read(InspectEvidence, inspected(structure=FAILS_STRUCTURE, integrity=["a", "b"]))
    assert structure(failing, ["p"]).reason == "p: still branches"
    assert integrity(failing).reason == "2 findings, first a"
    breaks = read(ContractEvidence, contracted(breaks=["x", "y"]))
    assert contract(breaks).reason == "2 breaking changes, first x"


def test_too_few_sequences_recordings_and_other_predicates_are_no_evidence() -> None:
    few = read(ReplayEvidence, replayed(sequences=3, sequences_total=3))
    again = read(RestartEvidence, restarted())
    assert equivalence(few, again, least=3).holds
    with pytest.raises(VerifierError, match="3 sequences, at least 500"):
        equivalence(few, again)
    with pytest.raises(VerifierError, match="only recorded"):
        equivalence(read(ReplayEvidence, replayed(mode="record", answers="x")), again)
    with pytest.raises(VerifierError, match="was not started again"):
        equivalence(read(ReplayEvidence, replayed()), None)
    assert equivalence(read(ReplayEvidence, replayed(looks=0)), None).holds
    with pytest.raises(VerifierError, match="not everything was looked at again"):
        read(RestartEvidence, restarted(looks=149))
    with pytest.raises(VerifierError, match="only recorded"):
        contract(read(ContractEvidence, contracted(mode="record", documents={})))
    for predicates in ([], ["q"], ["p", "q"]):
        with pytest.raises(VerifierError, match="the task asks for"):
            structure(read(InspectEvidence, inspected()), predicates)
    with pytest.raises(VerifierError, match="the task asks for"):
        structure(read(InspectEvidence, inspected(structure=[])), [])


def test_effort_is_put_beside_the_reference() -> None:
    evidence = EffortEvidence.model_validate(EFFORT)
    told = effort(evidence, evidence)
    assert (told.code_lines_added, told.code_lines_deleted) == (3, 1)
    assert (told.domain_lines_changed, told.glue_lines_changed) == (4, 0)
    assert told.contexts_changed == ("jobs",)
    assert (told.churn_ratio, told.edit_radius) == (1.0, 1.0)
    assert (effort(evidence).churn_ratio, effort(evidence).edit_radius) == (None, None)


def test_the_edit_radius_is_contexts_edited_over_those_of_the_reference() -> None:
    contexts = {"jobs": EDITS, "ledger": EDITS, "catalogue": EDITS, "shared": EDITS}
    wider = EffortEvidence.model_validate(EFFORT | {"contexts": contexts})
    reference = EffortEvidence.model_validate(EFFORT)
    assert effort(wider, reference).edit_radius == 3.0
    in_shared_alone = reference.model_copy(update={"contexts": {"shared": reference.total}})
    assert effort(in_shared_alone, reference).edit_radius == 0.0
    assert effort(wider, in_shared_alone).edit_radius is None


def test_effort_that_was_not_counted_to_its_end_is_not_known() -> None:
    assert read(InspectEvidence, inspected()).counted == EffortEvidence.model_validate(EFFORT)
    assert read(InspectEvidence, inspected(effort_complete=False)).counted is None


ODD: list[tuple[type[Evidence], Raw, str]] = [
    (BehaviourEvidence, suite(), "collected"),
    (BehaviourEvidence, suite(a="passed") | {"collected": 2}, "2 tests collected, 1 listed"),
    (BehaviourEvidence, suite(a="passed") | {"exit_code": 1}, "contradicts the outcomes"),
    (BehaviourEvidence, suite(a="failed") | {"exit_code": 0}, "contradicts the outcomes"),
    (BehaviourEvidence, suite(a="failed") | {"exit_code": 5}, "contradicts the outcomes"),
    (BehaviourEvidence, suite(a="great"), "tests.0.outcome"),
    (BehaviourEvidence, suite(a="passed") | {"resolved": True}, "resolved: Extra inputs"),
    (BehaviourEvidence, replayed(), "phase"),
    (ReplayEvidence, replayed(sequences=0), "sequences"),
    (ReplayEvidence, replayed(sequences=499), "not every sequence was played"),
    (ReplayEvidence, replayed(answers="x"), "answers belong to a recording"),
    (ReplayEvidence, replayed(calls="3000"), "calls"),
    (ContractEvidence, contracted(operations=0), "operations"),
    (ContractEvidence, contracted(programs=[]), "programs"),
    (InspectEvidence, inspected(structure=[{"name": "p", "holds": True}]), "structure.0.reason"),
    (
        InspectEvidence,
        inspected(structure=[{"name": "p", "holds": False, "reason": None}]),
        "predicate p must have a reason",
    ),
]


@pytest.mark.parametrize(("kind", "raw", "told"), ODD)
def test_odd_evidence_is_refused_in_one_line(kind: type[Evidence], raw: Raw, told: str) -> None:
    with pytest.raises(VerifierError, match=told) as refused:
        read(kind, raw)
    assert "\n" not in str(refused.value)


def test_a_test_that_is_listed_twice_is_refused() -> None:
    raw = suite(a="passed", b="passed")
    raw["tests"][1]["test"] = "a"
    with pytest.raises(VerifierError, match="listed twice"):
        read(BehaviourEvidence, raw)


@pytest.mark.parametrize(
    ("stdout", "code", "told"),
    [
        ("", 0, "no verdict on the last line"),
        ("done", 0, "no verdict on the last line"),
        ("{", 0, "the verdict: Invalid JSON"),
        ('{"phase": "replay"}\nand more', 0, "no verdict on the last line"),
        (json.dumps(suite(a="passed")), 1, "exit code 1: Boom"),
        (json.dumps(suite(a="passed")), None, "exit code None: Boom"),
    ],
)
def test_no_verdict_is_no_pass(stdout: str, code: int | None, told: str) -> None:
    with pytest.raises(VerifierError, match=told):
        read_verdict(BehaviourEvidence, stdout, code, "Traceback\nBoom\n")


def test_only_the_last_line_counts() -> None:
    lines = json.dumps(suite(a="failed")) + "\n" + json.dumps(suite(a="passed")) + "\n"
    assert behaviour([read_verdict(BehaviourEvidence, lines, 0)]).holds


def test_an_app_that_does_not_start_is_judged_by_its_files_alone() -> None:
    told = unstarted(read(InspectEvidence, inspected()), "it did not start", predicates=["p"])
    assert [f.holds for f in told.factors] == [False, False, True, False, True]
    assert (told.reason, told.tests_total) == ("behaviour: it did not start", 0)
    assert not told.resolved


def test_what_earlier_starts_showed_is_kept_where_a_later_one_fails() -> None:
    def told(**outcomes: str) -> Score:
        starts = [read(BehaviourEvidence, suite(**outcomes))]
        found = read(InspectEvidence, inspected())
        return unstarted(found, "no start (start 2)", predicates=["p"], starts=starts)

    passed = told(a="passed", b="passed")
    assert (passed.tests_passed, passed.tests_total) == (2, 2)
    assert (passed.reason, passed.resolved) == ("behaviour: no start (start 2)", False)
    failed = told(a="passed", b="failed")
    assert (failed.tests_passed, failed.tests_total) == (1, 2)
    assert (failed.reason or "").startswith("behaviour: b failed in start 1")
