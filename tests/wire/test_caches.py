"""Caches: what is asked for, what was written for how long, and what that costs."""

from typing import Any

import pytest

from harness.config import CacheLifetime, ModelConfig, PriceConfig, TierConfig
from harness.errors import BadInput
from harness.llm import Message, Text, Usage
from harness.llm.prices import Price, Tier
from harness.llm.settings import price_of
from tests.wire.asking import ASK, Open, user
from tests.wire.moves import Say, Tokens

TELLING = pytest.mark.parametrize("wire", ["anthropic", "openai-responses"])
WRITTEN = Say("a", tokens=Tokens(7, 3, 10, 9, long=4))
LONG = CacheLifetime.long


def test_breakpoints_move_with_the_conversation(play: Open, wire: str) -> None:
    model, server, _ = play(Say("1"), Say("2"), Say("3"))
    messages: tuple[Message, ...] = ASK.messages
    for _ in range(3):
        said = model.answer(ASK.model_copy(update={"messages": messages}), deadline=10)
        messages = (*messages, said.message, user(Text(text="more")))
    marked = [_marks(body) for body in server.ledger.requests]
    if wire == "anthropic":
        assert marked == [["system", 0], ["system", 0, 2], ["system", 2, 4]]
    else:
        assert marked == [[], [], []]


@TELLING
def test_writes_are_told_apart_by_how_long_they_live(play: Open) -> None:
    model, _, _ = play(WRITTEN)
    usage = model.answer(ASK, deadline=10).usage
    assert usage == Usage(fresh_input=7, cache_read=3, cache_write=10, cache_write_long=4, output=9)
    assert usage.input_tokens == 20
    assert (usage + usage).cache_write_long == 8


@TELLING
@pytest.mark.parametrize(("cache", "long"), [(CacheLifetime.short, 0), (LONG, 10)])
def test_a_server_that_does_not_tell_wrote_what_was_asked(
    play: Open, cache: CacheLifetime, long: int
) -> None:
    silent = Say("a", tokens=Tokens(write=10), missing_usage=("split",))
    model, _, _ = play(silent, cache=cache)
    usage = model.answer(ASK, deadline=10).usage
    assert (usage.cache_write, usage.cache_write_long) == (10, long)


@TELLING
def test_a_part_is_never_more_than_the_whole(play: Open) -> None:
    model, _, _ = play(Say("a", tokens=Tokens(write=3, long=9)))
    assert model.answer(ASK, deadline=10).usage.cache_write_long == 3


@pytest.mark.parametrize(
    ("wire", "cache", "told"),
    [
        ("anthropic", "none", []),
        ("anthropic", "short", [{"type": "ephemeral"}] * 2),
        ("anthropic", "long", [{"type": "ephemeral", "ttl": "1h"}] * 2),
        ("openai-responses", "none", [{"mode": "explicit"}]),
        ("openai-responses", "short", []),
        ("openai-responses", "long", [{"ttl": "12h"}]),
        ("openai-chat", "none", [{"mode": "explicit"}]),
        ("openai-chat", "short", []),
    ],
)
def test_a_lifetime_is_asked_for_in_the_words_of_the_wire(
    play: Open, cache: str, told: list[dict[str, str]]
) -> None:
    model, server, _ = play(Say("a"), cache=CacheLifetime(cache))
    model.answer(ASK, deadline=10)
    assert list(_options(server.ledger.requests[0])) == told


@pytest.mark.parametrize("wire", ["openai-chat"])
def test_a_wire_without_a_long_lifetime_says_so(play: Open) -> None:
    with pytest.raises(BadInput, match=r"models\.scripted\.cache=long: openai-chat"):
        play(cache=LONG)


def test_each_lifetime_has_its_price() -> None:
    price = Price((Tier(3.0, 0.3, 3.75, 15.0, cache_write_long=6.0),), "test", "2026-01-01")
    usage = Usage(fresh_input=100, cache_read=10, cache_write=30, cache_write_long=20, output=5)
    assert price.of(usage) == pytest.approx((300 + 3 + 37.5 + 120 + 75) / 1e6)


def test_a_write_without_a_price_makes_the_cost_unknown() -> None:
    price = Price((Tier(3.0, 0.3, 3.75, 15.0),), "test", "2026-01-01")
    assert price.of(Usage(cache_write=10)) == pytest.approx(37.5e-6)
    assert price.of(Usage(cache_write=10, cache_write_long=1)) is None


@pytest.mark.parametrize(("cache", "dearest"), [("none", 3.0), ("short", 3.75), ("long", 6.0)])
def test_the_most_that_a_request_can_cost_is_by_what_is_asked(cache: str, dearest: float) -> None:
    config = _priced(cache_write_long=6.0)
    config.cache = CacheLifetime(cache)
    price = price_of(config)
    assert price is not None
    assert price.most(1000, 10) == pytest.approx((1000 * dearest + 10 * 15) / 1e6)


def test_a_long_lifetime_needs_a_price_for_it() -> None:
    config = _priced(cache_write_long=None)
    config.cache = LONG
    with pytest.raises(BadInput, match=r"cache=long: price\.tiers lack cache_write_long"):
        price_of(config)


def _priced(cache_write_long: float | None) -> ModelConfig:
    tier = TierConfig(3.0, 0.3, 3.75, 15.0, cache_write_long=cache_write_long)
    price = PriceConfig([tier], "test", "2026-01-01")
    return ModelConfig(wire="anthropic", model="m", context_tokens=10, price=price)


def _marks(body: dict[str, Any]) -> list[object]:
    """Where a request has breakpoints."""
    system = ["system"] if "cache_control" in str(body.get("system", "")) else []
    told = body.get("messages", [])
    return system + [n for n, m in enumerate(told) if "cache_control" in str(m["content"])]


def _options(body: dict[str, Any]) -> Any:
    if "prompt_cache_options" in body:
        yield body["prompt_cache_options"]
    blocks = [body["system"], *(m["content"] for m in body["messages"])] if "system" in body else []
    yield from (b["cache_control"] for part in blocks for b in part if "cache_control" in b)
