"""Quotas from their opening until they are used up: what is left, due, secured and given back."""

from typing import Any

import pytest
from quay import (
    BEEF,
    SHIRTS,
    accepted,
    cover,
    deferring,
    get,
    invalidate,
    line,
    lodge,
    post,
    quota,
    quote,
    refusal,
    refused,
    trader,
)


def stands(made: str, at: str = "2026-03-02T12:00:00Z") -> tuple[int, int, str]:
    found = get(f"/v1/quotas/{made}", at=at)
    return found["granted_g"], found["left_g"], found["status"]


def granted(declared: Any) -> list[int]:
    found = get(f"/v1/declarations/{declared['id']}/lines")["items"]
    return [each["granted_g"] for each in found]


def wish(**changes: Any) -> dict[str, Any]:
    body = {"code": SHIRTS["code"], "origin": "BD", "volume_kg": 7, "rate_bp": 300}
    return {**body, "opens_on": "2026-01-01", "closes_on": "2026-12-31", **changes}


def test_a_new_quota_is_answered_as_it_is_shown() -> None:
    made = post("/v1/quotas", wish(opens_on="2026-04-01"), status=201)
    assert made.keys() == {"quota", "granted_g", "left_g", "status"}
    assert made["quota"] == {
        "id": made["quota"]["id"],
        "code": SHIRTS["code"],
        "origin": "BD",
        "volume_g": 7_000,
        "rate_bp": 300,
        "opens_on": "2026-04-01",
        "closes_on": "2026-12-31",
    }
    assert (made["granted_g"], made["left_g"], made["status"]) == (0, 7_000, "pending")
    assert get(f"/v1/quotas/{made['quota']['id']}") == made


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"code": "9999999999", "opens_on": "2026-02-30", "rate_bp": 9_999},
            (404, "unknown_commodity", "no commodity 9999999999"),
        ),
        (
            {"opens_on": "2026-02-30", "closes_on": "2026-02-31", "rate_bp": 9_999},
            (422, "no_such_day", "2026-02-30 is not a day"),
        ),
        (
            {"closes_on": "2026-02-31", "rate_bp": 9_999},
            (422, "no_such_day", "2026-02-31 is not a day"),
        ),
        (
            {"closes_on": "2025-12-31", "rate_bp": 1_200},
            (422, "bad_period", "a quota is open for a day to a year"),
        ),
        ({"rate_bp": 1_200}, (422, "no_advantage", "the tariff asks 1200 basis points")),
        ({**BEEF, "rate_bp": 1_280}, (422, "no_advantage", "the tariff asks 1280 basis points")),
    ],
)
def test_refusals_keep_their_words_and_order(changes: Any, told: tuple[int, str, str]) -> None:
    known = wish()
    body = {**known, **{name: value for name, value in changes.items() if name in known}}
    assert refusal("POST", "/v1/quotas", body) == told


def test_goods_are_looked_at_before_their_quota() -> None:
    made = quota()
    strange = {**SHIRTS, "code": "9999999999", "quota_id": "quo_none"}
    assert refused("/v1/duty-quotes", strange) == (404, "unknown_commodity")
    other = {**BEEF, "quota_id": made}
    mismatch = (422, "quota_mismatch", f"quota {made} is not for {BEEF['code']} from BR")
    assert refusal("POST", "/v1/duty-quotes", other) == mismatch


def test_each_quota_of_a_declaration_gets_its_own_grams_back_once() -> None:
    owner, shirts = trader(), quota(10)
    beef = quota(20, code=BEEF["code"], origin="BR")
    first = accepted(
        owner,
        line(1, net_g=7_001, quota_id=shirts),
        line(2, BEEF, net_g=3_000, quota_id=beef),
    )
    assert (stands(shirts), stands(beef)) == ((7_001, 2_999, "open"), (3_000, 17_000, "open"))
    second = accepted(
        owner,
        line(1, net_g=5_000, quota_id=shirts),
        line(2, BEEF, net_g=16_001, quota_id=beef),
    )
    assert granted(second) == [2_999, 16_001]
    assert stands(shirts) == (10_000, 0, "exhausted")
    assert stands(beef) == (19_001, 999, "critical")
    invalidate(first)
    assert (stands(shirts), stands(beef)) == ((2_999, 7_001, "open"), (16_001, 3_999, "open"))
    body = {"trader_id": owner, "reason": "duplicate"}
    path = f"/v1/declarations/{first['id']}/invalidation"
    assert refused(path, body) == (409, "wrong_state")
    assert (stands(shirts), stands(beef)) == ((2_999, 7_001, "open"), (16_001, 3_999, "open"))
    invalidate(second)
    assert (stands(shirts), stands(beef)) == ((0, 10_000, "open"), (0, 20_000, "open"))


def test_what_a_declaration_draws_itself_does_not_make_its_quota_critical() -> None:
    made, owner = quota(105), deferring()
    accepted(owner, line(quota_id=made), payment="deferment")
    assert stands(made) == (100_000, 5_000, "critical")
    assert cover(owner)[0] == (4_200 + 30_282) // 2


def test_a_declaration_that_is_refused_draws_nothing() -> None:
    made, owner = quota(100), deferring(1)
    lodged = lodge(owner, line(quota_id=made), payment="deferment")
    path = f"/v1/declarations/{lodged['id']}/acceptance"
    assert refused(path) == (402, "guarantee_exceeded")
    assert stands(made) == (0, 100_000, "open")


def test_a_quota_that_is_used_up_grants_nothing_and_secures_everything() -> None:
    made = quota(100)
    whole = accepted(trader(), line(quota_id=made))
    assert stands(made) == (100_000, 0, "exhausted")
    none_left = accepted(trader(), line(quota_id=made))
    assert granted(none_left) == [0]
    found = quote(quota_id=made)
    assert (found["in_quota_g"], found["duty_cents"]) == (0, 16_800)
    assert found["secured_cents"] == 16_800 + found["vat_cents"]
    invalidate(none_left)
    assert stands(made) == (100_000, 0, "exhausted")
    invalidate(whole)
    assert quote(quota_id=made)["in_quota_g"] == 100_000


def test_a_quota_is_given_back_when_its_time_is_over() -> None:
    made = quota(100, closes_on="2026-03-02")
    drawn = accepted(trader(), line(quota_id=made))
    tomorrow = "2026-03-03T00:00:00Z"
    assert stands(made, tomorrow) == (100_000, 0, "closed")
    invalidate(drawn, at=tomorrow)
    assert stands(made, tomorrow) == (0, 100_000, "closed")
    assert quote(quota_id=made, at=tomorrow)["in_quota_g"] == 0
