"""What a decision on a case brings about."""

import os
from typing import Any

import httpx
import pytest

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


def finished(owner: str, prompt: str = "a mill by a brook") -> Any:
    """A job that is done and its asset; other jobs in the way are claimed and left."""
    order = {"account_id": owner, **IMAGE, "prompt": prompt}
    job = ask("POST", "/v1/jobs", order, 201)["id"]
    for _ in range(500):
        claimed = ask("POST", "/v1/queue/claim", {"worker": "wim", "kinds": ["image"]})["job"]
        if claimed is None or claimed["id"] == job:
            break
    return ask("POST", f"/v1/jobs/{job}/complete", {"worker": "wim", "delivered": 1})


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


def told(owner: str) -> list[tuple[str, str]]:
    items = ask("GET", f"/v1/notifications?account_id={owner}&limit=100")["items"]
    return [(each["kind"], each["text"]) for each in items]


def test_a_removal_pays_licences_back_and_the_case_says_how_much():
    owner, first, second = account(), account("plus"), account("studio")
    asset = for_sale(owner)
    paid = [buy(asset, buyer)["paid_mc"] for buyer in (first, second)]
    case = flag(asset, first, "minors")["id"]
    decided = decide(case, "remove")
    assert (decided["state"], decided["refunded_mc"]) == ("decided", sum(paid))
    assert decided["appeal_until"] == "2026-02-05T12:00:00Z"
    assert ask("GET", f"/v1/cases/{case}") == decided
    assert told(first)[-2:] == [
        ("licence_ended", f"{paid[0]} mc refunded"),
        ("report_answered", "remove"),
    ]
    assert told(second)[-1] == ("licence_ended", f"{paid[1]} mc refunded")
    assert told(owner)[-1] == ("case_decided", "remove")


@pytest.mark.parametrize(
    ("action", "state", "until"),
    [("dismiss", "closed", None), ("warn", "decided", "2026-02-12T12:00:00Z")],
)
def test_what_is_let_pass_leaves_the_asset_as_it_was(action, state, until):
    owner, reporter = account(), account()
    asset = for_sale(owner)
    case = flag(asset, reporter, "spam")["id"]
    decided = decide(case, action)
    assert (decided["state"], decided["appeal_until"]) == (state, until)
    assert (decided["action"], decided["moderator"]) == (action, "mo")
    assert decided["decided_at"] == "2026-02-02T12:00:00Z"
    assert ask("GET", f"/v1/assets/{asset}?viewer_id={reporter}")["status"] == "ok"


def test_a_quarantine_hides_the_asset_and_is_told():
    owner, reporter = account(), account()
    asset = for_sale(owner)
    case = flag(asset, reporter, "copyright")["id"]
    assert decide(case, "quarantine")["state"] == "decided"
    assert ask("GET", f"/v1/assets/{asset}?viewer_id={owner}")["status"] == "quarantined"
    ask("GET", f"/v1/assets/{asset}?viewer_id={reporter}", status=404)
    assert told(reporter)[-1] == ("report_answered", "quarantine")


def test_a_refused_decision_changes_nothing():
    owner, reporter = account(), account()
    asset = for_sale(owner)
    case = flag(asset, reporter, "spam")["id"]
    before = ask("GET", f"/v1/cases/{case}"), told(owner)
    error = decide(case, "remove", 422)["error"]
    assert error == {"code": "action_not_allowed", "message": "allowed here: dismiss, warn"}
    assert (ask("GET", f"/v1/cases/{case}"), told(owner)) == before
    decide(case, "dismiss")
    error = decide(case, "warn", 409)["error"]
    assert error == {"code": "case_not_open", "message": f"case {case} is closed"}
