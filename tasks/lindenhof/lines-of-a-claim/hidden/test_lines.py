"""Lines of claims: read, checked, priced, used up, and kept as text."""

from clinic import (
    authorise,
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

BODY = {"diagnoses": ["M54.5"]}
LATER = "2026-03-03T20:00:00Z"


def test_a_line_is_priced_as_a_whole() -> None:
    owner = insured("statutory_basic")
    for lines, billed in [(["LA05*3"], 581), (["EX15*2", "LA05*3"], 3_613), (["IN10*3"], 3_249)]:
        assert estimate(owner, *lines)["billed_cents"] == billed, lines
    found = estimate(owner, "LA05*6", "US20*2")
    assert (found["rejections"], found["billed_cents"]) == (["not_covered:US20"], 1_163 + 6_200)
    assert estimate(treated(), "LA05*3", "WC15*2")["patient_cents"] == 510 + 3_200


def test_lines_are_checked_one_after_another() -> None:
    body = {**BODY, "patient_id": treated()}
    for lines, code in [
        (["LA05*7", "XX99*1"], "too_many_units"),
        (["XX99*9", "LA05*7"], "unknown_procedure"),
        (["LA05*1", "LA05*9"], "repeated_line"),
        (["CO10*2"], "too_many_units"),
    ]:
        assert no("/v1/estimates", {**body, "procedures": lines}) == (422, code), lines


def test_authorised_times_are_used_up_line_by_line() -> None:
    owner = member("statutory_basic")
    authorise(plan(owner), 1)
    first = decided(owner, "LA05*2", "TH45*1")
    assert (first["procedures"], first["state"]) == (["LA05*2", "TH45*1"], "accepted")
    assert estimate(owner, "TH45*1")["rejections"] == ["authorisation_missing:TH45"]
    assert estimate(owner, "LA05*2")["rejections"] == []


def test_claims_are_compared_by_procedure_and_keep_their_text() -> None:
    owner = treated()
    _, first = signed(owner)
    _, second = signed(owner, "LA05*3", "CO10*1")
    submit(first)
    assert no(f"/v1/claims/{second}/submit", at=LATER) == (409, "duplicate")
    withdrawn = post(f"/v1/claims/{second}/withdraw", at=LATER)
    assert (withdrawn["procedures"], withdrawn["patient_cents"]) == (["LA05*3", "CO10*1"], 1_310)
    assert get(f"/v1/claims/{first}")["procedures"] == ["CO10*1"]
