"""What promotions save, on quotes and on jobs, and how often."""

import os
from typing import Any

import httpx
import pytest

client = httpx.Client(base_url=os.environ["APP_URL"], timeout=30)
IMAGE = {"model_id": "gouache-2", "tier": "standard", "width": 512, "height": 512}
VIDEO = {"model_id": "lantern-3", "tier": "standard", "width": 640, "height": 640}


def ask(method: str, path: str, body: Any = None, status: int = 200, year: int = 2026) -> Any:
    headers = {"X-Clock": f"{year}-02-02T12:00:00Z"}
    answer = client.request(method, path, json=body, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()


def account(plan: str = "hobby", bought: int = 100) -> str:
    opened = str(ask("POST", "/v1/accounts", {"name": "Eve", "plan": plan}, 201)["id"])
    ask("POST", f"/v1/accounts/{opened}/top-ups", {"credits": bought, "reference": "first"})
    return opened


def quote(owner: str, code: str, work: dict[str, Any], plan: str = "hobby", **told: Any) -> Any:
    body = {**work, "plan": plan, "account_id": owner, "code": code}
    return ask("POST", "/v1/quotes", body, **told)


def submit(owner: str, code: str, work: dict[str, Any], status: int = 201, **more: Any) -> Any:
    body = {"account_id": owner, **work, "prompt": "a mill", "code": code, **more}
    return ask("POST", "/v1/jobs", body, status)


@pytest.mark.parametrize(
    ("code", "work", "plan", "saved"),
    [
        ("FIRSTLIGHT", {**IMAGE, "count": 1}, "hobby", 380),
        ("FIRSTLIGHT", {**IMAGE, "count": 1}, "plus", 360),
        ("FIRSTLIGHT", {**VIDEO, "count": 1, "seconds": 2}, "studio", 1_000),
        ("LOYAL5", {**IMAGE, "count": 1}, "plus", 60),
        ("LOYAL5", {**IMAGE, "tier": "draft", "count": 1}, "hobby", 0),
        ("REELS2", {**VIDEO, "count": 1, "seconds": 4}, "hobby", 2_000),
        ("REELS2", {**VIDEO, "count": 1, "seconds": 3}, "hobby", 0),
        ("REELS2", {**IMAGE, "count": 8}, "hobby", 0),
        ("OLDMASTER", {**IMAGE, "count": 1}, "hobby", 0),
    ],
)
def test_a_quote_names_what_a_promotion_saves(code, work, plan, saved):
    told = quote(account(), code, work, plan)
    assert told["promotion_mc"] == saved
    assert told["promotion"] == (code if saved else None)
    assert told["total_mc"] == told["list_mc"] - told["plan_mc"] - saved


def test_a_promotion_that_is_over_still_had_its_time():
    work = {**IMAGE, "count": 2}
    assert quote(account(), "OLDMASTER", work, year=2024)["promotion_mc"] == 630
    assert quote(account(), "OLDMASTER", work, year=2025)["promotion_mc"] == 0


def test_everybody_has_uses_of_their_own_and_a_quote_is_none():
    one, other, work = account(), account(), {**IMAGE, "count": 1}
    for _ in range(2):
        assert quote(one, "FIRSTLIGHT", work)["promotion_mc"] == 380
    job = submit(one, "FIRSTLIGHT", work)
    assert (job["promotion"], job["hold_mc"]) == ("FIRSTLIGHT", 870)
    again = submit(one, "FIRSTLIGHT", work)
    assert (again["promotion"], again["code"], again["hold_mc"]) == (None, "FIRSTLIGHT", 1_250)
    assert quote(one, "FIRSTLIGHT", work)["promotion"] is None
    assert quote(one, "LOYAL5", work)["promotion"] == "LOYAL5"
    assert quote(other, "FIRSTLIGHT", work)["promotion_mc"] == 380
    assert submit(other, "FIRSTLIGHT", work)["promotion"] == "FIRSTLIGHT"


def test_a_promotion_lasts_as_often_as_it_may_be_used():
    owner, work = account(bought=200), {**VIDEO, "count": 1, "seconds": 4}
    used = [submit(owner, "REELS2", work)["promotion"] for _ in range(4)]
    assert used == ["REELS2", "REELS2", "REELS2", None]


def test_a_job_that_is_refused_or_saves_nothing_is_no_use():
    poor, work = account(bought=1), {**IMAGE, "count": 4}
    submit(poor, "FIRSTLIGHT", work, 402)
    assert quote(poor, "FIRSTLIGHT", work)["promotion"] == "FIRSTLIGHT"
    submit(poor, "FIRSTLIGHT", {**IMAGE, "count": 1}, 422, prompt="a passport")
    submit(poor, "OLDMASTER", {**IMAGE, "tier": "draft", "count": 1})
    assert quote(poor, "FIRSTLIGHT", work)["promotion"] == "FIRSTLIGHT"


@pytest.mark.parametrize(
    ("work", "code", "status", "refused"),
    [
        ({**IMAGE, "count": 1}, "NOSUCH", 404, ("unknown_promotion", "no promotion NOSUCH")),
        (
            {**IMAGE, "model_id": "crayon", "count": 1},
            "NOSUCH",
            404,
            ("unknown_model", "no model crayon"),
        ),
        (
            {**IMAGE, "seconds": 3, "count": 1},
            "NOSUCH",
            422,
            ("bad_duration", "gouache-2 makes no video"),
        ),
    ],
)
def test_refusals_keep_their_words_and_order(work, code, status, refused):
    owner = account()
    for answer in (
        quote(owner, code, work, status=status),
        submit(owner, code, work, status, prompt="a passport"),
    ):
        assert (answer["error"]["code"], answer["error"]["message"]) == refused
