"""What is left of deductibles and caps, over claims, plans, patients and years."""

from typing import Any

from clinic import (
    LATER_ON_TUESDAY,
    Visit,
    book,
    check_in,
    cover,
    decide,
    decided,
    did,
    estimate,
    get,
    later,
    member,
    no,
    paid,
    post,
    practitioner,
    shift,
    sign,
    signed,
    submit,
    treated,
)

DECEMBER = "2026-12-29T08:00:00Z"
JANUARY = "2027-01-05T08:00:00Z"
AFTER = "2027-01-12T10:00:00Z"


def left(owner: str, plan: str, year: str = "2026") -> tuple[int, int | None]:
    """What an allowance says of the deductible and the cap."""
    found = get(f"/v1/allowances?patient_id={owner}&plan={plan}&year={year}")
    assert (found["patient_id"], found["plan"], found["year"]) == (owner, plan, year)
    return found["deductible_left_cents"], found["cap_left_cents"]


def filed(owner: str, start: str, *lines: str) -> str:
    """The claim of a long visit that began then; it is submitted on the same day."""
    doctor = practitioner()
    booking = book(owner, shift(doctor, start), start, "long", at=later(start, days=-3))
    record = check_in(Visit(owner, doctor, booking["id"], start))
    did(record, *lines)
    claim = str(sign(record)["claim_id"])
    submit(claim, at=start)
    return claim


def shares(claim: str) -> list[tuple[Any, ...]]:
    items = get(f"/v1/claims/{claim}/shares")["items"]
    names = ("plan", "year", "place", "deductible_cents", "paid_cents")
    return [tuple(each[name] for name in names) for each in items]


def test_a_year_is_that_of_the_visit_however_late_it_is_decided_on() -> None:
    owner = member("private_full")
    claim = filed(owner, DECEMBER, "CO10*1")
    found = decide(claim, at=AFTER)
    assert (found["decided_on"], found["patient_cents"]) == ("2027-01-12", 2_800)
    assert left(owner, "private_full", "2026") == (7_200, None)
    assert left(owner, "private_full", "2027") == (10_000, None)
    assert paid(estimate(owner, "TH45*1", at=AFTER)) == [2_775]
    assert paid(estimate(owner, "TH45*1", at="2026-12-31T23:59:59Z")) == [5_575]


def test_claims_of_two_years_are_decided_on_in_any_order() -> None:
    owner = member("private_full")
    old = filed(owner, DECEMBER, "TH45*1")
    new = filed(owner, JANUARY, "CO10*1")
    decide(new, at=AFTER)
    decide(old, at=later(AFTER, hours=1))
    assert shares(new) == [("private_full", "2027", 0, 2_800, 0)]
    assert shares(old) == [("private_full", "2026", 0, 10_000, 2_775)]
    assert left(owner, "private_full", "2026") == (0, None)
    assert left(owner, "private_full", "2027") == (7_200, None)


def test_a_cap_runs_out_over_claims_and_is_whole_again_next_year() -> None:
    owner = member("statutory_plus")
    before = [("2026-03-03T08:00:00Z", 21_422), ("2026-06-09T08:00:00Z", 2_844)]
    for start, rest in before:
        decide(filed(owner, start, "SU40*1", "US20*2"), at=later(start, hours=9))
        assert left(owner, "statutory_plus") == (0, rest)
    last = filed(owner, "2026-09-08T08:00:00Z", "SU40*1")
    found = decide(last, at="2026-09-09T08:00:00Z")
    assert (found["paid_cents"], found["patient_cents"]) == (2_844, 8_548)
    assert left(owner, "statutory_plus") == (0, 0)
    assert left(owner, "statutory_plus", "2027") == (0, 40_000)
    assert paid(estimate(owner, "CO10*1", at="2026-09-10T08:00:00Z")) == [0]


def test_every_insurer_of_a_claim_has_its_own_limits() -> None:
    owner = member("private_basic", "private_full")
    claim = decided(owner, "CO30*1", "US20*2")
    kept = shares(claim["id"])
    assert [(plan, year, place) for plan, year, place, *_ in kept] == [
        ("private_basic", "2026", 0),
        ("private_full", "2026", 1),
    ]
    for plan, deductible, cap in [
        ("private_basic", 30_000, 200_000),
        ("private_full", 10_000, None),
    ]:
        (share,) = [each for each in kept if each[0] == plan]
        assert share[3] > 0
        rest = None if cap is None else cap - share[4]
        assert left(owner, plan) == (deductible - share[3], rest)
    assert left(owner, "statutory_plus") == (0, 40_000)


def test_nothing_is_used_up_by_what_is_not_decided() -> None:
    owner = member("private_full")
    _, claim = signed(owner, "CO30*1")
    estimate(owner, "TH45*1")
    submit(claim)
    assert left(owner, "private_full") == (10_000, None)
    decide(claim)
    assert left(owner, "private_full") == (1_425, None)
    assert no(f"/v1/claims/{claim}/decision", at=LATER_ON_TUESDAY) == (409, "wrong_state")
    assert left(owner, "private_full") == (1_425, None)


def test_a_rejected_claim_uses_nothing_up_and_a_corrected_one_once() -> None:
    owner = treated()
    claim = decided(owner, "CO30*1")["id"]
    assert left(owner, "private_basic") == (30_000, 200_000)
    cover(owner, "private_basic")
    post(f"/v1/claims/{claim}/resubmit", {}, at=LATER_ON_TUESDAY)
    assert left(owner, "private_basic") == (30_000, 200_000)
    assert decide(claim)["state"] == "accepted"
    assert left(owner, "private_basic") == (24_365, 200_000)


def test_patients_do_not_share_limits() -> None:
    one, other = member("private_full"), member("private_full")
    decided(one, "CO10*1")
    assert (left(one, "private_full"), left(other, "private_full")) == (
        (7_200, None),
        (10_000, None),
    )
