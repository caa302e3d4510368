"""Quiet hours, around midnight too, and what is told in them."""

import os
from typing import Any

import httpx
import pytest

client = httpx.Client(base_url=os.environ["APP_URL"], timeout=30)
ORDER = {"model_id": "gouache-2", "tier": "draft", "width": 64, "height": 64, "count": 1}


def ask(method: str, path: str, body: Any = None, status: int = 200, at: str = "12:00:00") -> Any:
    headers = {"X-Clock": f"2026-02-02T{at}Z"}
    answer = client.request(method, path, json=body, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()


def account(plan: str = "hobby", bought: int = 100) -> str:
    opened = str(ask("POST", "/v1/accounts", {"name": "Ida", "plan": plan}, 201)["id"])
    ask("POST", f"/v1/accounts/{opened}/top-ups", {"credits": bought, "reference": "first"})
    return opened


def prefer(owner: str, **wishes: Any) -> Any:
    return ask("PUT", f"/v1/preferences/{owner}", wishes)


def told_at(owner: str, at: str) -> tuple[str, str]:
    """State and delivery of what an order brings about."""
    ask("POST", "/v1/jobs", {"account_id": owner, **ORDER, "prompt": "a mill"}, 201, at)
    found = ask("GET", f"/v1/notifications?account_id={owner}&limit=100")["items"][-1]
    return found["state"], found["deliver_at"]


@pytest.mark.parametrize(
    ("hours", "at", "state", "delivered"),
    [
        ((22, 7), "21:59:59", "sent", "2026-02-02T21:59:59Z"),
        ((22, 7), "22:00:00", "deferred", "2026-02-03T07:00:00Z"),
        ((22, 7), "06:59:59", "deferred", "2026-02-02T07:00:00Z"),
        ((22, 7), "07:00:00", "sent", "2026-02-02T07:00:00Z"),
        ((9, 17), "08:59:59", "sent", "2026-02-02T08:59:59Z"),
        ((9, 17), "09:00:00", "deferred", "2026-02-02T17:00:00Z"),
        ((9, 17), "16:59:59", "deferred", "2026-02-02T17:00:00Z"),
        ((9, 17), "17:00:00", "sent", "2026-02-02T17:00:00Z"),
        ((5, 5), "05:00:00", "sent", "2026-02-02T05:00:00Z"),
        ((23, 0), "23:30:00", "deferred", "2026-02-03T00:00:00Z"),
        ((0, 23), "23:00:00", "sent", "2026-02-02T23:00:00Z"),
    ],
)
def test_what_comes_in_quiet_hours_waits_for_their_end(hours, at, state, delivered):
    owner = account()
    prefer(owner, quiet_from=hours[0], quiet_until=hours[1])
    assert told_at(owner, at) == (state, delivered)


def test_both_hours_are_kept_and_shown_under_their_names():
    owner = account()
    shown = {"account_id": owner, "channel": "immediate", "muted": []}
    assert ask("GET", f"/v1/preferences/{owner}") == {**shown, "quiet_from": 22, "quiet_until": 7}
    kept = {**shown, "quiet_from": 4, "quiet_until": 7}
    assert prefer(owner, quiet_from=4) == kept
    assert ask("GET", f"/v1/preferences/{owner}") == kept


@pytest.mark.parametrize("hour", [-1, 24, "7"])
def test_other_hours_are_refused_as_before(hour):
    owner = account()
    refused = ask("PUT", f"/v1/preferences/{owner}", {"quiet_until": hour}, 422)
    assert refused["error"]["code"] == "invalid_request"
