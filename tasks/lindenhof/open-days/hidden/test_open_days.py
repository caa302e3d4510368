"""The days on which the clinic is open, for shifts, bookings and bills."""

from clinic import book, debt, later, messages, no, patient, post, practitioner, shift

LONG_WEEKEND = "2026-05-04T08:00:00Z"
"""The Monday after a holiday on a Friday."""
AFTER_CHRISTMAS = "2026-12-28T08:00:00Z"
DECEMBER = "2026-12-01T09:00:00Z"


def test_shifts_are_opened_on_open_days_only() -> None:
    path = f"/v1/practitioners/{practitioner()}/shifts"
    body = {"kind": "general", "slot_minutes": 20}
    for day, code in [
        ("2026-12-25", "closed_day"),
        ("2028-10-03", "closed_day"),
        ("2026-05-02", "closed_day"),
        ("2026-05-03", "closed_day"),
        ("2026-01-01", "closed_day"),
        ("2026-01-02", "in_the_past"),
        ("0999-12-27", "in_the_past"),
    ]:
        start = f"{day}T08:00:00Z"
        times = {"starts_at": start, "ends_at": f"{day}T12:00:00Z"}
        assert no(path, {**body, **times}) == (422, code), day
    shift(path.split("/")[3], "2026-12-24T08:00:00Z")


def test_a_booking_is_free_until_the_last_open_day_before_it() -> None:
    place = shift(practitioner(), LONG_WEEKEND)
    for number, (moment, state) in enumerate(
        [("2026-04-30T18:00:00Z", "cancelled"), ("2026-04-30T18:00:01Z", "cancelled_late")]
    ):
        made = book(patient(), place, later(LONG_WEEKEND, minutes=20 * number))["id"]
        assert post(f"/v1/bookings/{made}/cancel", at=moment)["state"] == state


def test_a_booking_is_moved_until_the_last_open_day_before_it() -> None:
    place = shift(practitioner(), AFTER_CHRISTMAS)
    made = book(patient(), place, AFTER_CHRISTMAS, at=DECEMBER)["id"]
    path, body = f"/v1/bookings/{made}/move", {"starts_at": later(AFTER_CHRISTMAS, hours=1)}
    assert no(path, body, at="2026-12-24T18:00:01Z") == (409, "too_late")
    assert post(path, body, at="2026-12-24T18:00:00Z")["starts_at"] == body["starts_at"]


def test_invoices_fall_due_on_open_days_and_the_post_goes_on_holidays() -> None:
    owner = patient()
    assert debt(owner, at="2026-04-17T10:00:00Z")["due_on"] == "2026-05-04"
    assert debt(owner, at="2026-05-01T10:00:00Z")["due_on"] == "2026-05-15"
    told = [each["send_at"] for each in messages(owner, "invoice_raised")]
    assert told == ["2026-04-17T15:00:00Z", "2026-05-01T15:00:00Z"]
