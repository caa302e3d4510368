"""What follows from how reliably a patient comes, at every limit."""

from typing import Any

import pytest
from clinic import (
    TUESDAY,
    book,
    call,
    get,
    later,
    no,
    patient,
    post,
    practitioner,
    shift,
    wish,
)

WEDNESDAY = "2026-03-11T08:00:00Z"
THURSDAY = "2026-03-12T08:00:00Z"
AT = "2026-03-09T09:00:00Z"
LATE = "2026-03-11T07:00:00Z"


def absent(owner: str, kind: str) -> None:
    """A visit of the week before that somebody missed, cancelled late, or came late to."""
    made = book(owner, shift(practitioner()), TUESDAY)["id"]
    if kind == "missed":
        post(f"/v1/bookings/{made}/no-show", at=later(TUESDAY, minutes=15))
    else:
        post(f"/v1/bookings/{made}/cancel", at=later(TUESDAY, minutes=-30))


def somebody(points: int) -> str:
    """A patient with that many points: 40 for a visit missed, 15 for one cancelled late."""
    owner = patient()
    for kind, each in (("missed", 40), ("cancelled", 15)):
        while points >= each:
            absent(owner, kind)
            points -= each
    assert points == 0
    return owner


def reliability(owner: str) -> Any:
    found = get(f"/v1/patients/{owner}/reliability", at=AT)
    assert set(found) == {"patient_id", "points", "grade"}
    return found["points"], found["grade"]


def on_top(owner: str) -> tuple[int, str]:
    """Status, and place or code, of a booking on top of somebody's."""
    place = shift(practitioner(), WEDNESDAY, overbook=2)
    book(owner, place, WEDNESDAY, at=AT)
    answer = call("POST", "/v1/bookings", wish(patient(), place, WEDNESDAY), at=AT)
    found = answer.json()
    return answer.status, found["place"] if answer.status == 201 else found["error"]["code"]


@pytest.mark.parametrize(
    ("points", "grade"),
    [(0, "good"), (15, "fair"), (30, "fair"), (40, "doubtful"), (70, "doubtful"), (80, "poor")],
)
def test_users_see_points_and_words(points: int, grade: str) -> None:
    assert reliability(somebody(points)) == (points, grade)


@pytest.mark.parametrize(("points", "fee"), [(0, 0), (15, 1_500), (40, 1_500), (80, 1_500)])
def test_only_who_has_no_points_is_forgiven(points: int, fee: int) -> None:
    owner = somebody(points)
    made = book(owner, shift(practitioner(), WEDNESDAY), WEDNESDAY, at=AT)["id"]
    assert post(f"/v1/bookings/{made}/cancel", at=LATE)["fee_cents"] == fee


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        (0, (409, "slot_taken")),
        (30, (409, "slot_taken")),
        (40, (201, "overbooked")),
        (70, (201, "overbooked")),
        (80, (201, "overbooked")),
    ],
)
def test_a_visit_is_booked_on_top_of_who_may_not_come(
    points: int, expected: tuple[int, str]
) -> None:
    assert on_top(somebody(points)) == expected


@pytest.mark.parametrize(("points", "second"), [(70, 201), (80, 409)])
def test_who_missed_too_many_visits_books_one_at_a_time(points: int, second: int) -> None:
    owner = somebody(points)
    book(owner, shift(practitioner(), WEDNESDAY), WEDNESDAY, at=AT)
    wanted = wish(owner, shift(practitioner(), THURSDAY), THURSDAY)
    answer = call("POST", "/v1/bookings", wanted, at=AT)
    assert answer.status == second
    if second == 409:
        error = answer.json()["error"]
        assert error == {"code": "one_at_a_time", "message": f"{owner} missed too many visits"}
        made = call("POST", "/v1/bookings", {**wanted, "urgent": True}, at=AT)
        assert made.status == 201


def test_nobody_has_more_than_four_bookings_ahead() -> None:
    for points, code in [(15, "too_many_bookings"), (0, "too_many_bookings")]:
        owner = somebody(points)
        for _ in range(4):
            book(owner, shift(practitioner(), WEDNESDAY), WEDNESDAY, at=AT)
        wanted = wish(owner, shift(practitioner(), THURSDAY), THURSDAY)
        error = call("POST", "/v1/bookings", wanted, at=AT).json()["error"]
        assert error == {"code": code, "message": f"{owner} has 4 bookings ahead"}


@pytest.mark.parametrize("urgent", [False, True])
def test_nobody_unknown_books_not_even_in_an_emergency(urgent: bool) -> None:
    place = shift(practitioner(), WEDNESDAY)
    wanted = wish("pat_none", place, WEDNESDAY, urgent=urgent)
    assert no("/v1/bookings", wanted, at=AT) == (404, "unknown_patient")
    off_grid = {**wanted, "starts_at": later(WEDNESDAY, minutes=1)}
    assert no("/v1/bookings", off_grid, at=AT) == (404, "unknown_patient")
    assert no("/v1/bookings", {**wanted, "shift_id": "shf_none"}, at=AT)[1] == "unknown_shift"


def test_who_owes_and_misses_visits_is_told_about_the_debt_first() -> None:
    owner = somebody(80)
    for day in ("2026-04-01", "2026-04-20", "2026-05-10"):
        post("/v1/demands", {"patient_id": owner}, at=f"{day}T10:00:00Z")
    start = "2026-05-12T08:00:00Z"
    wanted = wish(owner, shift(practitioner(), start), start)
    assert no("/v1/bookings", wanted, at="2026-05-11T10:00:00Z") == (402, "payment_due")
