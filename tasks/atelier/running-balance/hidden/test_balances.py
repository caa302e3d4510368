"""Balances at many times on the clock, with credits that expire."""

import itertools
import os
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

START = datetime(2026, 5, 4, 9, tzinfo=UTC)
IMAGE = {"model_id": "gouache-2", "tier": "standard", "width": 512, "height": 512}
DEAR = {"model_id": "fresco-xl", "tier": "fine", "width": 1024, "height": 1025}
numbers = itertools.count()
client = httpx.Client(base_url=os.environ["APP_URL"], timeout=30)


def ask(method: str, path: str, day: float, body: Any = None, status: int = 200) -> Any:
    at = (START + timedelta(days=day)).strftime("%Y-%m-%dT%H:%M:%SZ")
    answer = client.request(method, path, json=body, headers={"X-Clock": at})
    assert answer.status_code == status, answer.text
    return answer.json()


def open_account() -> str:
    return str(ask("POST", "/v1/accounts", 0, {"name": "Bo", "plan": "hobby"}, 201)["id"])


def top_up(owner: str, bought: int, day: float) -> None:
    body = {"credits": bought, "reference": f"kept-{next(numbers)}"}
    ask("POST", f"/v1/accounts/{owner}/top-ups", day, body)


def submit(
    owner: str, count: int, day: float, work: dict[str, Any] = IMAGE, status: int = 201
) -> Any:
    body = {"account_id": owner, **work, "prompt": "a mill", "count": count}
    return ask("POST", "/v1/jobs", day, body, status)


def finish(job: Any, day: float) -> Any:
    """The job once it is done; other jobs that are in the way are claimed and left."""
    for _ in range(1_000):
        claim = {"worker": "kept", "kinds": ["image"]}
        found = ask("POST", "/v1/queue/claim", day, claim)["job"]
        assert found is not None
        if found["id"] == job["id"]:
            done = {"worker": "kept", "delivered": job["count"]}
            return ask("POST", f"/v1/jobs/{job['id']}/complete", day, done)
    raise AssertionError("the job was not given out")


def settled(owner: str, day: float) -> int:
    return int(ask("GET", f"/v1/accounts/{owner}/balance", day)["settled_mc"])


def test_a_balance_can_be_asked_for_at_any_time_and_in_any_order() -> None:
    owner = open_account()
    for day in (0, 10, 20):
        top_up(owner, 1_000, day)
    expected = {-1: 3_150_000, 25: 3_150_000, 30: 3_100_000, 40: 3_050_000, 50: 3_000_000}
    for day in (50, -1, 40, 25, 30, 50, 25):
        assert settled(owner, day) == expected[day]


def test_what_had_expired_when_an_entry_came_is_lost_for_good() -> None:
    owner = open_account()
    top_up(owner, 600, 0)
    assert settled(owner, 30) == 600_000
    assert settled(owner, 29) == 630_000
    top_up(owner, 1, 30)
    assert settled(owner, 29) == 601_000


def test_a_payment_takes_what_expires_first_and_shows_in_job_and_ledger() -> None:
    owner = open_account()
    top_up(owner, 500, 1)
    top_up(owner, 500, 0)
    job = finish(submit(owner, 16, 2), 2)
    assert (job["charged_mc"], job["charged_mc"] > 0) == (job["hold_mc"], True)
    assert ask("GET", f"/v1/jobs/{job['id']}", 3)["charged_mc"] == job["charged_mc"]
    ledger = ask("GET", f"/v1/accounts/{owner}/ledger", 3)["items"]
    assert [entry["kind"] for entry in ledger] == ["topup", "bonus", "topup", "bonus", "capture"]
    assert ledger[-1]["amount_mc"] == -job["charged_mc"]
    assert settled(owner, 3) == 1_050_000 - job["charged_mc"]
    assert settled(owner, 30) == 1_025_000
    assert settled(owner, 31) == 1_000_000


@pytest.mark.parametrize(("bought", "left"), [(6, -1_400), (8, 600)])
def test_a_debt_is_repaid_by_the_next_credits(bought: int, left: int) -> None:
    owner = open_account()
    top_up(owner, 500, 0)
    jobs = [submit(owner, 16, 1, DEAR) for _ in range(3)]
    jobs += [submit(owner, 16, 1) for _ in range(2)]
    assert sum(job["hold_mc"] for job in jobs) == 509_400
    for job in jobs:
        finish(job, 40)
    assert settled(owner, 41) == -9_400
    top_up(owner, 2, 41)
    assert settled(owner, 41) == -7_400
    top_up(owner, bought, 42)
    assert settled(owner, 42) == left
    assert settled(owner, 0) == left


def test_a_refused_request_leaves_the_balance_as_it_was() -> None:
    owner = open_account()
    top_up(owner, 2, 0)
    before = ask("GET", f"/v1/accounts/{owner}/balance", 1)
    submit(owner, 16, 1, status=402)
    body = {"credits": 3, "reference": f"kept-{next(numbers) - 1}"}
    ask("POST", f"/v1/accounts/{owner}/top-ups", 1, body, 409)
    assert ask("GET", f"/v1/accounts/{owner}/balance", 1) == before
