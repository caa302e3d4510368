"""What visits cost that did not happen, and whom."""

from typing import Any

import pytest
from clinic import (
    TUESDAY,
    book,
    get,
    later,
    messages,
    missed,
    no,
    patient,
    points,
    post,
    practitioner,
    shift,
)

EVENING = "2026-03-02T18:00:00Z"
TOO_LATE = "2026-03-02T18:00:01Z"
NO_SHOW = "2026-03-03T08:15:00Z"
FRIDAY = "2026-02-20T09:00:00Z"
BEFORE = "2026-02-20T08:00:00Z"


def opened(start: str, at: str) -> str:
    """The id of a shift that is opened long before Monday."""
    body = {"kind": "general", "starts_at": start, "ends_at": later(start, hours=4)}
    path = f"/v1/practitioners/{practitioner()}/shifts"
    return str(post(path, {**body, "slot_minutes": 20}, at=at, status=201)["id"])


def booked(owner: str, visit: str = "followup") -> str:
    return str(book(owner, shift(practitioner()), TUESDAY, visit, at=BEFORE)["id"])


def invoices(owner: str) -> list[tuple[Any, ...]]:
    """Kind, amount and due day of what a patient is invoiced."""
    items = get(f"/v1/invoices?patient_id={owner}&limit=100")["items"]
    return [(each["kind"], each["amount_cents"], each["due_on"]) for each in items]


def earlier(owner: str, start: str) -> str:
    """A patient who cancelled a visit late that was to begin then."""
    at = later(start, hours=-1)
    made = book(owner, opened(start, at), start, at=at)["id"]
    post(f"/v1/bookings/{made}/cancel", at=at)
    return owner


def unreliable(born_on: str = "1980-05-04") -> str:
    owner = earlier(patient(born_on, at=BEFORE), FRIDAY)
    assert points(owner) == 15
    return owner


def cancelled(booking: str, at: str = TOO_LATE) -> Any:
    return post(f"/v1/bookings/{booking}/cancel", at=at)


def gone(booking: str) -> Any:
    return post(f"/v1/bookings/{booking}/no-show", at=NO_SHOW)


@pytest.mark.parametrize(
    ("visit", "late", "absent"),
    [("followup", 1_500, 3_000), ("first", 2_500, 5_000), ("long", 4_000, 8_000)],
)
def test_each_kind_of_visit_has_its_fees(visit: str, late: int, absent: int) -> None:
    owner = unreliable()
    assert cancelled(booked(owner, visit))["fee_cents"] == late
    assert invoices(owner) == [("fee", late, "2026-03-16")]
    owner = unreliable()
    assert gone(booked(owner, visit))["fee_cents"] == absent
    assert invoices(owner) == [("fee", absent, "2026-03-17")]


def test_the_first_late_cancellation_costs_nothing_and_the_second_does() -> None:
    owner = patient()
    first = cancelled(booked(owner))
    assert (first["state"], first["fee_cents"]) == ("cancelled_late", 0)
    assert invoices(owner) == []
    assert messages(owner, "invoice_raised") == []
    assert points(owner) == 15
    second = booked(owner)
    assert cancelled(second)["fee_cents"] == 1_500
    (invoice,) = get(f"/v1/invoices?patient_id={owner}")["items"]
    assert (invoice["reference"], invoice["kind"]) == (f"booking:{second}", "fee")
    (told,) = messages(owner, "invoice_raised")
    assert told["subject"] == f"booking:{second}"
    assert told["text"] == "1500 cents are due on 2026-03-16"
    assert points(owner) == 30


def test_a_missed_visit_costs_the_reliable_too() -> None:
    owner = patient()
    assert gone(booked(owner))["fee_cents"] == 3_000
    assert points(owner) == 40


def test_what_is_cancelled_in_time_costs_nobody_anything() -> None:
    owner = unreliable()
    found = cancelled(booked(owner), at=EVENING)
    assert (found["state"], found["fee_cents"]) == ("cancelled", 0)
    assert (invoices(owner), points(owner)) == ([], 15)


@pytest.mark.parametrize(
    ("born_on", "late", "absent"),
    [
        ("2008-03-02", 2_500, 5_000),
        ("2008-03-03", 1_250, 5_000),
        ("2008-03-04", 1_250, 2_500),
    ],
)
def test_who_is_a_minor_on_the_day_itself_pays_half(born_on: str, late: int, absent: int) -> None:
    owner = unreliable(born_on)
    assert cancelled(booked(owner, "first"))["fee_cents"] == late
    assert invoices(owner)[0][1] == late
    owner = unreliable(born_on)
    assert gone(booked(owner, "first"))["fee_cents"] == absent
    assert invoices(owner)[0][1] == absent


def test_a_minor_is_forgiven_once_as_well() -> None:
    owner = patient("2010-01-01")
    assert cancelled(booked(owner))["fee_cents"] == 0
    assert (invoices(owner), points(owner)) == ([], 15)


def test_an_absence_is_forgotten_and_forgiven_again() -> None:
    for start, fee in [("2025-03-03T09:00:00Z", 1_500), ("2025-02-28T09:00:00Z", 0)]:
        owner = earlier(patient(at="2025-01-02T09:00:00Z"), start)
        assert cancelled(booked(owner))["fee_cents"] == fee


def test_who_has_a_demand_may_still_cancel() -> None:
    owner = patient()
    made = booked(owner)
    missed(owner, at="2026-03-03T20:00:00Z")
    assert no(f"/v1/bookings/{made}/no-show", at="2026-03-03T08:14:59Z") == (409, "too_early")
    assert gone(made)["fee_cents"] == 3_000
    assert [amount for _, amount, _ in invoices(owner)] == [3_000, 3_000]
