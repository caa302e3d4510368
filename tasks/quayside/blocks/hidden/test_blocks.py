"""What keeps a consignment on the quay, whatever it is called inside."""

import itertools
import os
import uuid
from typing import Any

import pytest
import urllib3

URL = os.environ["APP_URL"]
NOON = {"X-Clock": "2026-03-03T12:00:00Z"}
RADAR = {"number": 1, "code": "8526100000", "origin": "US", "value_cents": 1_800_000}
http = urllib3.PoolManager(timeout=30, retries=False)
names = (f"B{uuid.uuid4().hex[:9].upper()}{number}" for number in itertools.count())


def ask(method: str, path: str, body: Any = None, status: int = 200) -> Any:
    answer = http.request(method, URL + path, json=body, headers=NOON)
    assert answer.status == status, answer.data
    return answer.json()


def arrived() -> Any:
    wish = {"name": "Van Dam", "eori": f"NL{next(names)}", "country": "NL", "kind": "importer"}
    owner = ask("POST", "/v1/traders", wish, 201)["id"]
    item = {"number": 1, "description": "boxes", "packages": 9, "gross_g": 9_000, "net_g": 8_000}
    arrival = {"trader_id": owner, "bill": next(names), "mode": "sea", "items": [item]}
    return ask("POST", "/v1/consignments", arrival, 201)


def declared(consignment: Any) -> Any:
    """A declaration of radars, whose boxes are opened."""
    lines = [{**RADAR, "net_g": 8_000}]
    body = {"trader_id": consignment["trader_id"], "consignment_id": consignment["id"]}
    made = ask("POST", "/v1/declarations", {**body, "lines": lines}, 201)
    return ask("POST", f"/v1/declarations/{made['id']}/acceptance")


def hold(consignment: Any, reason: str) -> Any:
    path = f"/v1/consignments/{consignment['id']}/holds"
    return ask("POST", path, {"reason": reason})["blocked_by"]


def lift(consignment: Any, reason: str, status: int = 200) -> Any:
    path = f"/v1/consignments/{consignment['id']}/holds/lifting"
    return ask("POST", path, {"reason": reason}, status)


def blocked_by(consignment: Any) -> Any:
    return ask("GET", f"/v1/consignments/{consignment['id']}")["blocked_by"]


def void(made: Any) -> None:
    body = {"trader_id": made["trader_id"], "reason": "duplicate"}
    found = ask("POST", f"/v1/declarations/{made['id']}/invalidation", body)
    assert found["remarks"] == ["invalidated: duplicate"]


def test_a_hold_counts_once_and_stands_in_its_place() -> None:
    made = arrived()
    assert made["blocked_by"] == []
    for reason in ("security", "charges", "security", "damage", "charges"):
        hold(made, reason)
    assert blocked_by(made) == ["port: charges", "port: damage", "port: security"]
    assert lift(made, "damage")["blocked_by"] == ["port: charges", "port: security"]
    error = {"code": "not_held", "message": f"consignment {made['id']} is not held for damage"}
    assert lift(made, "damage", 409) == {"error": error}
    assert blocked_by(made) == ["port: charges", "port: security"]


def test_a_control_goes_before_the_port_and_leaves_alone() -> None:
    consignment = arrived()
    hold(consignment, "charges")
    made = declared(consignment)
    assert blocked_by(consignment) == ["customs control", "port: charges"]
    body = {"trader_id": made["trader_id"]}
    error = ask("POST", f"/v1/consignments/{consignment['id']}/removal", body, 409)["error"]
    told = f"consignment {consignment['id']} is blocked: customs control, port: charges"
    assert (error["code"], error["message"]) == ("blocked", told)
    void(made)
    assert blocked_by(consignment) == ["port: charges"]
    again = declared(consignment)
    assert blocked_by(consignment) == ["customs control", "port: charges"]
    assert lift(consignment, "charges")["blocked_by"] == ["customs control"]
    void(again)
    assert blocked_by(consignment) == []


@pytest.mark.parametrize("reason", ["charges", "damage", "security"])
def test_a_part_is_not_blocked_and_what_is_blocked_has_no_parts(reason: str) -> None:
    whole = arrived()
    path, body = f"/v1/consignments/{whole['id']}/parts", {"number": 1, "packages": 4}
    hold(whole, reason)
    error = {"code": "blocked", "message": f"consignment {whole['id']} is blocked"}
    assert ask("POST", path, body, 409) == {"error": error}
    lift(whole, reason)
    part = ask("POST", path, body, 201)
    assert part["blocked_by"] == []
    assert hold(part, reason) == [f"port: {reason}"]
    listed = ask("GET", f"/v1/consignments?trader_id={whole['trader_id']}")["items"]
    assert [each["blocked_by"] for each in listed] == [[], [f"port: {reason}"]]
