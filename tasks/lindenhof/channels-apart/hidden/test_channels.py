"""Which channel a message takes, when it leaves by it, and what it costs."""

from typing import Any

import pytest
from clinic import (
    batch,
    book,
    consent,
    debt,
    demand,
    long_visit,
    messages,
    missed,
    no,
    patient,
    post,
    practitioner,
    prefer,
    refused,
    shift,
)

NIGHT = "2026-03-02T22:30:00Z"
SPRING = "2026-04-01T10:00:00Z"


def somebody(channel: str, *, agreed: bool = True, **more: int) -> str:
    owner = patient()
    if agreed:
        consent(owner, "messages")
    prefer(owner, channel, **more)
    return owner


def reminded(owner: str, start: str, *, at: str = "2026-03-02T09:00:00Z") -> tuple[str, ...]:
    """Channel, state and time of the reminder of a visit that is booked then."""
    book(owner, shift(practitioner(), start), start, at=at)
    (message,) = messages(owner, "booking_reminder")
    return message["channel"], message["state"], message["send_at"]


@pytest.mark.parametrize(
    ("channel", "agreed", "invoice", "demanded"),
    [
        ("sms", True, "sms", "letter"),
        ("sms", False, "letter", "letter"),
        ("email", True, "email", "email"),
        ("email", False, "letter", "letter"),
        ("letter", True, "letter", "letter"),
        ("letter", False, "letter", "letter"),
        ("none", True, "letter", "letter"),
        ("none", False, "letter", "letter"),
    ],
)
def test_what_must_reach_somebody_does(channel: str, agreed: bool, invoice: str, demanded: str):
    owner = somebody(channel, agreed=agreed)
    debt(owner)
    demand(owner, "2026-04-01")
    ways = {each["kind"]: each["channel"] for each in messages(owner)}
    assert (ways["invoice_raised"], ways["payment_demand"]) == (invoice, demanded)
    assert ways["booking_reminder"] == (channel if agreed else "none")
    states = {each["channel"]: each["state"] for each in messages(owner)}
    assert states.pop("none", "dropped") == "dropped"
    assert set(states.values()) == {"queued"}


@pytest.mark.parametrize("agreed", [True, False])
def test_who_prefers_letters_is_reminded_days_before_at_any_hour(agreed: bool) -> None:
    owner = somebody("letter", agreed=agreed, quiet_from=5, quiet_until=20)
    found = reminded(owner, "2026-03-12T10:00:00Z")
    if agreed:
        assert found == ("letter", "queued", "2026-03-09T15:00:00Z")
    else:
        assert found == ("none", "dropped", "2026-03-08T10:00:00Z")


@pytest.mark.parametrize(("channel", "agreed"), [("none", True), ("email", False), ("sms", False)])
def test_what_is_dropped_would_not_have_come_at_night(channel: str, agreed: bool) -> None:
    owner = somebody(channel, agreed=agreed)
    found = reminded(owner, "2026-03-05T07:30:00Z")
    assert found == ("none", "dropped", "2026-03-03T21:00:00Z")
    late = somebody(channel, agreed=agreed)
    assert reminded(late, "2026-03-03T10:00:00Z", at=NIGHT) == ("none", "dropped", NIGHT)


@pytest.mark.parametrize(("channel", "left"), [("email", NIGHT), ("sms", "2026-03-03T08:00:00Z")])
def test_only_text_messages_wait_for_the_morning(channel: str, left: str) -> None:
    owner = somebody(channel)
    found = reminded(owner, "2026-03-03T10:00:00Z", at=NIGHT)
    assert found == (channel, "queued", left)


@pytest.mark.parametrize(
    ("channel", "left"),
    [
        ("email", "2026-03-03T22:30:00Z"),
        ("sms", "2026-03-04T08:00:00Z"),
        ("letter", "2026-03-04T15:00:00Z"),
    ],
)
def test_an_invoice_leaves_as_its_channel_does(channel: str, left: str) -> None:
    owner = somebody(channel)
    missed(owner, at="2026-03-03T22:30:00Z")
    (message,) = messages(owner, "invoice_raised")
    assert (message["channel"], message["send_at"]) == (channel, left)


@pytest.mark.parametrize(
    ("channel", "way", "state", "told"),
    [
        ("letter", "letter", "queued", "2026-03-03T15:00:00Z"),
        ("email", "email", "queued", NIGHT),
        ("sms", "sms", "queued", "2026-03-03T08:00:00Z"),
        ("none", "none", "dropped", NIGHT),
    ],
)
def test_an_offer_at_night(channel: str, way: str, state: str, told: str) -> None:
    start = "2026-03-05T10:00:00Z"
    doctor, owner = practitioner(), somebody(channel)
    made = book(patient(), shift(doctor, start), start)["id"]
    body = {"patient_id": owner, "practitioner_id": doctor, "visit": "followup"}
    post("/v1/waiting", body, status=201)
    post(f"/v1/bookings/{made}/cancel", at=NIGHT)
    (message,) = messages(owner, "slot_offered")
    assert (message["channel"], message["state"], message["send_at"]) == (way, state, told)


def sums(sent: Any) -> tuple[int, int, int]:
    return sent["messages"], sent["envelopes"], sent["cost_cents"]


@pytest.mark.parametrize(
    ("channel", "expected"), [("sms", (3, 3, 27)), ("email", (3, 3, 0)), ("letter", (3, 2, 190))]
)
def test_a_batch_costs_what_its_channel_costs(channel: str, expected: tuple[int, ...]) -> None:
    one, two = somebody(channel), somebody(channel)
    debt(one)
    long_visit(two)
    assert sums(batch(channel, one, two, at=SPRING)) == expected


def test_a_thick_letter_counts_what_is_sent_and_not_what_is_due() -> None:
    owner = somebody("letter")
    debt(owner)
    debt(owner)
    assert sums(batch("letter", owner, at=SPRING, most=3)) == (3, 1, 95)
    assert sums(batch("letter", owner, at=SPRING, most=3)) == (1, 1, 95)
    other = somebody("letter")
    debt(other)
    debt(other)
    assert sums(batch("letter", other, at=SPRING)) == (4, 1, 160)


@pytest.mark.parametrize("channel", ["sms", "email", "none"])
def test_only_letters_need_a_day(channel: str) -> None:
    assert prefer(patient(), channel, lead_hours=1)["lead_hours"] == 1
    body = {"channel": "letter", "lead_hours": 23}
    path = f"/v1/preferences/{patient()}"
    assert refused("PUT", path, body) == (422, "lead_too_short")
    assert no("/v1/batches", {"channel": "none", "patient_ids": ["pat_1"]})[0] == 422
