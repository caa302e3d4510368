"""Duties as users see them, under the words that they always had."""

import re

from clinic import (
    TUESDAY,
    book,
    call,
    get,
    later,
    member,
    no,
    patient,
    post,
    practitioner,
    shift,
    wish,
)

NOON = "2026-03-03T12:00:00Z"
FIELDS = {"id", "practitioner_id", "kind", "starts_at", "ends_at", "slot_minutes", "overbook"}


def body(**more: object) -> dict[str, object]:
    wanted = {"kind": "general", "starts_at": TUESDAY, "ends_at": NOON, "slot_minutes": 20}
    return {**wanted, **more}


def said(path: str, wanted: object, *, at: str = "2026-03-02T09:00:00Z") -> tuple[str, str]:
    """Code and sentence of a refusal."""
    error = call("POST", path, wanted, at=at).json()["error"]
    return error["code"], error["message"]


def test_a_duty_is_opened_under_its_old_path_and_has_its_old_id() -> None:
    made = post(f"/v1/practitioners/{practitioner()}/shifts", body(), status=201)
    assert set(made) == FIELDS
    assert re.fullmatch(r"shf_(?:[0-9a-f]{32}|[0-9]+)", made["id"])


def test_refusals_say_what_they_always_said() -> None:
    doctor = practitioner()
    path = f"/v1/practitioners/{doctor}/shifts"
    place = shift(doctor, overbook=0)
    long, odd = later(TUESDAY, hours=11), later(TUESDAY, minutes=50)
    assert said(path, body()) == ("shift_overlap", f"shift {place} is at that time")
    assert said(path, body(ends_at=long)) == ("bad_period", "a shift lasts up to ten hours")
    assert said(path, body(ends_at=odd)) == ("odd_slots", "20 minutes do not fill the shift")
    owner = patient()
    unknown = said("/v1/bookings", wish(owner, "shf_none"))
    assert unknown == ("unknown_shift", "no shift shf_none")
    book(owner, place)
    again = said("/v1/bookings", wish(owner, place, later(TUESDAY, hours=1)))
    assert again == ("already_booked", f"{owner} has a booking in this shift")


def test_an_emergency_is_refused_where_it_is_full() -> None:
    place = shift(practitioner(), overbook=0)
    book(patient(), place)
    book(patient(), place, urgent=True)
    full = said("/v1/bookings", wish(patient(), place, urgent=True))
    assert full == ("shift_full", f"shift {place} is overbooked")


def test_slots_bookings_and_offers_name_their_duty() -> None:
    doctor = practitioner()
    place = shift(doctor)
    slots = get(f"/v1/practitioners/{doctor}/slots?visit=followup")["items"]
    assert [set(each) for each in slots] == [{"shift_id", "starts_at", "place", "gap_minutes"}] * 12
    assert {each["shift_id"] for each in slots} == {place}
    made = book(patient(), place)
    assert made["shift_id"] == get(f"/v1/bookings/{made['id']}")["shift_id"] == place
    waits = {"patient_id": member(), "practitioner_id": doctor, "visit": "followup"}
    waiting = post("/v1/waiting", waits, status=201)
    assert waiting["shift_id"] is None
    post(f"/v1/bookings/{made['id']}/cancel")
    offered = get(f"/v1/waiting/{waiting['id']}")
    assert (offered["state"], offered["shift_id"]) == ("offered", place)
    accepted = post(f"/v1/waiting/{waiting['id']}/accept")
    assert get(f"/v1/bookings/{accepted['booking_id']}")["shift_id"] == place


def test_duties_do_not_overlap_but_may_touch() -> None:
    doctor = practitioner()
    shift(doctor, NOON)
    path = f"/v1/practitioners/{doctor}/shifts"
    assert post(path, body(), status=201)["ends_at"] == NOON
    assert no(path, body(starts_at=later(TUESDAY, hours=1))) == (409, "shift_overlap")
    shown = get(f"/v1/practitioners/{doctor}/slots?visit=long")["items"]
    assert shown[0]["starts_at"] == NOON
