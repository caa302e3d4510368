"""When quotas are pending, open and closed, and which can be opened."""

import os
from typing import Any

import pytest
import urllib3

URL = os.environ["APP_URL"]
SHIRTS = "6109100010"
http = urllib3.PoolManager(timeout=30, retries=False)


def ask(
    method: str, path: str, body: Any = None, status: int = 200, at: str = "2026-03-04T12:00:00Z"
) -> Any:
    answer = http.request(method, URL + path, json=body, headers={"X-Clock": at})
    assert answer.status == status, answer.data
    return answer.json()


def wish(opens_on: str, closes_on: str, **more: Any) -> Any:
    period = {"opens_on": opens_on, "closes_on": closes_on}
    return {"code": SHIRTS, "origin": "TR", "volume_kg": 100, "rate_bp": 300, **period, **more}


def opened(opens_on: str, closes_on: str) -> Any:
    return ask("POST", "/v1/quotas", wish(opens_on, closes_on), 201)


def refused(body: Any, status: int) -> tuple[str, str]:
    error = ask("POST", "/v1/quotas", body, status)["error"]
    return error["code"], error["message"]


@pytest.mark.parametrize(
    ("opens_on", "closes_on"),
    [
        ("2026-03-04", "2026-03-04"),
        ("2026-01-01", "2027-01-01"),
        ("2027-12-31", "2028-12-30"),
        ("2024-02-29", "2025-02-28"),
    ],
)
def test_a_quota_may_be_open_for_a_day_to_a_year(opens_on: str, closes_on: str) -> None:
    quota = opened(opens_on, closes_on)["quota"]
    assert (quota["opens_on"], quota["closes_on"]) == (opens_on, closes_on)
    assert set(quota) == {"id", "code", "origin", "volume_g", "rate_bp", "opens_on", "closes_on"}
    assert ask("GET", f"/v1/quotas/{quota['id']}")["quota"] == quota


@pytest.mark.parametrize(
    ("opens_on", "closes_on"),
    [
        ("2026-03-05", "2026-03-04"),
        ("2026-12-31", "2026-01-01"),
        ("2026-01-01", "2027-01-02"),
        ("2028-01-01", "2029-01-01"),
    ],
)
def test_a_quota_is_not_open_for_less_or_more(opens_on: str, closes_on: str) -> None:
    expected = ("bad_period", "a quota is open for a day to a year")
    assert refused(wish(opens_on, closes_on), 422) == expected


@pytest.mark.parametrize(
    ("at", "status", "granted"),
    [
        ("2026-03-09T23:59:59Z", "pending", 0),
        ("2026-03-10T00:00:00Z", "open", 50_000),
        ("2026-10-02T09:00:00Z", "open", 50_000),
        ("2026-12-01T00:00:00Z", "open", 50_000),
        ("2026-12-01T23:59:59Z", "open", 50_000),
        ("2026-12-02T00:00:00Z", "closed", 0),
    ],
)
def test_both_ends_are_within_a_period(at: str, status: str, granted: int) -> None:
    made = opened("2026-03-10", "2026-12-01")
    assert made["status"] == "pending"
    quota = made["quota"]["id"]
    assert ask("GET", f"/v1/quotas/{quota}", at=at)["status"] == status
    goods = {"code": SHIRTS, "origin": "TR", "value_cents": 90_000, "net_g": 50_000}
    charge = ask("POST", "/v1/duty-quotes", {**goods, "quota_id": quota}, at=at)
    assert charge["in_quota_g"] == granted


def test_a_quota_of_one_day_is_open_on_that_day() -> None:
    made = opened("2026-03-04", "2026-03-04")
    assert made["status"] == "open"
    path = f"/v1/quotas/{made['quota']['id']}"
    assert ask("GET", path, at="2026-03-05T00:00:00Z")["status"] == "closed"


def test_refusals_keep_their_order() -> None:
    unknown = wish("2026-02-30", "2026-01-01", code="0000000000", rate_bp=9_000)
    assert refused(unknown, 404) == ("unknown_commodity", "no commodity 0000000000")
    known = {**unknown, "code": SHIRTS}
    assert refused(known, 422) == ("no_such_day", "2026-02-30 is not a day")
    both = {**known, "opens_on": "2026-02-01", "closes_on": "2026-04-31"}
    assert refused(both, 422) == ("no_such_day", "2026-04-31 is not a day")
    turned = {**known, "opens_on": "2026-02-01"}
    assert refused(turned, 422)[0] == "bad_period"
    ordered = {**turned, "closes_on": "2026-02-01"}
    assert refused(ordered, 422) == ("no_advantage", "the tariff asks 1200 basis points")
