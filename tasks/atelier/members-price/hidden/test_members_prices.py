"""What licences cost members, and what is paid, noted and given back."""

import os
from typing import Any

import httpx
import pytest

client = httpx.Client(base_url=os.environ["APP_URL"], timeout=30)
IMAGE = {"model_id": "gouache-2", "tier": "standard", "width": 512, "height": 512, "count": 1}
VIDEO = {"model_id": "zoetrope-1", "tier": "draft", "width": 512, "height": 512, "seconds": 2}
WORKS = {"image": IMAGE, "video": {**VIDEO, "count": 1}}
PAID = {
    ("image", "personal"): {"hobby": 2_050, "plus": 1_950, "studio": 1_790},
    ("image", "commercial"): {"hobby": 9_990, "plus": 9_490, "studio": 8_740},
    ("video", "personal"): {"hobby": 6_500, "plus": 6_170, "studio": 5_690},
    ("video", "commercial"): {"hobby": 24_970, "plus": 23_720, "studio": 21_850},
}


def ask(method: str, path: str, body: Any = None, status: int = 200) -> Any:
    headers = {"X-Clock": "2026-02-02T12:00:00Z"}
    answer = client.request(method, path, json=body, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()


def account(plan: str, bought: int = 100) -> str:
    opened = str(ask("POST", "/v1/accounts", {"name": "Eve", "plan": plan}, 201)["id"])
    ask("POST", f"/v1/accounts/{opened}/top-ups", {"credits": bought, "reference": "first"})
    return opened


def for_sale(owner: str, kind: str, offer: str) -> str:
    order = {"account_id": owner, **WORKS[kind], "prompt": "a mill by a brook"}
    job = ask("POST", "/v1/jobs", order, 201)["id"]
    for _ in range(500):
        claimed = ask("POST", "/v1/queue/claim", {"worker": "wim", "kinds": [kind]})["job"]
        if claimed is None or claimed["id"] == job:
            break
    done = ask("POST", f"/v1/jobs/{job}/complete", {"worker": "wim", "delivered": 1})
    asset = str(done["assets"][0])
    wish = {"account_id": owner, "visibility": "public", "offer": offer}
    ask("PUT", f"/v1/assets/{asset}/publication", wish)
    return asset


def buy(asset: str, buyer: str, status: int = 201) -> Any:
    return ask("POST", f"/v1/assets/{asset}/licences", {"buyer_id": buyer}, status)


@pytest.mark.parametrize("seller", ["hobby", "studio"])
@pytest.mark.parametrize(("kind", "offer"), PAID)
def test_the_plan_of_whoever_buys_counts(kind: str, offer: str, seller: str) -> None:
    asset = for_sale(account(seller), kind, offer)
    for plan, paid in PAID[kind, offer].items():
        buyer = account(plan)
        licence = buy(asset, buyer)
        assert licence["paid_mc"] == paid
        entry = ask("GET", f"/v1/accounts/{buyer}/ledger")["items"][-1]
        assert (entry["kind"], entry["amount_mc"]) == ("charge", -paid)
        assert entry["reference"] == f"licence:{licence['id']}"
        left = ask("GET", f"/v1/accounts/{buyer}/balance")
        assert (left["settled_mc"], left["held_mc"]) == (100_000 - paid, 0)


@pytest.mark.parametrize(
    ("plan", "bought", "needed"), [("hobby", 2, 2_050), ("plus", 1, 1_950), ("studio", 1, 1_790)]
)
def test_whoever_has_too_little_is_told_the_price_for_them(
    plan: str, bought: int, needed: int
) -> None:
    asset, buyer = for_sale(account("hobby"), "image", "personal"), account(plan, bought)
    before = ask("GET", f"/v1/accounts/{buyer}/ledger")
    error = buy(asset, buyer, 402)["error"]
    assert error["code"] == "insufficient_credits"
    assert error["message"] == f"{needed} mc needed, {bought * 1_000} mc available"
    assert ask("GET", f"/v1/accounts/{buyer}/ledger") == before


def test_the_last_credit_buys_a_licence() -> None:
    asset, buyer = for_sale(account("hobby"), "image", "commercial"), account("studio", 9)
    assert buy(asset, buyer)["paid_mc"] == 8_740
    assert ask("GET", f"/v1/accounts/{buyer}/balance")["available_mc"] == 260


def test_refusals_keep_their_order() -> None:
    owner = account("plus")
    asset = for_sale(owner, "image", "personal")
    assert buy("ast_none", "acc_none", 404)["error"]["message"] == "no asset ast_none"
    unknown = buy(asset, "acc_none", 404)["error"]
    assert (unknown["code"], unknown["message"]) == ("unknown_account", "no account acc_none")
    assert buy(asset, owner, 422)["error"]["code"] == "own_asset"
    buyer = account("plus", 3)
    buy(asset, buyer)
    assert buy(asset, buyer, 409)["error"]["code"] == "already_licensed"
    ask("PUT", f"/v1/assets/{asset}/publication", {"account_id": owner, "visibility": "public"})
    assert buy(asset, "acc_none", 409)["error"]["code"] == "not_for_sale"


def test_what_was_paid_is_what_comes_back() -> None:
    owner, buyers = account("hobby"), [account("plus"), account("studio")]
    asset = for_sale(owner, "video", "personal")
    for buyer in buyers:
        buy(asset, buyer)
    report = {"asset_id": asset, "reporter_id": buyers[0], "category": "explicit"}
    case = ask("POST", "/v1/flags", report)["id"]
    verdict = {"moderator": "mo", "action": "remove"}
    decided = ask("POST", f"/v1/cases/{case}/decision", verdict)
    assert decided["refunded_mc"] == 6_170 + 5_690
    for buyer in buyers:
        assert ask("GET", f"/v1/accounts/{buyer}/balance")["settled_mc"] == 100_000


@pytest.mark.parametrize(("plan", "saved"), [("hobby", 0), ("plus", 60), ("studio", 160)])
def test_quotes_and_holds_are_as_before(plan: str, saved: int) -> None:
    owner = account(plan)
    quote = ask("POST", "/v1/quotes", {**IMAGE, "plan": plan, "account_id": owner})
    assert (quote["list_mc"], quote["plan_mc"]) == (1_250, saved)
    job = ask("POST", "/v1/jobs", {**IMAGE, "account_id": owner, "prompt": "a mill"}, 201)
    assert job["hold_mc"] == 1_250 - saved
    assert ask("GET", f"/v1/accounts/{owner}/balance")["held_mc"] == 1_250 - saved
