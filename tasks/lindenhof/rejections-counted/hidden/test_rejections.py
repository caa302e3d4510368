"""What is rejected of a claim, as users see it at every stage of the claim."""

from typing import Any

from clinic import (
    LATER_ON_TUESDAY,
    authorise,
    cover,
    decide,
    decided,
    estimate,
    get,
    insured,
    member,
    no,
    plan,
    post,
    signed,
    submit,
    treated,
)

MISSING = "authorisation_missing:TH45"


def resubmit(claim: str, *lines: str) -> Any:
    body = {"procedures": list(lines)}
    return post(f"/v1/claims/{claim}/resubmit", body, at=LATER_ON_TUESDAY)


def shown(claim: str) -> list[str]:
    """The rejections of a claim, the same wherever it is asked for."""
    found = get(f"/v1/claims/{claim}")
    listed = get(f"/v1/claims?patient_id={found['patient_id']}")["items"]
    (same,) = [each for each in listed if each["id"] == claim]
    assert same == found
    return list(found["rejections"])


def test_rejections_come_in_the_order_of_the_lines() -> None:
    for lines, expected in [
        (["US20*1", "CO10*1", "TH45*1"], ["not_covered:US20", MISSING]),
        (["TH45*1", "CO10*1", "US20*1"], [MISSING, "not_covered:US20"]),
    ]:
        assert estimate(insured("statutory_basic"), *lines)["rejections"] == expected
        claim = decided(member("statutory_basic"), *lines)
        assert (claim["state"], claim["rejections"]) == ("partly", expected)
        assert shown(claim["id"]) == expected


def test_nothing_is_rejected_before_a_decision() -> None:
    _, claim = signed(member("statutory_basic"), "US20*1")
    assert shown(claim) == []
    assert submit(claim)["rejections"] == []
    withdrawn = post(f"/v1/claims/{claim}/withdraw", at=LATER_ON_TUESDAY)
    assert (withdrawn["state"], withdrawn["rejections"]) == ("withdrawn", [])


def test_a_corrected_claim_shows_its_rejections_until_it_is_decided_on() -> None:
    claim = decided(member("statutory_basic"), "US20*1", "TH45*1")["id"]
    expected = ["not_covered:US20", MISSING]
    assert shown(claim) == expected
    again = resubmit(claim, "TH45*1", "CO30*1")
    assert (again["state"], again["rejections"]) == ("resubmitted", expected)
    assert shown(claim) == expected
    found = decide(claim)
    assert (found["state"], found["rejections"]) == ("partly", [MISSING])
    assert shown(claim) == [MISSING]


def test_an_accepted_claim_shows_none_of_an_earlier_decision() -> None:
    claim = decided(member("statutory_basic"), "TH45*1")["id"]
    resubmit(claim, "CO30*1")
    found = decide(claim)
    assert (found["state"], found["rejections"]) == ("accepted", [])
    assert shown(claim) == []


def test_each_decision_has_its_own() -> None:
    owner = treated()
    claim = decided(owner, "TH45*1", "LA05*2")["id"]
    assert shown(claim) == ["no_coverage"]
    cover(owner, "statutory_basic")
    resubmit(claim, "TH45*1")
    assert decide(claim)["rejections"] == [MISSING]
    assert get(f"/v1/claims/{claim}")["correct_until"] == "2026-04-02"
    resubmit(claim)
    found = decide(claim)
    assert (found["submissions"], found["rejections"]) == (3, [MISSING])
    assert (found["state"], found["correct_until"]) == ("rejected", None)
    assert no(f"/v1/claims/{claim}/resubmit", {}) == (409, "final")


def test_a_withdrawn_claim_keeps_what_was_rejected() -> None:
    claim = decided(member("statutory_basic"), "TH45*1")["id"]
    found = post(f"/v1/claims/{claim}/withdraw", at=LATER_ON_TUESDAY)
    assert (found["state"], found["rejections"]) == ("withdrawn", [MISSING])
    assert shown(claim) == [MISSING]


def test_what_was_rejected_once_and_then_paid_uses_an_authorisation_up() -> None:
    owner = member("statutory_basic")
    claim = decided(owner, "TH45*1")["id"]
    authorise(plan(owner), 1)
    resubmit(claim)
    assert decide(claim)["state"] == "accepted"
    assert estimate(owner, "TH45*1")["rejections"] == [MISSING]


def test_what_is_rejected_for_another_reason_uses_it_up() -> None:
    owner = member("statutory_basic")
    authorise(plan(owner), 1)
    assert decided(owner, "TH45*1", "US20*1")["rejections"] == ["not_covered:US20"]
    assert estimate(owner, "TH45*1")["rejections"] == [MISSING]


def test_what_is_rejected_of_another_procedure_uses_it_up() -> None:
    owner = member("statutory_basic")
    claim = decided(owner, "TH45*1")["id"]
    authorise(plan(owner), 1)
    resubmit(claim, "TH45*1", "GR60*1")
    found = decide(claim)
    assert (found["state"], found["rejections"]) == ("partly", ["authorisation_missing:GR60"])
    assert estimate(owner, "TH45*1")["rejections"] == [MISSING]


def test_what_stays_rejected_uses_nothing_up() -> None:
    owner = member("statutory_basic")
    assert decided(owner, "TH45*1", "CO10*1")["rejections"] == [MISSING]
    authorise(plan(owner), 1)
    assert estimate(owner, "TH45*1")["outcome"] == "accepted"


def test_claims_of_one_patient_have_their_own() -> None:
    owner = member("statutory_basic")
    first = decided(owner, "US20*1", "EX15*1")["id"]
    second = decided(owner)["id"]
    assert [shown(first), shown(second)] == [["not_covered:US20"], []]
    listed = get(f"/v1/claims?patient_id={owner}&state=partly&limit=1")["items"]
    assert [each["rejections"] for each in listed] == [["not_covered:US20"]]
    assert get(f"/v1/claims?patient_id={owner}&limit=1&offset=1")["items"][0]["id"] == second
