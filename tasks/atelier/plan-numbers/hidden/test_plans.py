"""What a plan means, whoever asks, and as often as it is asked."""

import os
from typing import Any

import httpx
import pytest

client = httpx.Client(base_url=os.environ["APP_URL"], timeout=30)
PLANS = ["hobby", "plus", "studio"]
IMAGE = {"model_id": "gouache-2", "tier": "standard", "width": 512, "height": 512, "count": 1}


def ask(method: str, path: str, body: Any = None, status: int = 200) -> Any:
    headers = {"X-Clock": "2026-02-02T12:00:00Z"}
    answer = client.request(method, path, json=body, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()


def account(plan: str, bought: int = 100) -> str:
    opened = str(ask("POST", "/v1/accounts", {"name": "Eve", "plan": plan}, 201)["id"])
    ask("POST", f"/v1/accounts/{opened}/top-ups", {"credits": bought, "reference": "first"})
    return opened


def submit(owner: str, status: int = 201, **more: Any) -> Any:
    body = {"account_id": owner, **IMAGE, "prompt": "a mill by a brook", **more}
    return ask("POST", "/v1/jobs", body, status)


def claimed(owner: str) -> list[str]:
    """The jobs of an account that are given out; those of others are claimed and left."""
    found = []
    for _ in range(500):
        job = ask("POST", "/v1/queue/claim", {"worker": "wim", "kinds": ["image"]})["job"]
        if job is None:
            return found
        if job["account_id"] == owner:
            found.append(str(job["id"]))
    raise AssertionError("the queue has no end")


def for_sale(owner: str) -> str:
    job = submit(owner)["id"]
    assert claimed(owner) == [job]
    done = ask("POST", f"/v1/jobs/{job}/complete", {"worker": "wim", "delivered": 1})
    wish = {"account_id": owner, "visibility": "public", "offer": "personal"}
    return str(ask("PUT", f"/v1/assets/{done['assets'][0]}/publication", wish)["id"])


@pytest.mark.parametrize("plan", PLANS)
def test_an_account_shows_the_word_of_its_plan_each_time(plan: str) -> None:
    opened = ask("POST", "/v1/accounts", {"name": "Ann", "plan": plan}, 201)
    assert opened == {
        "id": opened["id"],
        "name": "Ann",
        "plan": plan,
        "created_at": "2026-02-02T12:00:00Z",
    }
    for _ in range(3):
        assert ask("GET", f"/v1/accounts/{opened['id']}") == opened


@pytest.mark.parametrize(("plan", "held"), [*zip(PLANS, [1_250, 1_190, 1_090], strict=True)])
def test_jobs_know_the_word_the_first_time_and_later(plan: str, held: int) -> None:
    owner = account(plan)
    for _ in range(3):
        job = submit(owner)
        assert (job["plan"], job["hold_mc"]) == (plan, held)
        assert ask("GET", f"/v1/jobs/{job['id']}")["plan"] == plan
    listed = ask("GET", f"/v1/jobs?account_id={owner}")["items"]
    assert [each["plan"] for each in listed] == [plan] * 3


@pytest.mark.parametrize(("plan", "status"), [*zip(PLANS, [403, 201, 201], strict=True)])
def test_only_paid_plans_may_hurry(plan: str, status: int) -> None:
    owner = account(plan)
    for _ in range(2):
        answer = submit(owner, status, priority="high")
        if status == 403:
            assert answer["error"]["code"] == "priority_not_in_plan"


@pytest.mark.parametrize(("plan", "at_once"), [*zip(PLANS, [1, 3, 8], strict=True)])
def test_a_plan_says_how_much_runs_at_once(plan: str, at_once: int) -> None:
    owner = account(plan)
    for _ in range(9):
        submit(owner)
    assert len(claimed(owner)) == at_once


@pytest.mark.parametrize(("plan", "paid"), [*zip(PLANS, [2_050, 1_950, 1_790], strict=True)])
def test_a_plan_saves_on_licences(plan: str, paid: int) -> None:
    buyer = account(plan)
    for _ in range(2):
        asset = for_sale(account("hobby"))
        licence = ask("POST", f"/v1/assets/{asset}/licences", {"buyer_id": buyer}, 201)
        assert licence["paid_mc"] == paid


@pytest.mark.parametrize("plan", PLANS)
def test_who_reports_is_looked_up_as_often_as_they_report(plan: str) -> None:
    reporter = account(plan)
    for _ in range(2):
        body = {"asset_id": for_sale(account("plus")), "reporter_id": reporter, "category": "spam"}
        assert ask("POST", "/v1/flags", body)["reporters"] == [reporter]
    assert ask("GET", f"/v1/accounts/{reporter}")["plan"] == plan


def test_other_plans_and_numbers_are_refused() -> None:
    for plan in ("gold", 1, "1", None):
        answer = ask("POST", "/v1/accounts", {"name": "Eve", "plan": plan}, 422)
        assert answer["error"]["code"] == "invalid_request"
