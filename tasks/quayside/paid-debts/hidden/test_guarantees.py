"""What a guarantee holds for a debt, until the debt is settled."""

import itertools
import os
import uuid
from typing import Any

import urllib3

URL = os.environ["APP_URL"]
NOON = "2026-03-04T12:00:00Z"
SHIRTS = {"code": "6109100010", "origin": "BD", "value_cents": 140_000, "net_g": 100_000}
http = urllib3.PoolManager(timeout=30, retries=False)
names = (f"G{uuid.uuid4().hex[:9].upper()}{number}" for number in itertools.count())


def ask(method: str, path: str, body: Any = None, status: int = 200, at: str = NOON) -> Any:
    answer = http.request(method, URL + path, json=body, headers={"X-Clock": at})
    assert answer.status == status, answer.data
    return answer.json()


def deferring(limit_cents: int) -> str:
    wish = {"name": "Van Dam", "eori": f"NL{next(names)}", "country": "NL", "kind": "importer"}
    owner = str(ask("POST", "/v1/traders", wish, 201)["id"])
    ask("PUT", f"/v1/traders/{owner}/guarantee", {"limit_cents": limit_cents})
    ask("POST", f"/v1/traders/{owner}/authorisations", {"kind": "deferment", "years": 1}, 201)
    return owner


def lodged(owner: str) -> Any:
    item = {"number": 1, "description": "boxes", "packages": 9, "gross_g": 110_000}
    parcel = {**item, "net_g": SHIRTS["net_g"]}
    arrival = {"trader_id": owner, "bill": next(names), "mode": "sea", "items": [parcel]}
    consignment = ask("POST", "/v1/consignments", arrival, 201)["id"]
    body = {"trader_id": owner, "consignment_id": consignment, "payment": "deferment"}
    return ask("POST", "/v1/declarations", {**body, "lines": [{"number": 1, **SHIRTS}]}, 201)


def accept(made: Any, status: int = 200) -> Any:
    return ask("POST", f"/v1/declarations/{made['id']}/acceptance", status=status)


def debt(made: Any) -> Any:
    found = ask("GET", f"/v1/assessments?trader_id={made['trader_id']}")["items"]
    return next(each for each in found if each["declaration_id"] == made["id"])


def pay(owed: Any, cents: int) -> None:
    body = {"amount_cents": cents, "reference": next(names)}
    ask("POST", f"/v1/assessments/{owed['id']}/payments", body)


def cover(owner: str) -> tuple[int, int, int]:
    found = ask("GET", f"/v1/traders/{owner}/guarantee")
    return found["reserved_cents"], found["called_cents"], found["free_cents"]


def warnings(owner: str) -> list[str]:
    found = ask("GET", f"/v1/notices?trader_id={owner}&kind=guarantee_low")["items"]
    return [each["state"] for each in found]


def test_a_guarantee_is_free_once_the_last_cent_is_paid() -> None:
    owner = deferring(30_000)
    first, second = lodged(owner), lodged(owner)
    accept(first)
    assert (cover(owner), warnings(owner)) == ((24_864, 0, 5_136), ["open"])
    owed = debt(first)
    pay(owed, owed["total_cents"] - 1)
    assert (cover(owner), warnings(owner)) == ((24_864, 0, 5_136), ["open"])
    assert accept(second, 402)["error"]["code"] == "guarantee_exceeded"
    withdrawal = {"kind": "deferment"}
    ask("POST", f"/v1/traders/{owner}/authorisations/withdrawal", withdrawal, 409)
    pay(owed, 1)
    assert (cover(owner), warnings(owner)) == ((0, 0, 30_000), ["done"])
    accept(second)
    owed = debt(second)
    assert cover(owner) == (24_864, 0, 5_136)
    pay(owed, owed["total_cents"])
    ask("PUT", f"/v1/traders/{owner}/guarantee", {"limit_cents": 1})
    ask("POST", f"/v1/traders/{owner}/authorisations/withdrawal", withdrawal)


def test_a_guarantee_is_free_once_an_amendment_leaves_nothing_to_pay() -> None:
    owner = deferring(100_000)
    made, other = lodged(owner), lodged(owner)
    accept(made)
    accept(other)
    pay(debt(made), 40_000)
    assert cover(owner) == (49_728, 0, 50_272)
    amendment = {"trader_id": owner, "number": 1, "value_cents": 70_000}
    ask("POST", f"/v1/declarations/{made['id']}/amendments", amendment)
    assert debt(made)["state"] == "paid"
    assert cover(owner) == (24_864, 0, 75_136)


def test_what_is_enforced_is_called_in_and_no_longer_reserved() -> None:
    owner = deferring(100_000)
    made = lodged(owner)
    accept(made)
    path = f"/v1/assessments/{debt(made)['id']}/enforcement"
    assert ask("POST", path, at="2026-05-04T12:00:00Z")["state"] == "enforced"
    assert cover(owner) == (0, 49_728, 50_272)
