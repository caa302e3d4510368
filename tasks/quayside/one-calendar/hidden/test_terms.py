"""Terms of notices, controls, objections and amendments, over weekends and holidays."""

import itertools
import os
import uuid
from typing import Any

import pytest
import urllib3

URL = os.environ["APP_URL"]
SHIRTS = {"code": "6109100010", "origin": "BD", "value_cents": 140_000}
RADAR = {"code": "8526100000", "origin": "US", "value_cents": 1_800_000}
http = urllib3.PoolManager(timeout=30, retries=False)
names = (f"T{uuid.uuid4().hex[:9].upper()}{number}" for number in itertools.count())


def ask(method: str, path: str, at: str, body: Any = None, status: int = 200) -> Any:
    headers = {"X-Clock": at if "T" in at else f"{at}T12:00:00Z"}
    answer = http.request(method, URL + path, json=body, headers=headers)
    assert answer.status == status, answer.data
    return answer.json()


def declared(at: str, goods: dict[str, Any]) -> Any:
    """A declaration that is accepted at once."""
    eori = f"NL{next(names)}"
    wish = {"name": "Van Dam", "eori": eori, "country": "NL", "kind": "importer"}
    owner = ask("POST", "/v1/traders", at, wish, 201)["id"]
    item = {"number": 1, "description": "boxes", "packages": 10, "gross_g": 9_000, "net_g": 8_000}
    arrival = {"trader_id": owner, "bill": next(names), "mode": "sea", "items": [item]}
    consignment = ask("POST", "/v1/consignments", at, arrival, 201)["id"]
    body = {"trader_id": owner, "consignment_id": consignment}
    lines = [{"number": 1, "net_g": 8_000, **goods}]
    made = ask("POST", "/v1/declarations", at, {**body, "lines": lines}, 201)
    return ask("POST", f"/v1/declarations/{made['id']}/acceptance", at)


def control_of(made: Any, at: str) -> Any:
    (found,) = ask("GET", f"/v1/controls?trader_id={made['trader_id']}", at)["items"]
    return found


@pytest.mark.parametrize(
    ("at", "control", "payment"),
    [
        ("2026-04-30", "2026-05-05", "2026-05-15"),
        ("2026-12-26", "2026-12-29", "2027-01-11"),
        ("2027-12-31", "2028-01-04", "2028-01-14"),
    ],
)
def test_terms_pass_over_weekends_and_holidays(at: str, control: str, payment: str) -> None:
    made = declared(at, RADAR)
    assert control_of(made, at)["due_on"] == control
    notices = ask("GET", f"/v1/notices?trader_id={made['trader_id']}", at)["items"]
    due = {each["kind"]: each["due_on"] for each in notices if each["due_on"]}
    assert due == {"control_ordered": control, "payment_due": payment}


def test_an_objection_is_open_for_three_days_of_inspection() -> None:
    made = declared("2026-12-31", RADAR)
    control = f"/v1/controls/{control_of(made, '2026-12-31')['id']}"
    ines = {"inspector": "ines"}
    ask("POST", f"{control}/start", "2026-12-31", ines)
    found = {**ines, "number": 1, "kind": "misdescription"}
    ask("POST", f"{control}/findings", "2026-12-31", found, 201)
    ask("POST", f"{control}/conclusion", "2026-12-31", ines)
    owner = {"trader_id": made["trader_id"]}
    error = {"code": "objection_closed", "message": "3 days of inspection have passed"}
    late = ask("POST", f"{control}/objection", "2027-01-07T00:00:00Z", owner, 409)
    assert late == {"error": error}
    again = ask("POST", f"{control}/objection", "2027-01-06T23:59:59Z", owner)
    assert (again["state"], again["due_on"]) == ("reopened", "2027-01-08")


def test_an_amendment_is_open_for_ten_working_days() -> None:
    made = declared("2026-04-23", SHIRTS)
    path = f"/v1/declarations/{made['id']}/amendments"
    change = {"trader_id": made["trader_id"], "number": 1, "value_cents": 150_000}
    error = {"code": "amendment_closed", "message": "10 working days have passed"}
    assert ask("POST", path, "2026-05-11T00:00:00Z", change, 409) == {"error": error}
    assert ask("POST", path, "2026-05-10T23:59:59Z", change)["amendments"] == 1


def test_an_amendment_is_open_longer_for_what_is_accepted_before_a_holiday() -> None:
    made = declared("2026-12-24", SHIRTS)
    path = f"/v1/declarations/{made['id']}/amendments"
    change = {"trader_id": made["trader_id"], "number": 1, "value_cents": 150_000}
    ask("POST", path, "2027-01-12T00:00:00Z", change, 409)
    assert ask("POST", path, "2027-01-11T23:59:59Z", change)["amendments"] == 1
