"""What an acceptance grants, charges, secures, chooses and tells, and what a refused one leaves."""

import itertools
import os
import uuid
from typing import Any

import urllib3

URL = os.environ["APP_URL"]
NOON = "2026-03-04T12:00:00Z"
YEAR = {"opens_on": "2026-01-01", "closes_on": "2026-12-31"}
SHIRTS = {"code": "6109100010", "origin": "BD", "value_cents": 140_000, "net_g": 100_000}
TOYS = {"code": "9503004100", "origin": "CN", "value_cents": 90_000, "net_g": 100_000}
RADAR = {"code": "8526100000", "origin": "US", "value_cents": 1_800_000, "net_g": 100_000}
http = urllib3.PoolManager(timeout=30, retries=False)
names = (f"A{uuid.uuid4().hex[:9].upper()}{number}" for number in itertools.count())


def ask(method: str, path: str, body: Any = None, status: int = 200, at: str = NOON) -> Any:
    answer = http.request(method, URL + path, json=body, headers={"X-Clock": at})
    assert answer.status == status, answer.data
    return answer.json()


def trader() -> str:
    wish = {"name": "Van Dam", "eori": f"NL{next(names)}", "country": "NL", "kind": "importer"}
    return str(ask("POST", "/v1/traders", wish, 201)["id"])


def authorise(owner: str, kind: str) -> None:
    ask("POST", f"/v1/traders/{owner}/authorisations", {"kind": kind, "years": 1}, 201)


def give(owner: str, limit_cents: int) -> None:
    ask("PUT", f"/v1/traders/{owner}/guarantee", {"limit_cents": limit_cents})


def deferring(limit_cents: int) -> str:
    owner = trader()
    give(owner, limit_cents)
    authorise(owner, "deferment")
    return owner


def opened(volume_kg: int, goods: Any = SHIRTS, rate_bp: int = 200) -> str:
    body = {"code": goods["code"], "origin": goods["origin"], "volume_kg": volume_kg}
    return str(ask("POST", "/v1/quotas", {**body, "rate_bp": rate_bp, **YEAR}, 201)["quota"]["id"])


def lodged(owner: str, *lines: Any, **more: Any) -> Any:
    numbered = [{"number": n, **line} for n, line in enumerate(lines, start=1)]
    item = {"description": "boxes", "packages": 9, "gross_g": 200_000}
    items = [{**item, "number": line["number"], "net_g": line["net_g"]} for line in numbered]
    arrival = {"trader_id": owner, "bill": next(names), "mode": "sea", "items": items}
    consignment = ask("POST", "/v1/consignments", arrival, 201)["id"]
    body = {"trader_id": owner, "consignment_id": consignment, "lines": numbered, **more}
    return ask("POST", "/v1/declarations", body, 201)


def accept(made: Any, status: int = 200, at: str = NOON) -> Any:
    return ask("POST", f"/v1/declarations/{made['id']}/acceptance", None, status, at)


def lines_of(made: Any) -> list[tuple[Any, ...]]:
    found = ask("GET", f"/v1/declarations/{made['id']}/lines")["items"]
    parts = ("granted_g", "duty_cents", "additional_cents", "vat_cents", "preference")
    return [tuple(line[part] for part in parts) for line in found]


def reserved(owner: str) -> Any:
    return ask("GET", f"/v1/traders/{owner}/guarantee")["reserved_cents"]


def quota(made: str) -> tuple[int, str]:
    found = ask("GET", f"/v1/quotas/{made}")
    return found["left_g"], found["status"]


def told(owner: str) -> list[str]:
    found = ask("GET", f"/v1/notices?trader_id={owner}&limit=100")["items"]
    return [each["kind"] for each in found]


def debts(owner: str) -> Any:
    return ask("GET", f"/v1/assessments?trader_id={owner}")["items"]


def blocked_by(made: Any) -> Any:
    return ask("GET", f"/v1/consignments/{made['consignment_id']}")["blocked_by"]


def test_each_line_is_granted_and_charged_by_itself() -> None:
    owner, shirts, toys = trader(), opened(60), opened(500, TOYS, 100)
    made = lodged(owner, {**SHIRTS, "quota_id": shirts}, {**TOYS, "quota_id": toys}, RADAR)
    accepted = accept(made)
    assert (accepted["state"], accepted["channel"]) == ("under_control", "red")
    assert lines_of(made) == [
        (60_000, 8_400, 0, 31_164, "none"),
        (100_000, 900, 0, 19_089, "none"),
        (0, 66_600, 0, 391_986, "none"),
    ]
    assert (quota(shirts), quota(toys)) == ((0, "exhausted"), (400_000, "open"))
    (owed,) = debts(owner)
    assert (owed["duty_cents"], owed["vat_cents"], owed["fee_cents"]) == (75_900, 442_239, 0)
    assert blocked_by(made) == ["customs control"]
    assert told(owner) == ["arrival", "lodged", "control_ordered", "payment_due", "accepted"]


def test_security_is_worked_out_before_the_quota_is_drawn() -> None:
    owner, shirts = deferring(1_000_000), opened(210)
    for free_before, kept in ((210_000, 16_394), (110_000, 32_788), (10_000, 57_652)):
        assert quota(shirts)[0] == free_before
        accept(lodged(owner, {**SHIRTS, "quota_id": shirts}, payment="deferment"))
        assert reserved(owner) == kept
    assert quota(shirts) == (0, "exhausted")


def test_a_refused_acceptance_leaves_no_trace() -> None:
    owner, shirts = deferring(5_000), opened(150)
    made = lodged(owner, {**SHIRTS, "proof": "invoice", "quota_id": shirts}, payment="deferment")
    path = f"/v1/declarations/{made['id']}"
    before = ask("GET", path), lines_of(made), told(owner)
    error = accept(made, 402)["error"]
    assert error["code"] == "guarantee_exceeded"
    assert error["message"] == "16394 cents needed, 5000 free"
    assert (ask("GET", path), lines_of(made), told(owner)) == before
    assert (quota(shirts), reserved(owner), debts(owner)) == ((150_000, "open"), 0, [])
    assert ask("GET", f"/v1/controls?trader_id={owner}")["items"] == []
    give(owner, 50_000)
    accepted = accept(made)
    assert accepted["remarks"] == ["line 1: origin not proven"]
    assert (quota(shirts)[0], reserved(owner)) == (50_000, 16_394)
    assert accept(made, 409)["error"]["message"] == "cannot accept what is accepted"


def test_what_is_stored_knows_its_channel_and_remarks() -> None:
    owner = trader()
    unproven = {"proof": "invoice", "value_cents": 20_000, "net_g": 10_000}
    made = lodged(owner, {**TOYS, **unproven}, SHIRTS, {**RADAR, "proof": "certificate"})
    accepted = accept(made, at="2026-03-05T08:00:00Z")
    assert ask("GET", f"/v1/declarations/{made['id']}") == accepted
    assert accepted["remarks"] == ["line 1: origin not proven", "line 3: origin not proven"]
    assert (accepted["channel"], accepted["accepted_at"]) == ("red", "2026-03-05T08:00:00Z")
    (control,) = ask("GET", f"/v1/controls?trader_id={owner}")["items"]
    assert (control["score"], control["factors"]) == (70, ["dual_use", "origin CN"])


def test_what_is_stored_away_is_secured_and_not_yet_owed() -> None:
    owner = trader()
    give(owner, 100_000)
    authorise(owner, "warehouse")
    made = lodged(owner, SHIRTS, procedure="warehouse")
    assert accept(made)["state"] == "accepted"
    assert (reserved(owner), debts(owner), blocked_by(made)) == (24_864, [], [])
    assert told(owner) == ["arrival", "lodged", "accepted"]


def test_a_procedure_that_was_withdrawn_is_refused_first() -> None:
    owner = trader()
    give(owner, 1)
    authorise(owner, "warehouse")
    made = lodged(owner, SHIRTS, procedure="warehouse")
    ask("POST", f"/v1/traders/{owner}/authorisations/withdrawal", {"kind": "warehouse"})
    error = accept(made, 403)["error"]
    expected = ("not_authorised", "warehouse is no longer authorised")
    assert (error["code"], error["message"]) == expected


def test_an_amendment_charges_with_what_was_granted() -> None:
    owner, shirts = deferring(1_000_000), opened(60)
    made = lodged(owner, {**SHIRTS, "quota_id": shirts}, TOYS, payment="deferment")
    accept(made)
    body = {"trader_id": owner, "number": 1, "value_cents": 200_000}
    ask("POST", f"/v1/declarations/{made['id']}/amendments", body)
    assert lines_of(made) == [
        (60_000, 12_000, 0, 44_520, "none"),
        (0, 4_230, 0, 19_788, "none"),
    ]
    assert reserved(owner) == 47_529
