"""What notices are about: which one is meant, which stay open, and how they are listed."""

from typing import Any

import pytest
from quay import (
    BEEF,
    NOON,
    RADAR,
    accepted,
    amend,
    arrive,
    assessment_of,
    authorise,
    control_of,
    cover,
    deferring,
    get,
    inspect,
    invalidate,
    later,
    line,
    lodge,
    notices,
    pay,
    post,
    refused,
    release,
    start,
    trader,
)


def told(owner: str, *, at: str = NOON) -> list[tuple[str, str, str]]:
    """Kind, reference and state of all that was told to a trader."""
    found = get(f"/v1/notices?trader_id={owner}&limit=100", at=at)["items"]
    return [(each["kind"], each["reference"], each["state"]) for each in found]


def remind(owner: str, at: str) -> Any:
    return post("/v1/reminders", {"trader_id": owner}, at=at)


def test_a_notice_shows_its_kind_and_its_reference() -> None:
    owner = trader()
    made = accepted(owner, line(goods=BEEF))
    control, debt = control_of(made)["id"], assessment_of(made)["id"]
    assert sorted(told(owner)) == sorted(
        [
            ("arrival", made["consignment_id"], "open"),
            ("lodged", made["id"], "open"),
            ("control_ordered", control, "open"),
            ("payment_due", debt, "open"),
            ("accepted", made["id"], "open"),
        ]
    )


@pytest.mark.parametrize("kind", ["arrival", "lodged", "payment_due", "accepted"])
def test_a_kind_is_listed_by_itself_and_in_order(kind: str) -> None:
    owner = trader()
    for _ in range(3):
        accepted(owner)
    found = notices(owner, kind)
    assert [each["kind"] for each in found] == [kind] * 3
    every = get(f"/v1/notices?trader_id={owner}&limit=100")["items"]
    assert found == [each for each in every if each["kind"] == kind]
    page = get(f"/v1/notices?trader_id={owner}&kind={kind}&limit=1&offset=1")["items"]
    assert page == found[1:2]
    assert notices(owner, "guarantee_low") == notices(trader(), kind) == []


def test_what_is_done_closes_its_kind_alone() -> None:
    owner = trader()
    made = accepted(owner, line(goods=BEEF))
    inspect(made, "origin", "documents")
    assert ("amendment_needed", made["id"], "open") in told(owner)
    amend(made, value_cents=60_000)
    states = {kind: state for kind, reference, state in told(owner) if reference == made["id"]}
    assert states == {"lodged": "open", "accepted": "open", "amendment_needed": "done"}


def test_what_is_done_closes_its_reference_alone() -> None:
    owner = trader()
    first, second = accepted(owner), accepted(owner)
    debts = [assessment_of(each)["id"] for each in (first, second)]
    pay(debts[1], assessment_of(second)["total_cents"])
    expected = [("payment_due", debts[0], "open"), ("payment_due", debts[1], "done")]
    assert [each for each in told(owner) if each[0] == "payment_due"] == expected
    agenda = get(f"/v1/agendas/{owner}")
    assert [each["reference"] for each in agenda["later"]] == debts[:1]


def test_what_is_paid_back_stays_to_be_read() -> None:
    owner = trader()
    made = accepted(owner)
    debt = assessment_of(made)
    pay(debt["id"], debt["total_cents"])
    invalidate(made)
    about = [(kind, state) for kind, reference, state in told(owner) if reference == debt["id"]]
    assert about == [("payment_due", "done"), ("refund", "open")]


def test_the_same_matter_is_brought_up_to_date() -> None:
    owner = trader()
    made, other = accepted(owner), accepted(owner)
    before = notices(owner, "payment_due")
    at = later(NOON, days=2)
    amend(made, at=at, value_cents=280_000)
    after = notices(owner, "payment_due", at=at)
    assert [each["id"] for each in after] == [each["id"] for each in before]
    assert after[1] == before[1]
    assert after[1]["reference"] == assessment_of(other)["id"]
    assert after[0]["text"] != before[0]["text"]
    assert (before[0]["due_on"], after[0]["due_on"]) == ("2026-03-16", "2026-03-18")


def test_what_was_done_is_told_anew() -> None:
    owner = trader()
    made = accepted(owner)
    debt = assessment_of(made)
    pay(debt["id"], debt["total_cents"])
    amend(made, value_cents=280_000)
    found = [(each["reference"], each["state"]) for each in notices(owner, "payment_due")]
    assert found == [(debt["id"], "done"), (debt["id"], "open")]


def test_what_was_read_is_told_anew() -> None:
    owner = trader()
    made = arrive(owner)
    (first,) = notices(owner, "arrival")
    post(f"/v1/notices/{first['id']}/acknowledgement", {"trader_id": owner})
    arrive(owner)
    found = [(each["reference"], each["state"]) for each in notices(owner, "arrival")]
    assert found[0] == (made["id"], "seen")
    assert found[1][0] != made["id"]
    assert found[1][1] == "open"


def test_a_guarantee_is_watched_under_its_owner() -> None:
    owner = deferring(30_000)
    made = accepted(owner, payment="deferment")
    (low,) = notices(owner, "guarantee_low")
    assert (low["reference"], low["state"]) == (owner, "open")
    assert cover(owner)[2] * 5 < 30_000
    invalidate(made)
    assert [each["state"] for each in notices(owner, "guarantee_low")] == ["done"]
    accepted(owner, payment="deferment")
    states = [each["state"] for each in notices(owner, "guarantee_low")]
    assert states == ["done", "open"]


def test_what_is_due_on_one_day_stands_by_kind() -> None:
    owner = trader()
    debts = [assessment_of(accepted(owner))["id"] for _ in range(2)]
    at = "2026-03-12T12:00:00Z"
    controls = [control_of(accepted(owner, line(goods=BEEF), at=at), at=at)["id"]
                for _ in range(2)]  # fmt: skip
    agenda = get(f"/v1/agendas/{owner}", at=at)
    found = [(each["kind"], each["reference"]) for each in agenda["due_soon"]]
    ordered = [("control_ordered", each) for each in controls]
    assert found == [*ordered, *(("payment_due", each) for each in debts)]
    said = [f"control ordered {each}: due today" for each in controls]
    said += [f"payment due {each}: due today" for each in debts]
    assert remind(owner, "2026-03-16T12:00:00Z")["lines"] == said


def test_every_kind_is_named_in_words() -> None:
    owner = trader()
    made = accepted(owner, line(goods=RADAR))
    inspect(made, "misdescription")
    lines = remind(owner, "2026-03-20T12:00:00Z")["lines"]
    debt = assessment_of(made)["id"]
    assert lines == [
        f"amendment needed {made['id']}: 15 days overdue",
        f"payment due {debt}: 4 days overdue",
    ]


def test_notices_of_other_traders_stay_open() -> None:
    owners = [trader(), trader()]
    made = [accepted(owner, line(goods=BEEF)) for owner in owners]
    start(control_of(made[0])["id"])
    states = [notices(owner, "control_ordered")[0]["state"] for owner in owners]
    assert states == ["done", "open"]


def test_a_released_declaration_is_told_beside_what_was_told_before() -> None:
    owner = deferring()
    made = accepted(owner, payment="deferment")
    release(made)
    about = [kind for kind, reference, _ in told(owner) if reference == made["id"]]
    assert about == ["lodged", "accepted", "released"]
    made = lodge(owner)
    invalidate(made)
    about = [kind for kind, reference, _ in told(owner) if reference == made["id"]]
    assert about == ["lodged", "invalidated"]


def test_an_authorisation_is_named_by_its_id() -> None:
    owner = trader()
    granted = authorise(owner, "aeo")
    for _ in range(2):
        inspect(accepted(owner, line(goods=BEEF)), "documents")
    for _ in range(2):
        inspect(accepted(owner, line(goods=RADAR)), "undeclared")
    (found,) = notices(owner, "authorisation_suspended")
    assert found["reference"] == granted["id"]
    path = f"/v1/notices/{found['id']}/acknowledgement"
    assert post(path, {"trader_id": owner})["state"] == "seen"
    assert refused(path, {"trader_id": owner}) == (409, "notice_closed")
