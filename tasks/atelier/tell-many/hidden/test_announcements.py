"""Who is told what, alone or with others."""

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


def flag(asset: str, reporter: str, category: str) -> Any:
    body = {"asset_id": asset, "reporter_id": reporter, "category": category}
    return ask("POST", "/v1/flags", body)


def decide(case: str, action: str, status: int = 200) -> Any:
    body = {"moderator": "mo", "action": action}
    return ask("POST", f"/v1/cases/{case}/decision", body, status)


def told(owner: str) -> list[tuple[str, str]]:
    items = ask("GET", f"/v1/notifications?account_id={owner}&limit=100")["items"]
    return [(each["kind"], each["text"]) for each in items]


def test_everybody_who_reported_is_told_the_same_and_the_owner_something_else():
    owner, reporters = account(), [account() for _ in range(3)]
    asset = for_sale(owner)
    cases = {flag(asset, reporter, "spam")["id"] for reporter in reporters}
    assert len(cases) == 1
    decide(cases.pop(), "dismiss")
    assert told(owner)[-1] == ("case_decided", "dismiss")
    assert [kind for kind, _ in told(owner)].count("report_answered") == 0
    for reporter in reporters:
        assert told(reporter) == [("report_answered", "dismiss")]


def test_each_is_told_by_their_own_preferences():
    owner, muted, late = account(), account(), account()
    asset = for_sale(owner)
    ask("PUT", f"/v1/preferences/{muted}", {"muted": ["report_answered"]})
    ask("PUT", f"/v1/preferences/{late}", {"quiet_from": 12, "quiet_until": 15})
    for reporter in (muted, late):
        case = flag(asset, reporter, "copyright")["id"]
    decide(case, "warn")
    states = []
    for reporter in (muted, late, owner):
        found = ask("GET", f"/v1/notifications?account_id={reporter}&limit=100")["items"][-1]
        assert found["subject"] == asset
        states.append((found["kind"], found["state"], found["deliver_at"]))
    assert states == [
        ("report_answered", "muted", "2026-02-02T12:00:00Z"),
        ("report_answered", "deferred", "2026-02-02T15:00:00Z"),
        ("case_decided", "sent", "2026-02-02T12:00:00Z"),
    ]


@pytest.mark.parametrize("buyers", [0, 1])
def test_an_owner_hears_of_jobs_and_sales_in_order(buyers):
    owner = account()
    asset = for_sale(owner)
    for _ in range(buyers):
        body = {"buyer_id": account()}
        ask("POST", f"/v1/assets/{asset}/licences", body, 201)
    kinds = [kind for kind, _ in told(owner)]
    assert kinds == ["job_queued", "job_done", *["licence_sold"] * buyers]
