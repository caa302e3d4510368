"""Duties by measure and unit, in quotes and within a quota."""

import os
from typing import Any

import pytest
import urllib3

URL = os.environ["APP_URL"]
AT = {"X-Clock": "2026-03-04T12:00:00Z"}
http = urllib3.PoolManager(timeout=30, retries=False)


def post(path: str, body: dict[str, Any], status: int = 200) -> Any:
    answer = http.request("POST", URL + path, json=body, headers=AT)
    assert answer.status == status, answer.data
    return answer.json()


def charge(code: str, value: int, net_g: int, units: int, **more: Any) -> tuple[int, int]:
    """Duty and VAT."""
    goods = {"code": code, "origin": "BR", "value_cents": value, "net_g": net_g, "units": units}
    found = post("/v1/duty-quotes", {**goods, **more})
    return found["duty_cents"], found["vat_cents"]


@pytest.mark.parametrize(
    ("code", "value", "net_g", "units", "expected"),
    [
        ("0901110000", 71_099, 3, 9, (0, 6_399)),
        ("4901990000", 90_050, 1_001, 0, (0, 0)),
        ("3303001000", 77_777, 1_001, 5, (5_050, 17_394)),
        ("2204211000", 99_999, 7, 333, (4_329, 21_909)),
        ("0202301000", 45_678, 12_345, 77, (8_710, 4_895)),
        ("0702000010", 29_350, 173_000, 9, (2_578, 2_874)),
        ("0702000010", 29_350, 173_001, 9, (2_592, 2_875)),
        ("2402201000", 61_234, 5_000, 1_763, (35_251, 20_262)),
        ("2402201000", 61_234, 5_000, 1_757, (35_140, 20_239)),
    ],
)
def test_each_measure_asks_for_its_duty(
    code: str, value: int, net_g: int, units: int, expected: tuple[int, int]
) -> None:
    assert charge(code, value, net_g, units) == expected


def test_what_is_outside_a_quota_is_charged_by_the_measure_of_the_tariff() -> None:
    period = {"opens_on": "2026-01-01", "closes_on": "2026-12-31"}
    wish = {"code": "0702000010", "origin": "MA", "volume_kg": 30, "rate_bp": 200, **period}
    quota = post("/v1/quotas", wish, 201)["quota"]["id"]
    more = {"origin": "MA", "proof": "certificate", "quota_id": quota}
    assert charge("0702000010", 20_099, 100_001, 3, **more) == (859, 1_886)
    assert charge("0702000010", 15_099, 100_001, 3, **more) == (724, 1_424)


def test_a_commodity_that_nobody_knows_is_refused() -> None:
    goods = {"code": "0000000000", "origin": "BR", "value_cents": 1, "net_g": 1}
    error = {"code": "unknown_commodity", "message": "no commodity 0000000000"}
    assert post("/v1/duty-quotes", goods, 404) == {"error": error}
