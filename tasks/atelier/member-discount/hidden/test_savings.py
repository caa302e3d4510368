"""What the plans save, on quotes and on licences."""

import os

import httpx
import pytest

client = httpx.Client(base_url=os.environ["APP_URL"], timeout=30)
AT = {"X-Clock": "2026-02-02T12:00:00Z"}
WORKS = {
    "image": {"model_id": "gouache-2", "tier": "standard", "width": 512, "height": 512, "count": 1},
    "video": {
        "model_id": "zoetrope-1",
        "tier": "draft",
        "width": 512,
        "height": 512,
        "seconds": 2,
        "count": 1,
    },
}


def ask(method, path, body=None, status=200):
    answer = client.request(method, path, json=body, headers=AT)
    assert answer.status_code == status, answer.text
    return answer.json()


def account(plan, bought):
    opened = ask("POST", "/v1/accounts", {"name": "Eve", "plan": plan}, 201)["id"]
    ask("POST", f"/v1/accounts/{opened}/top-ups", {"credits": bought, "reference": "first"})
    return opened


def asset_for_sale(kind, offer):
    owner = account("hobby", 100)
    order = {"account_id": owner, **WORKS[kind], "prompt": "a mill by a brook"}
    job = ask("POST", "/v1/jobs", order, 201)["id"]
    for _ in range(200):
        claimed = ask("POST", "/v1/queue/claim", {"worker": "wim", "kinds": [kind]})["job"]
        if claimed is None or claimed["id"] == job:
            break
    done = ask("POST", f"/v1/jobs/{job}/complete", {"worker": "wim", "delivered": 1})
    asset = done["assets"][0]
    wish = {"account_id": owner, "visibility": "public", "offer": offer}
    ask("PUT", f"/v1/assets/{asset}/publication", wish)
    return asset


@pytest.mark.parametrize(
    ("kind", "offer", "plan", "paid"),
    [
        ("image", "personal", "hobby", 2_050),
        ("image", "personal", "plus", 1_950),
        ("image", "personal", "studio", 1_790),
        ("image", "commercial", "plus", 9_490),
        ("image", "commercial", "studio", 8_740),
        ("video", "personal", "plus", 6_170),
        ("video", "personal", "studio", 5_690),
        ("video", "commercial", "hobby", 24_970),
        ("video", "commercial", "plus", 23_720),
        ("video", "commercial", "studio", 21_850),
    ],
)
def test_a_member_pays_less_for_a_licence(kind, offer, plan, paid):
    asset, buyer = asset_for_sale(kind, offer), account(plan, 100)
    licence = ask("POST", f"/v1/assets/{asset}/licences", {"buyer_id": buyer}, 201)
    assert licence["paid_mc"] == paid
    entries = ask("GET", f"/v1/accounts/{buyer}/ledger")["items"]
    assert [(entry["kind"], entry["amount_mc"]) for entry in entries[1:]] == [("charge", -paid)]
    assert entries[-1]["reference"] == f"licence:{licence['id']}"
    assert ask("GET", f"/v1/accounts/{buyer}/balance")["available_mc"] == 100_000 - paid


@pytest.mark.parametrize(
    ("count", "plan", "listed", "saved"),
    [
        (1, "hobby", 1_250, 0),
        (1, "plus", 1_250, 60),
        (1, "studio", 1_250, 160),
        (2, "plus", 2_500, 130),
        (2, "studio", 2_500, 310),
    ],
)
def test_a_quote_names_what_the_plan_saves(count, plan, listed, saved):
    wanted = {**WORKS["image"], "count": count, "plan": plan, "account_id": "nobody"}
    quote = ask("POST", "/v1/quotes", wanted)
    assert (quote["list_mc"], quote["plan_mc"]) == (listed, saved)
    assert quote["total_mc"] == listed - saved


def test_a_refused_purchase_names_the_price_after_the_saving():
    asset, buyer = asset_for_sale("image", "personal"), account("plus", 1)
    answer = ask("POST", f"/v1/assets/{asset}/licences", {"buyer_id": buyer}, 402)
    assert answer["error"]["message"] == "1950 mc needed, 1000 mc available"


def test_a_buyer_must_be_known():
    asset = asset_for_sale("image", "personal")
    answer = ask("POST", f"/v1/assets/{asset}/licences", {"buyer_id": "acc_none"}, 404)
    assert answer["error"]["code"] == "unknown_account"
