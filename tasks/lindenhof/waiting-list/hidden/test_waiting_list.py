"""The waiting list, where it meets the schedule."""

from typing import Any

from clinic import MONDAY, book, get, later, messages, no, patient, post, practitioner, shift

THURSDAY = "2026-03-05T08:00:00Z"
NOON = "2026-03-02T12:00:00Z"
LAPSED = "2026-03-03T12:00:01Z"


def wait(doctor: str, visit: str = "followup", urgency: str = "routine", at: str = MONDAY) -> Any:
    body = {"patient_id": patient(), "practitioner_id": doctor, "visit": visit}
    return post("/v1/waiting", {**body, "urgency": urgency}, at=at, status=201)


def full_shift(doctor: str) -> tuple[str, list[str]]:
    """A shift of an hour and its three bookings."""
    place = shift(doctor, THURSDAY, 1)
    starts = [later(THURSDAY, minutes=minutes) for minutes in (0, 20, 40)]
    return place, [book(patient(), place, start)["id"] for start in starts]


def cancel(booking: str, at: str = MONDAY) -> None:
    assert post(f"/v1/bookings/{booking}/cancel", at=at)["state"] == "cancelled"


def entry(waiting: Any) -> Any:
    return get(f"/v1/waiting/{waiting['id']}")


def states(*waiting: Any) -> list[str]:
    return [entry(each)["state"] for each in waiting]


def test_a_place_goes_from_hand_to_hand_until_somebody_takes_it() -> None:
    doctor = practitioner()
    place, bookings = full_shift(doctor)
    too_long = wait(doctor, "long", "urgent")
    third, second, first = (
        wait(doctor),
        wait(doctor, urgency="soon"),
        wait(doctor, "followup", "urgent"),
    )
    cancel(bookings[1], NOON)
    assert states(too_long, first, second) == ["waiting", "offered", "waiting"]
    declined = post(f"/v1/waiting/{first['id']}/decline", at=NOON)
    assert (declined["state"], declined["since"], declined["shift_id"]) == ("waiting", NOON, None)
    assert states(too_long, first, second) == ["waiting", "waiting", "offered"]
    path = f"/v1/practitioners/{doctor}/lapsed-offers"
    (lapsed,) = post(path, at=LAPSED)["items"]
    assert (lapsed["id"], lapsed["state"]) == (second["id"], "lapsed")
    assert states(first, second, third) == ["offered", "lapsed", "waiting"]
    accepted = post(f"/v1/waiting/{first['id']}/accept", at=LAPSED)
    assert (accepted["state"], accepted["offered_until"]) == ("accepted", "2026-03-04T12:00:01Z")
    made = get(f"/v1/bookings/{accepted['booking_id']}")
    assert (made["shift_id"], made["starts_at"]) == (place, later(THURSDAY, minutes=20))
    assert (made["patient_id"], made["place"]) == (first["patient_id"], "offered")
    told = [(each["kind"], each["subject"]) for each in messages(first["patient_id"])]
    offer = ("slot_offered", f"waiting:{first['id']}")
    assert told == [offer, offer, ("booking_reminder", f"booking:{made['id']}")]
    assert no(f"/v1/waiting/{first['id']}/decline") == (409, "no_offer")


def test_a_longer_visit_is_offered_two_places_that_became_free() -> None:
    doctor = practitioner()
    _, bookings = full_shift(doctor)
    first = wait(doctor, "first")
    cancel(bookings[2])
    assert states(first) == ["waiting"]
    cancel(bookings[1])
    offered = entry(first)
    assert (offered["state"], offered["offered_start"]) == ("offered", later(THURSDAY, minutes=20))
    path = f"/v1/waiting/{first['id']}/accept"
    assert no(path, at="2026-03-03T09:00:01Z") == (409, "offer_lapsed")
    assert post(path, at="2026-03-03T09:00:00Z")["state"] == "accepted"
    body = {"patient_id": first["patient_id"], "practitioner_id": doctor, "visit": "first"}
    assert post("/v1/waiting", body, status=201)["state"] == "waiting"
    assert no("/v1/waiting", body) == (409, "already_waiting")
