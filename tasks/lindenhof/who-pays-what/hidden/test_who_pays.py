"""Who pays what of a visit, where the phases meet."""

from typing import Any

from clinic import authorise, cover, decided, estimate, get, insured, member, paid, patient, plan


def columns(decision: Any, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(share[name] for name in names) for share in decision["shares"]]


def test_lines_are_rounded_one_by_one_and_bounds_are_for_the_first_insurer():
    found = estimate(insured("statutory_basic", "private_basic"), "EX15*2", "LA05*3")
    assert (found["billed_cents"], paid(found)) == (3_613, [3_113, 0])
    assert columns(found, "place", "allowed_cents", "deductible_cents", "copay_cents") == [
        (0, 3_613, 0, 500),
        (1, 500, 500, 0),
    ]


def test_the_accident_insurer_goes_first_and_ends_it_when_nothing_is_left():
    owner = insured("statutory_plus", "accident")
    found = estimate(owner, "LA05*2", "CO10*1", diagnosis="S83.2")
    assert columns(found, "plan", "paid_cents") == [("accident", 1_200)]
    assert (found["outcome"], found["rejections"]) == ("partly", ["not_covered:LA05"])
    assert (found["billed_cents"], found["patient_cents"]) == (1_540, 340)
    found = estimate(owner, "LA05*2", "CO10*1")
    assert columns(found, "plan", "paid_cents") == [("statutory_plus", 1_209)]


def test_the_first_insurer_alone_refuses_lines():
    owner = insured("statutory_plus", "statutory_basic")
    found = estimate(owner, "TH45*1", "US20*1", "TH90*1")
    assert found["rejections"] == ["authorisation_missing:TH90"]
    assert columns(found, "allowed_cents", "copay_cents") == [(8_640, 432), (432, 43)]
    assert found["patient_cents"] == 43 + 7_050
    found = estimate(owner, "TH90*1")
    assert (found["outcome"], found["billed_cents"], found["shares"]) == ("rejected", 7_050, [])
    found = estimate(patient(), "TH90*1")
    assert (found["rejections"], found["patient_cents"]) == (["no_coverage"], 7_050)


def test_minors_are_exempt_with_statutory_plans_wherever_they_stand():
    owner = insured("private_full", "statutory_basic", born_on="2015-01-01")
    found = estimate(owner, "SU40*1")
    assert columns(found, "deductible_cents", "copay_cents") == [(10_000, 0), (0, 0)]
    assert (paid(found), found["patient_cents"]) == ([21_150, 10_000], 0)


def test_the_cap_comes_after_the_copayment_and_counts_what_was_paid():
    owner = member("statutory_plus")
    cover(owner, "private_full", 2)
    authorise(plan(owner), 1)
    lines = "SU40*1", "US20*2", "TH45*1", "GR60*1"
    first = decided(owner, "SU40*1", "US20*2")
    assert (first["billed_cents"], first["paid_cents"]) == (19_328, 18_578)
    assert get(f"/v1/claims/{first['id']}/shares")["items"][1]["deductible_cents"] == 750
    found = estimate(owner, *lines)
    assert columns(found, "allowed_cents", "deductible_cents", "copay_cents", "paid_cents") == [
        (26_688, 0, 750, 21_422),
        (5_266, 5_266, 0, 0),
    ]
    assert (found["rejections"], found["patient_cents"]) == ([], 5_266)
