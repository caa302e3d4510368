"""Records and guarantees as users see them: what is covered, set aside, called in and suspended."""

import itertools
import os
import uuid
from typing import Any

import urllib3

URL = os.environ["APP_URL"]
NOON = "2026-03-04T12:00:00Z"
SHIRTS = {"code": "6109100010", "origin": "BD", "value_cents": 140_000, "net_g": 100_000}
RADAR = {"code": "8526100000", "origin": "US", "value_cents": 1_800_000, "net_g": 100_000}
http = urllib3.PoolManager(timeout=30, retries=False)
names = (f"R{uuid.uuid4().hex[:9].upper()}{number}" for number in itertools.count())


def ask(method: str, path: str, body: Any = None, status: int = 200, at: str = NOON) -> Any:
    answer = http.request(method, URL + path, json=body, headers={"X-Clock": at})
    assert answer.status == status, answer.data
    return answer.json()


def code(method: str, path: str, body: Any, status: int) -> str:
    return str(ask(method, path, body, status)["error"]["code"])


def trader() -> str:
    wish = {"name": "Van Dam", "eori": f"NL{next(names)}", "country": "NL", "kind": "importer"}
    return str(ask("POST", "/v1/traders", wish, 201)["id"])


def authorise(owner: str, kind: str) -> None:
    ask("POST", f"/v1/traders/{owner}/authorisations", {"kind": kind, "years": 1}, 201)


def give(owner: str, limit_cents: int) -> Any:
    return ask("PUT", f"/v1/traders/{owner}/guarantee", {"limit_cents": limit_cents})


def deferring(limit_cents: int) -> str:
    owner = trader()
    give(owner, limit_cents)
    authorise(owner, "deferment")
    return owner


def lodged(owner: str, goods: Any = SHIRTS, payment: str = "deferment") -> Any:
    item = {"number": 1, "description": "boxes", "packages": 9, "gross_g": 110_000}
    parcel = {**item, "net_g": 100_000}
    arrival = {"trader_id": owner, "bill": next(names), "mode": "sea", "items": [parcel]}
    consignment = ask("POST", "/v1/consignments", arrival, 201)["id"]
    body = {"trader_id": owner, "consignment_id": consignment, "payment": payment}
    return ask("POST", "/v1/declarations", {**body, "lines": [{"number": 1, **goods}]}, 201)


def accept(made: Any, status: int = 200) -> Any:
    return ask("POST", f"/v1/declarations/{made['id']}/acceptance", status=status)


def amend(made: Any, value_cents: int, status: int = 200) -> Any:
    body = {"trader_id": made["trader_id"], "number": 1, "value_cents": value_cents}
    return ask("POST", f"/v1/declarations/{made['id']}/amendments", body, status)


def caught(owner: str, *kinds: str) -> None:
    """A control that finds something, and concludes."""
    made = accept(lodged(owner, RADAR, "cash"))
    found = ask("GET", f"/v1/controls?trader_id={owner}&state=open")["items"]
    (control,) = (each["id"] for each in found if each["declaration_id"] == made["id"])
    ask("POST", f"/v1/controls/{control}/start", {"inspector": "ines"})
    for kind in kinds:
        body = {"inspector": "ines", "number": 1, "kind": kind}
        ask("POST", f"/v1/controls/{control}/findings", body, 201)
    ask("POST", f"/v1/controls/{control}/conclusion", {"inspector": "ines"})


def debt(owner: str) -> Any:
    (found,) = ask("GET", f"/v1/assessments?trader_id={owner}")["items"]
    return found


def cover(owner: str) -> tuple[int, ...]:
    found = ask("GET", f"/v1/traders/{owner}/guarantee")
    parts = ("limit_cents", "reserved_cents", "called_cents", "free_cents", "percent")
    return tuple(found[part] for part in parts)


def standing(owner: str) -> tuple[str, int, list[str]]:
    found = ask("GET", f"/v1/traders/{owner}/standing")
    return found["tier"], found["points"], found["authorisations"]


def told(owner: str, kind: str) -> list[tuple[str, str]]:
    found = ask("GET", f"/v1/notices?trader_id={owner}&kind={kind}")["items"]
    return [(each["text"], each["state"]) for each in found]


def test_checks_keep_their_order() -> None:
    nobody, owner = "/v1/traders/trd_none", f"/v1/traders/{trader()}"
    for path in ("standing", "guarantee"):
        assert code("GET", f"{nobody}/{path}", None, 404) == "unknown_trader"
    assert code("PUT", f"{nobody}/guarantee", {"limit_cents": 1}, 404) == "unknown_trader"
    wish = {"kind": "deferment", "years": 1}
    assert code("POST", f"{nobody}/authorisations", wish, 404) == "unknown_trader"
    error = ask("GET", f"{owner}/guarantee", None, 409)["error"]
    assert error["code"] == "no_guarantee"
    assert code("POST", f"{owner}/authorisations", wish, 409) == "no_guarantee"


def test_a_debt_that_changes_is_covered_by_what_it_has_set_aside() -> None:
    owner = deferring(30_000)
    made = accept(lodged(owner))
    assert cover(owner) == (30_000, 24_864, 0, 5_136, 50)
    amend(made, 150_000)
    assert cover(owner) == (30_000, 26_640, 0, 3_360, 50)
    error = amend(made, 190_000, 402)["error"]
    assert error["code"] == "guarantee_exceeded"
    assert error["message"] == "34994 cents needed, 30000 free"
    assert cover(owner) == (30_000, 26_640, 0, 3_360, 50)
    amend(made, 100_000)
    assert cover(owner) == (30_000, 19_010, 0, 10_990, 50)


def test_what_is_covered_follows_the_standing() -> None:
    owner = deferring(200_000)
    made = accept(lodged(owner))
    assert cover(owner)[1:] == (24_864, 0, 175_136, 50)
    authorise(owner, "aeo")
    assert cover(owner)[1:] == (24_864, 0, 175_136, 30)
    caught(owner, "misdescription")
    assert standing(owner) == ("watch", 4, ["aeo", "deferment"])
    assert cover(owner)[4] == 30
    withdrawal = {"kind": "aeo"}
    ask("POST", f"/v1/traders/{owner}/authorisations/withdrawal", withdrawal)
    assert cover(owner)[1:] == (24_864, 0, 175_136, 100)
    amend(made, 141_000)
    assert cover(owner)[1:] == (50_083, 0, 149_917, 100)


def test_the_twelfth_point_suspends_what_rests_on_trust() -> None:
    owner = deferring(500_000)
    for kind in ("aeo", "simplified", "warehouse"):
        authorise(owner, kind)
    caught(owner, "undeclared")
    assert standing(owner) == ("poor", 8, ["aeo", "deferment", "simplified", "warehouse"])
    assert told(owner, "authorisation_suspended") == []
    caught(owner, "misdescription")
    assert standing(owner) == ("poor", 12, ["deferment", "warehouse"])
    suspended = [("aeo is suspended", "open"), ("simplified is suspended", "open")]
    assert told(owner, "authorisation_suspended") == suspended
    caught(owner, "misdescription")
    assert standing(owner)[1] == 16
    assert told(owner, "authorisation_suspended") == suspended


def test_a_guarantee_that_is_low_is_told_once_until_half_of_it_is_free() -> None:
    owner = deferring(30_000)
    accept(lodged(owner))
    low = ("5136 cents are free", "open")
    assert told(owner, "guarantee_low") == [low]
    assert give(owner, 40_000)["free_cents"] == 15_136
    assert told(owner, "guarantee_low") == [low]
    give(owner, 60_000)
    assert told(owner, "guarantee_low") == [(low[0], "done")]
    error = ask("PUT", f"/v1/traders/{owner}/guarantee", {"limit_cents": 24_863}, 409)["error"]
    assert (error["code"], error["message"]) == ("guarantee_in_use", "24864 cents are in use")
    give(owner, 24_864)
    assert told(owner, "guarantee_low")[1:] == [("0 cents are free", "open")]


def test_what_is_called_in_is_gone_and_the_warning_stays() -> None:
    owner = deferring(30_000)
    accept(lodged(owner))
    late = "2026-05-04T12:00:00Z"
    enforced = ask("POST", f"/v1/assessments/{debt(owner)['id']}/enforcement", at=late)
    assert enforced["state"] == "enforced"
    assert cover(owner) == (30_000, 0, 30_000, 0, 50)
    assert [state for _, state in told(owner, "guarantee_low")] == ["open"]
    error = ask("PUT", f"/v1/traders/{owner}/guarantee", {"limit_cents": 29_999}, 409)["error"]
    assert error["message"] == "30000 cents are in use"
    give(owner, 60_000)
    assert cover(owner) == (60_000, 0, 30_000, 30_000, 50)
    assert [state for _, state in told(owner, "guarantee_low")] == ["done"]


def test_what_is_void_is_set_free_once() -> None:
    owner = deferring(30_000)
    made = accept(lodged(owner))
    assert code("POST", f"/v1/traders/{owner}/authorisations/withdrawal",
                {"kind": "deferment"}, 409) == "guarantee_in_use"  # fmt: skip
    body = {"trader_id": owner, "reason": "duplicate"}
    ask("POST", f"/v1/declarations/{made['id']}/invalidation", body)
    assert cover(owner) == (30_000, 0, 0, 30_000, 50)
    assert [state for _, state in told(owner, "guarantee_low")] == ["done"]
    again = lodged(owner)
    accept(again)
    assert cover(owner) == (30_000, 24_864, 0, 5_136, 50)
