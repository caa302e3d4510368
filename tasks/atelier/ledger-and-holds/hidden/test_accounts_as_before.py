"""Credits as users see them: what is in hand, set aside and paid back."""

import os
from typing import Any

import httpx

client = httpx.Client(base_url=os.environ["APP_URL"], timeout=30)
IMAGE = {"model_id": "gouache-2", "tier": "standard", "width": 512, "height": 512, "count": 1}


def ask(method: str, path: str, body: Any = None, status: int = 200, at: str = "12:00:00") -> Any:
    headers = {"X-Clock": f"2026-02-02T{at}Z"}
    answer = client.request(method, path, json=body, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()


def account(plan: str = "hobby", bought: int = 100) -> str:
    opened = str(ask("POST", "/v1/accounts", {"name": "Ida", "plan": plan}, 201)["id"])
    ask("POST", f"/v1/accounts/{opened}/top-ups", {"credits": bought, "reference": "first"})
    return opened


def finished(owner: str, count: int = 1) -> Any:
    """A job that is done and its asset; other jobs in the way are claimed and left."""
    order = {"account_id": owner, **IMAGE, "count": count, "prompt": "a mill by a brook"}
    job = ask("POST", "/v1/jobs", order, 201)["id"]
    for _ in range(500):
        claimed = ask("POST", "/v1/queue/claim", {"worker": "wim", "kinds": ["image"]})["job"]
        if claimed is None or claimed["id"] == job:
            break
    return ask("POST", f"/v1/jobs/{job}/complete", {"worker": "wim", "delivered": count})


def for_sale(owner: str, offer: str = "personal") -> str:
    asset = str(finished(owner)["assets"][0])
    wish = {"account_id": owner, "visibility": "public", "offer": offer}
    ask("PUT", f"/v1/assets/{asset}/publication", wish)
    return asset


def buy(asset: str, buyer: str) -> Any:
    return ask("POST", f"/v1/assets/{asset}/licences", {"buyer_id": buyer}, 201)


def flag(asset: str, reporter: str, category: str) -> Any:
    body = {"asset_id": asset, "reporter_id": reporter, "category": category}
    return ask("POST", "/v1/flags", body)


def decide(case: str, action: str, status: int = 200) -> Any:
    body = {"moderator": "mo", "action": action}
    return ask("POST", f"/v1/cases/{case}/decision", body, status)


def credits_of(owner: str) -> tuple[int, int]:
    found = ask("GET", f"/v1/accounts/{owner}/balance")
    assert found["available_mc"] == found["settled_mc"] - found["held_mc"]
    return found["settled_mc"], found["held_mc"]


def kinds(owner: str) -> list[tuple[str, int]]:
    lines = ask("GET", f"/v1/accounts/{owner}/ledger")["items"]
    return [(line["kind"], line["amount_mc"]) for line in lines]


def test_a_hold_is_set_aside_until_it_is_released_or_captured():
    owner = account()
    order = {"account_id": owner, **IMAGE, "prompt": "a mill by a brook"}
    job = ask("POST", "/v1/jobs", order, 201)
    assert credits_of(owner) == (100_000, job["hold_mc"])
    ask("POST", f"/v1/jobs/{job['id']}/cancel", {"account_id": owner})
    assert credits_of(owner) == (100_000, 0)
    paid = finished(owner)["charged_mc"]
    assert credits_of(owner) == (100_000 - paid, 0)
    assert kinds(owner) == [("topup", 100_000), ("capture", -paid)]


def test_a_top_up_is_made_once_and_brings_a_bonus():
    owner = account(bought=500)
    body = {"credits": 500, "reference": "first"}
    again = ask("POST", f"/v1/accounts/{owner}/top-ups", body)
    assert (again["settled_mc"], again["held_mc"]) == (525_000, 0)
    other = ask("POST", f"/v1/accounts/{owner}/top-ups", {**body, "credits": 501}, 409)
    assert other["error"]["code"] == "reference_reused"
    assert kinds(owner) == [("topup", 500_000), ("bonus", 25_000)]


def test_a_licence_is_paid_back_in_full_and_once():
    owner, buyer = account(), account("plus")
    asset = for_sale(owner)
    paid = buy(asset, buyer)["paid_mc"]
    case = flag(asset, buyer, "minors")["id"]
    assert decide(case, "remove")["refunded_mc"] == paid
    assert kinds(buyer) == [("topup", 100_000), ("charge", -paid), ("refund", paid)]
    assert credits_of(buyer) == (100_000, 0)


def test_what_is_not_covered_is_refused_before_anything_is_written():
    owner, poor = account(), account(bought=1)
    asset = for_sale(owner)
    refused = ask("POST", f"/v1/assets/{asset}/licences", {"buyer_id": poor}, 402)["error"]
    message = "2050 mc needed, 1000 mc available"
    assert refused == {"code": "insufficient_credits", "message": message}
    assert kinds(poor) == [("topup", 1_000)]


def test_a_payment_is_paid_back_by_shares_until_nothing_is_left_of_it():
    owner, reporter = account(), account()
    job = finished(owner, 3)
    paid = job["charged_mc"]
    refunds = []
    for asset in job["assets"]:
        wish = {"account_id": owner, "visibility": "public", "offer": "none"}
        ask("PUT", f"/v1/assets/{asset}/publication", wish)
        case = flag(asset, reporter, "explicit")["id"]
        decide(case, "remove")
        appeal = {"account_id": owner, "statement": "it is a mill"}
        ask("POST", f"/v1/cases/{case}/appeal", appeal)
        ruling = {"moderator": "li", "outcome": "overturned"}
        refunds.append(ask("POST", f"/v1/cases/{case}/appeal/decision", ruling)["refunded_mc"])
    half = (paid // 2 + 5) // 10 * 10
    assert refunds == [half, paid - half, 0]
    assert credits_of(owner) == (100_000, 0)
