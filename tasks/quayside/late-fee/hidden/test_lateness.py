"""What it costs to declare goods late, and what follows from it."""

import itertools
import os
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
import urllib3

URL = os.environ["APP_URL"]
ARRIVAL = datetime.fromisoformat("2026-03-02T12:00:00")
SHIRTS = {"number": 1, "code": "6109100010", "origin": "BD", "value_cents": 140_000}
http = urllib3.PoolManager(timeout=30, retries=False)
names = (f"L{uuid.uuid4().hex[:9].upper()}{number}" for number in itertools.count())


def ask(
    method: str, path: str, body: Any = None, status: int = 200, *, days: int = 0, seconds: int = 0
) -> Any:
    """An answer so long after the arrival."""
    at = ARRIVAL + timedelta(days=days, seconds=seconds)
    headers = {"X-Clock": f"{at:%Y-%m-%dT%H:%M:%SZ}"}
    answer = http.request(method, URL + path, json=body, headers=headers)
    assert answer.status == status, answer.data
    return answer.json()


def trader() -> str:
    wish = {"name": "Van Dam", "eori": f"NL{next(names)}", "country": "NL", "kind": "importer"}
    return str(ask("POST", "/v1/traders", wish, 201)["id"])


def arrived(owner: str, mode: str = "sea") -> str:
    item = {"number": 1, "description": "boxes", "packages": 10, "gross_g": 9_000, "net_g": 8_000}
    arrival = {"trader_id": owner, "bill": next(names), "mode": mode, "items": [item]}
    return str(ask("POST", "/v1/consignments", arrival, 201)["id"])


def lodge(owner: str, consignment: str, net_g: int = 8_000, **when: Any) -> Any:
    payment = when.pop("payment", "cash")
    body = {"trader_id": owner, "consignment_id": consignment, "payment": payment}
    return ask(
        "POST", "/v1/declarations", {**body, "lines": [{**SHIRTS, "net_g": net_g}]}, 201, **when
    )


def points(owner: str, days: int) -> Any:
    return ask("GET", f"/v1/traders/{owner}/standing", days=days)["points"]


def debt(owner: str) -> Any:
    (found,) = ask("GET", f"/v1/assessments?trader_id={owner}")["items"]
    return found


@pytest.mark.parametrize(("mode", "days"), [("sea", 10), ("air", 3), ("road", 1)])
def test_a_day_is_late_when_it_is_over(mode: str, days: int) -> None:
    for late, seconds, fee in ((0, 86_399, 0), (1, 0, 1_500), (19, 86_399, 28_500),
                               (20, 0, 30_000), (44, 0, 30_000)):  # fmt: skip
        owner = trader()
        made = lodge(owner, arrived(owner, mode), days=days + late, seconds=seconds)
        assert made["late_fee_cents"] == fee
        assert points(owner, days + late) == (1 if fee else 0)


def test_the_fee_is_that_of_the_day_of_lodgement() -> None:
    owner = trader()
    made = lodge(owner, arrived(owner), days=12)
    accepted = ask("POST", f"/v1/declarations/{made['id']}/acceptance", days=17)
    assert accepted["late_fee_cents"] == 3_000
    owed = debt(owner)
    assert owed["fee_cents"] == 3_000
    assert owed["total_cents"] == owed["duty_cents"] + owed["vat_cents"] + 3_000
    change = {"trader_id": owner, "number": 1, "value_cents": 150_000}
    ask("POST", f"/v1/declarations/{made['id']}/amendments", change, days=20)
    assert debt(owner)["fee_cents"] == 3_000
    assert points(owner, 20) == 1


def test_the_fee_is_secured_with_the_rest() -> None:
    reserved = []
    for days in (10, 13):
        owner = trader()
        ask("PUT", f"/v1/traders/{owner}/guarantee", {"limit_cents": 200_000})
        wish = {"kind": "deferment", "years": 1}
        ask("POST", f"/v1/traders/{owner}/authorisations", wish, 201)
        made = lodge(owner, arrived(owner), payment="deferment", days=days)
        ask("POST", f"/v1/declarations/{made['id']}/acceptance", days=days + 2)
        found = ask("GET", f"/v1/traders/{owner}/guarantee", days=days + 2)
        reserved.append(found["reserved_cents"])
    assert reserved == [24_864, 27_114]


def test_a_part_has_been_here_as_long_as_the_whole() -> None:
    owner = trader()
    whole = arrived(owner)
    body = {"number": 1, "packages": 4}
    part = ask("POST", f"/v1/consignments/{whole}/parts", body, 201, days=9)
    assert lodge(owner, part["id"], 3_200, days=12)["late_fee_cents"] == 3_000
    assert lodge(owner, whole, 4_800, days=13)["late_fee_cents"] == 4_500
    assert points(owner, 13) == 2


def test_a_consignment_that_is_given_back_has_waited_since_it_came() -> None:
    owner = trader()
    consignment = arrived(owner)
    first = lodge(owner, consignment, days=8)
    body = {"trader_id": owner, "reason": "duplicate"}
    ask("POST", f"/v1/declarations/{first['id']}/invalidation", body, days=9)
    assert lodge(owner, consignment, days=15)["late_fee_cents"] == 7_500
    assert points(owner, 15) == 1


def test_what_is_refused_costs_nothing() -> None:
    owner, other = trader(), trader()
    consignment = arrived(owner)
    body = {"trader_id": owner, "consignment_id": consignment}
    light = {**body, "lines": [{**SHIRTS, "net_g": 1}]}
    error = ask("POST", "/v1/declarations", light, 422, days=30)["error"]
    assert (error["code"], error["message"]) == ("weight_mismatch", "item 1 has 8000 g net")
    lines = [{**SHIRTS, "net_g": 8_000}]
    foreign = {**body, "trader_id": other, "lines": lines}
    assert ask("POST", "/v1/declarations", foreign, 403, days=30)["error"]["code"] == "not_yours"
    unknown = {**body, "consignment_id": "con_none", "lines": lines}
    error = ask("POST", "/v1/declarations", unknown, 404, days=30)["error"]
    assert error["code"] == "unknown_consignment"
    assert (points(owner, 30), points(other, 30)) == (0, 0)


def test_a_consignment_shows_what_it_always_did() -> None:
    found = ask("GET", f"/v1/consignments/{arrived(trader())}", days=12)
    assert found["days_here"] == 12
    assert set(found) == {
        "id", "trader_id", "bill", "mode", "state", "arrived_at", "days_here", "leave_by",
        "parent_id", "declaration_id", "blocked_by",
    }  # fmt: skip
