"""List prices by kind, tier, size, number and duration."""

import os

import httpx
import pytest

URL = f"{os.environ['APP_URL']}/v1/quotes"
client = httpx.Client(timeout=30)


def listed(model: str, tier: str, width: int, height: int, seconds: int, count: int) -> int:
    shape = {"width": width, "height": height, "seconds": seconds, "count": count}
    body = {"model_id": model, "tier": tier, "plan": "hobby", "account_id": "nobody", **shape}
    answer = client.post(URL, json=body)
    assert answer.status_code == 200, answer.text
    quote = answer.json()
    assert quote["total_mc"] == quote["list_mc"]
    return int(quote["list_mc"])


@pytest.mark.parametrize(
    ("model", "tier", "height", "count", "price"),
    [
        ("charcoal-1", "draft", 1024, 7, 1600),
        ("charcoal-1", "draft", 512, 16, 3600),
        ("gouache-2", "draft", 1024, 5, 3570),
        ("gouache-2", "draft", 1025, 8, 7000),
        ("gouache-2", "standard", 1024, 3, 3750),
        ("gouache-2", "standard", 1025, 7, 20800),
        ("gouache-2", "standard", 1024, 9, 10000),
        ("gouache-2", "fine", 1024, 4, 9500),
        ("gouache-2", "fine", 1025, 8, 39400),
        ("fresco-xl", "standard", 64, 1, 2350),
        ("fresco-xl", "standard", 1025, 4, 22150),
        ("fresco-xl", "standard", 1025, 3, 17500),
        ("fresco-xl", "fine", 1024, 5, 22150),
        ("fresco-xl", "fine", 1025, 16, 157300),
    ],
)
def test_an_image_costs_by_tier_size_and_number(
    model: str, tier: str, height: int, count: int, price: int
) -> None:
    assert listed(model, tier, 1024, height, 0, count) == price


@pytest.mark.parametrize(
    ("model", "tier", "side", "seconds", "count", "price"),
    [
        ("zoetrope-1", "draft", 720, 1, 1, 1300),
        ("zoetrope-1", "draft", 721, 3, 2, 3800),
        ("zoetrope-1", "standard", 720, 10, 1, 9000),
        ("zoetrope-1", "standard", 721, 11, 1, 16600),
        ("zoetrope-1", "standard", 721, 20, 3, 108000),
        ("lantern-3", "draft", 720, 2, 1, 2700),
        ("lantern-3", "draft", 721, 13, 1, 19000),
        ("lantern-3", "standard", 720, 1, 16, 59900),
        ("lantern-3", "standard", 721, 11, 4, 137700),
        ("lantern-3", "fine", 720, 10, 8, 299200),
        ("lantern-3", "fine", 721, 60, 1, 476900),
        ("lantern-3", "fine", 720, 37, 2, 377800),
    ],
)
def test_a_video_costs_by_tier_size_duration_and_number(
    model: str, tier: str, side: int, seconds: int, count: int, price: int
) -> None:
    assert listed(model, tier, side, 1000, seconds, count) == price


def test_a_tier_that_a_model_has_not_is_refused_before_its_price_is_asked() -> None:
    body = {"model_id": "charcoal-1", "tier": "fine", "width": 64, "height": 64, "count": 1}
    answer = client.post(URL, json={**body, "plan": "hobby", "account_id": "nobody"})
    error = {"code": "tier_not_offered", "message": "charcoal-1 has no fine tier"}
    assert (answer.status_code, answer.json()) == (422, {"error": error})
