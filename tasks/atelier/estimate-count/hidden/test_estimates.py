"""Estimates of whole orders, and the fees that rest on them."""

import os

import httpx
import pytest

client = httpx.Client(base_url=os.environ["APP_URL"], timeout=30)
VIDEO = {"model_id": "lantern-3", "tier": "standard", "width": 720, "height": 720, "seconds": 5}
IMAGE = {"model_id": "gouache-2", "tier": "standard", "width": 512, "height": 512}


def ask(method, path, body=None, status=200, at="12:00:00"):
    headers = {"X-Clock": f"2026-02-02T{at}Z"}
    answer = client.request(method, path, json=body, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()


def submit(work, count):
    owner = ask("POST", "/v1/accounts", {"name": "Eve", "plan": "hobby"}, 201)["id"]
    ask("POST", f"/v1/accounts/{owner}/top-ups", {"credits": 400, "reference": "first"})
    order = {"account_id": owner, **work, "count": count, "prompt": "a mill by a brook"}
    return ask("POST", "/v1/jobs", order, 201)


def run(job):
    for _ in range(200):
        wish = {"worker": "wim", "kinds": [job["kind"]]}
        claimed = ask("POST", "/v1/queue/claim", wish)["job"]
        if claimed is None or claimed["id"] == job["id"]:
            return


def cancel(job, at):
    return ask("POST", f"/v1/jobs/{job['id']}/cancel", {"account_id": job["account_id"]}, at=at)


@pytest.mark.parametrize(
    ("work", "count", "estimate"),
    [(VIDEO, 1, 80), (VIDEO, 3, 240), (VIDEO, 16, 1_280), (IMAGE, 1, 14), (IMAGE, 5, 70)],
)
def test_an_estimate_is_for_the_whole_order(work, count, estimate):
    wanted = {**work, "count": count, "plan": "hobby", "account_id": "nobody"}
    assert ask("POST", "/v1/quotes", wanted)["estimate_s"] == estimate
    job = submit(work, count)
    assert job["estimate_s"] == estimate
    assert cancel(job, "12:00:00")["charged_mc"] == 0


@pytest.mark.parametrize(
    ("at", "fee"),
    [
        ("12:00:59", 8_430),
        ("12:01:00", 16_860),
        ("12:02:59", 16_860),
        ("12:03:00", 28_100),
    ],
)
def test_the_fee_of_a_running_video_rests_on_the_whole_estimate(at, fee):
    job = submit(VIDEO, 3)
    assert job["hold_mc"] == 28_100
    run(job)
    cancelled = cancel(job, at)
    assert (cancelled["state"], cancelled["charged_mc"]) == ("cancelled", fee)
    assert cancelled["estimate_s"] == 240
