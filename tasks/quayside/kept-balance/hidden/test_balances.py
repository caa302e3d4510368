"""Quotas that are drawn, shared and given back, to the gram."""

import itertools
import os
import uuid
from typing import Any

import urllib3

URL = os.environ["APP_URL"]
AT = {"X-Clock": "2026-03-04T12:00:00Z"}
SHIRTS, TOYS = "6109100010", "9503004100"
PERIOD = {"opens_on": "2026-01-01", "closes_on": "2026-12-31"}
http = urllib3.PoolManager(timeout=30, retries=False)
names = (f"Q{uuid.uuid4().hex[:9].upper()}{number}" for number in itertools.count())


def ask(method: str, path: str, body: Any = None, status: int = 200) -> Any:
    answer = http.request(method, URL + path, json=body, headers=AT)
    assert answer.status == status, answer.data
    return answer.json()


def trader() -> str:
    wish = {"name": "Van Dam", "eori": f"NL{next(names)}", "country": "NL", "kind": "importer"}
    return str(ask("POST", "/v1/traders", wish, 201)["id"])


def quota(code: str, volume_kg: int) -> str:
    wish = {"code": code, "origin": "BD", "volume_kg": volume_kg, "rate_bp": 100, **PERIOD}
    made = ask("POST", "/v1/quotas", wish, 201)
    assert set(made) == {"quota", "granted_g", "left_g", "status"}
    assert made["quota"] == {
        "id": made["quota"]["id"],
        "code": code,
        "origin": "BD",
        "volume_g": volume_kg * 1_000,
        "rate_bp": 100,
        **PERIOD,
    }
    return str(made["quota"]["id"])


def state(quota_id: str) -> tuple[int, int, str]:
    found = ask("GET", f"/v1/quotas/{quota_id}")
    return found["granted_g"], found["left_g"], found["status"]


def accepted(owner: str, *claims: tuple[str, str, int]) -> Any:
    """An accepted declaration of such lines: commodity, quota and grams."""
    items, lines = [], []
    for number, (code, quota_id, net_g) in enumerate(claims, start=1):
        items.append({"number": number, "description": "boxes", "packages": 9, "net_g": net_g})
        items[-1]["gross_g"] = net_g + 9
        goods = {"code": code, "origin": "BD", "value_cents": 100_000, "quota_id": quota_id}
        lines.append({"number": number, "net_g": net_g, **goods})
    arrival = {"trader_id": owner, "bill": next(names), "mode": "sea", "items": items}
    consignment = ask("POST", "/v1/consignments", arrival, 201)["id"]
    body = {"trader_id": owner, "consignment_id": consignment, "lines": lines}
    made = ask("POST", "/v1/declarations", body, 201)
    return ask("POST", f"/v1/declarations/{made['id']}/acceptance")


def granted(made: Any) -> list[int]:
    found = ask("GET", f"/v1/declarations/{made['id']}/lines")["items"]
    return [each["granted_g"] for each in found]


def invalidate(made: Any, status: int = 200) -> None:
    body = {"trader_id": made["trader_id"], "reason": "duplicate"}
    ask("POST", f"/v1/declarations/{made['id']}/invalidation", body, status)


def test_each_quota_of_a_declaration_gets_its_own_grams_back_once() -> None:
    owner, shirts, toys = trader(), quota(SHIRTS, 10), quota(TOYS, 20)
    first = accepted(owner, (SHIRTS, shirts, 7_001), (TOYS, toys, 3_000))
    assert (state(shirts), state(toys)) == ((7_001, 2_999, "open"), (3_000, 17_000, "open"))
    second = accepted(owner, (SHIRTS, shirts, 5_000), (TOYS, toys, 16_001))
    assert granted(second) == [2_999, 16_001]
    assert (state(shirts), state(toys)) == ((10_000, 0, "exhausted"), (19_001, 999, "critical"))
    invalidate(first)
    assert (state(shirts), state(toys)) == ((2_999, 7_001, "open"), (16_001, 3_999, "open"))
    invalidate(first, 409)
    assert (state(shirts), state(toys)) == ((2_999, 7_001, "open"), (16_001, 3_999, "open"))
    invalidate(second)
    assert (state(shirts), state(toys)) == ((0, 10_000, "open"), (0, 20_000, "open"))


def test_security_follows_the_balance() -> None:
    owner, shirts = trader(), quota(SHIRTS, 10)
    goods = {"code": SHIRTS, "origin": "BD", "value_cents": 100_000, "net_g": 1_000}
    wish = {**goods, "quota_id": shirts}

    def quoted() -> tuple[int, int, int]:
        found = ask("POST", "/v1/duty-quotes", wish)
        return found["in_quota_g"], found["duty_cents"], found["secured_cents"]

    assert quoted() == (1_000, 1_000, 22_210)
    made = accepted(owner, (SHIRTS, shirts, 9_600))
    assert quoted() == (400, 7_600, 35_520)
    other = accepted(owner, (SHIRTS, shirts, 400))
    assert quoted() == (0, 12_000, 35_520)
    none_left = accepted(owner, (SHIRTS, shirts, 500))
    assert granted(none_left) == [0]
    invalidate(none_left)
    assert state(shirts) == (10_000, 0, "exhausted")
    invalidate(made)
    invalidate(other)
    assert quoted() == (1_000, 1_000, 22_210)


def test_a_declaration_that_is_refused_leaves_the_balance_as_it_was() -> None:
    owner, shirts = trader(), quota(SHIRTS, 10)
    ask("PUT", f"/v1/traders/{owner}/guarantee", {"limit_cents": 1})
    ask("POST", f"/v1/traders/{owner}/authorisations", {"kind": "deferment", "years": 1}, 201)
    item = {"number": 1, "description": "boxes", "packages": 9, "net_g": 900, "gross_g": 990}
    arrival = {"trader_id": owner, "bill": next(names), "mode": "sea", "items": [item]}
    consignment = ask("POST", "/v1/consignments", arrival, 201)["id"]
    goods = {"code": SHIRTS, "origin": "BD", "value_cents": 100_000, "quota_id": shirts}
    body = {"trader_id": owner, "consignment_id": consignment, "payment": "deferment"}
    lines = [{"number": 1, "net_g": 900, **goods}]
    made = ask("POST", "/v1/declarations", {**body, "lines": lines}, 201)
    ask("POST", f"/v1/declarations/{made['id']}/acceptance", None, 402)
    assert state(shirts) == (0, 10_000, "open")
