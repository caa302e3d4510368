"""What follows from a consent, and from one that was taken back, lapsed or never given."""

from typing import Any

import pytest
from clinic import (
    MONDAY,
    TUESDAY,
    book,
    call,
    consent,
    get,
    goal,
    later,
    messages,
    no,
    opened,
    patient,
    plan,
    post,
    practitioner,
    prefer,
    put,
    refused,
    shift,
    treated,
)


def decided(owner: str) -> list[tuple[Any, ...]]:
    found = get(f"/v1/patients/{owner}/consents")["items"]
    return [(each["kind"], each["decision"], each["guardian"]) for each in found]


def no_start(of: str, at: str = MONDAY) -> tuple[int, str]:
    return no(f"/v1/plans/{of}/activate", at=at)


def told(owner: str) -> tuple[str, str]:
    """How a patient who books a visit is reminded of it: channel and state."""
    book(owner, shift(practitioner()))
    message = messages(owner, "booking_reminder")[-1]
    return message["channel"], message["state"]


def test_a_decision_is_answered_in_full() -> None:
    owner = patient()
    made = consent(owner, "data_sharing")
    assert made == {
        "patient_id": owner,
        "kind": "data_sharing",
        "decision": "given",
        "guardian": None,
        "decided_on": "2026-03-02",
        "lapses_on": "2027-03-02",
    }
    assert get(f"/v1/patients/{owner}/consents") == {"items": [made]}


def test_the_last_decision_of_a_kind_counts_and_stands_last() -> None:
    owner = patient()
    for kind in ("treatment", "data_sharing", "messages"):
        consent(owner, kind)
    consent(owner, "treatment", "refused")
    consent(owner, "data_sharing", "refused")
    consent(owner, "data_sharing")
    assert decided(owner) == [
        ("messages", "given", None),
        ("treatment", "refused", None),
        ("data_sharing", "given", None),
    ]


def test_what_is_taken_back_is_in_force_no_more() -> None:
    owner = treated()
    consent(owner, "messages")
    prefer(owner, "email")
    made, record = plan(owner), opened(owner)
    goal(made)
    assert told(owner) == ("email", "queued")
    consent(owner, "treatment", "refused")
    consent(owner, "messages", "refused")
    assert told(owner) == ("none", "dropped")
    assert no_start(made) == (403, "no_consent")
    body = {"booking_id": book(owner, shift(practitioner()))["id"]}
    assert no("/v1/encounters", body, at=TUESDAY) == (403, "no_consent")
    path = f"{record.path}?practitioner_id=prac_other"
    consent(owner, "data_sharing")
    assert get(path)["id"] == record.id
    consent(owner, "data_sharing", "refused")
    assert refused("GET", path) == (403, "not_shared")
    consent(owner, "treatment")
    assert post(f"/v1/plans/{made}/activate")["state"] == "active"


def test_one_kind_of_consent_does_not_stand_for_another() -> None:
    owner = patient()
    consent(owner, "messages")
    consent(owner, "data_sharing")
    made = plan(owner)
    goal(made)
    assert no_start(made) == (403, "no_consent")
    other = treated()
    prefer(other, "email")
    assert told(other) == ("none", "dropped")


@pytest.mark.parametrize(
    ("at", "state"), [("2028-03-01T23:59:59Z", "active"), ("2028-03-02T00:00:00Z", None)]
)
def test_treatment_may_begin_on_the_last_day_of_a_consent(at: str, state: str | None) -> None:
    made = plan(treated())
    goal(made)
    if state is None:
        assert no_start(made, at) == (403, "no_consent")
    else:
        assert post(f"/v1/plans/{made}/activate", at=at)["state"] == state


def test_a_consent_to_messages_does_not_lapse() -> None:
    owner = patient()
    consent(owner, "messages", at="2021-01-04T09:00:00Z")
    prefer(owner, "email")
    assert told(owner) == ("email", "queued")


@pytest.mark.parametrize("decision", ["given", "refused"])
def test_whoever_is_too_young_neither_gives_nor_refuses(decision: str) -> None:
    owner = patient("2012-03-03")
    path = f"/v1/patients/{owner}/consents"
    body = {"kind": "messages", "decision": decision}
    answer = call("PUT", path, body)
    assert answer.status == 403
    error = {"code": "guardian_needed", "message": f"a guardian decides for {owner}"}
    assert answer.json() == {"error": error}
    assert decided(owner) == []
    put(path, {**body, "guardian": "Eva Kern"})
    assert decided(owner) == [("messages", decision, "Eva Kern")]
    assert put(path, body, at=later(MONDAY, days=1))["guardian"] is None


def test_strangers_are_unknown_before_anything_else() -> None:
    path, body = "/v1/patients/pat_nobody/consents", {"kind": "treatment", "decision": "given"}
    for method, sent in (("PUT", body), ("GET", None)):
        answer = call(method, path, sent)
        error = {"code": "unknown_patient", "message": "no patient pat_nobody"}
        assert (answer.status, answer.json()) == (404, {"error": error})
