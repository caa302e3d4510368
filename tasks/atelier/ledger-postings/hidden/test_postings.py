"""The ledger as users see it, whatever its lines are called inside."""

import os
from typing import Any

import httpx
import pytest

client = httpx.Client(base_url=os.environ["APP_URL"], timeout=30)
NOON = "2026-03-03T12:00:00Z"
FIELDS = {"id", "account_id", "kind", "amount_mc", "reference", "at", "expires_at"}
IMAGE = {"model_id": "gouache-2", "tier": "standard", "width": 512, "height": 512, "count": 1}


def ask(method: str, path: str, body: Any = None, status: int = 200) -> Any:
    answer = client.request(method, path, json=body, headers={"X-Clock": NOON})
    assert answer.status_code == status, answer.text
    return answer.json()


def account(bought: int) -> str:
    opened = str(ask("POST", "/v1/accounts", {"name": "Ida", "plan": "hobby"}, 201)["id"])
    ask("POST", f"/v1/accounts/{opened}/top-ups", {"credits": bought, "reference": "first"})
    return opened


def ledger(owner: str, query: str = "") -> Any:
    return ask("GET", f"/v1/accounts/{owner}/ledger{query}")["items"]


def sold_asset(owner: str, buyer: str) -> Any:
    order = {"account_id": owner, **IMAGE, "prompt": "a mill by a brook"}
    job = ask("POST", "/v1/jobs", order, 201)["id"]
    for _ in range(200):
        claimed = ask("POST", "/v1/queue/claim", {"worker": "post", "kinds": ["image"]})["job"]
        if claimed is None or claimed["id"] == job:
            break
    done = ask("POST", f"/v1/jobs/{job}/complete", {"worker": "post", "delivered": 1})
    asset = done["assets"][0]
    wish = {"account_id": owner, "visibility": "public", "offer": "personal"}
    ask("PUT", f"/v1/assets/{asset}/publication", wish)
    return asset, ask("POST", f"/v1/assets/{asset}/licences", {"buyer_id": buyer}, 201)


@pytest.mark.parametrize(("query", "kinds"), [("", ["topup", "bonus"]), ("?offset=1", ["bonus"])])
def test_a_line_of_the_ledger_has_the_fields_that_it_always_had(query, kinds):
    lines = ledger(account(500), query)
    assert [line["kind"] for line in lines] == kinds
    assert all(set(line) == FIELDS and line["at"] == NOON for line in lines)
    assert lines[-1]["amount_mc"] == 25_000
    assert lines[-1]["expires_at"] == "2026-04-02T12:00:00Z"


def test_a_capture_and_a_charge_are_found_again_when_they_are_paid_back():
    owner, buyer = account(100), account(100)
    asset, licence = sold_asset(owner, buyer)
    flag = {"asset_id": asset, "reporter_id": buyer, "category": "minors"}
    case = ask("POST", "/v1/flags", flag)["id"]
    ask("POST", f"/v1/cases/{case}/decision", {"moderator": "mo", "action": "remove"})
    paid = licence["paid_mc"]
    kinds = [(line["kind"], line["amount_mc"]) for line in ledger(buyer)[1:]]
    assert kinds == [("charge", -paid), ("refund", paid)]
    appeal = {"account_id": owner, "statement": "it is a mill"}
    ask("POST", f"/v1/cases/{case}/appeal", appeal)
    ask("POST", f"/v1/cases/{case}/appeal/decision", {"moderator": "li", "outcome": "overturned"})
    lines = ledger(owner)
    assert [line["kind"] for line in lines] == ["topup", "capture", "refund"]
    assert lines[1]["reference"] == lines[2]["reference"]
