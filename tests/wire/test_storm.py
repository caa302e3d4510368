"""A storm: hundreds of calls, a fifth of them failing; every token is accounted for."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from statistics import fmean
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.agents import AgentReport
from harness.agents.conversation import Conversation
from harness.agents.session import Limits, Session, Spend
from harness.config import AgentKind, CacheLifetime, ModelConfig, PriceConfig, TierConfig
from harness.errors import ModelFailed
from harness.llm import Message, Text
from harness.llm.prices import Price
from harness.llm.settings import open_model, price_of
from harness.rows import Facts, _calls, _spent
from tests.wire.moves import Say, Tokens
from tests.wire.server import scripted
from tests.wire.storm import COLUMNS, gust

CALLS, THREADS, PLACES = 180, 6, 4
TIER = TierConfig(
    fresh_input=3.0, cache_read=0.3, cache_write=3.75, cache_write_long=6.0, output=15.0
)
ROW = tuple(name for name in COLUMNS if name != "long")
"""What a trial's row tells; the long-lived part of the cache writes only its calls' records do."""
FACTS = cast("Facts", SimpleNamespace(cell=SimpleNamespace(trial_id="t"), attempt=1))


@pytest.mark.parametrize("wire", ["anthropic", "openai-responses", "openai-chat"])
def test_every_token_of_a_storm_is_in_the_records(wire: str) -> None:
    price = PriceConfig(tiers=[TIER], source="test", date="2026-01-01")
    with scripted(gust) as server:
        config = ModelConfig(
            wire=wire,
            model="m",
            context_tokens=100_000,
            base_url=server.base_url(wire),
            price=price,
            max_concurrency=PLACES,
            cache=CacheLifetime.short if wire == "openai-chat" else CacheLifetime.long,
        )
        model = open_model("m", config, sleep=lambda _: None)
        spend = Spend()
        sessions = [
            Session(model, price_of(config), Limits(turns=1000), spend) for _ in range(THREADS)
        ]
        with ThreadPoolExecutor(THREADS) as pool:
            failed = sum(pool.map(_talk, sessions))
        model.close()
    asked = AgentReport("", calls=tuple(call for session in sessions for call in session.calls))
    calls = _calls(FACTS, asked)
    assert 1 < server.ledger.most_at_once <= PLACES
    assert len(calls) == CALLS
    assert failed == sum(call.stop is None for call in calls)
    ours: Counter[str] = Counter()
    for call in calls:
        ours.update({name: getattr(call, f"{word}_tokens") for name, word in COLUMNS.items()})
    assert ours == server.ledger.told
    assert (ours["long"] == 0) == (wire == "openai-chat")
    assert len(server.ledger.requests) == sum(call.tries for call in calls) > CALLS * 1.15
    told = server.ledger.told
    dollars = told["fresh"] * 3 + told["read"] * 0.3 + told["output"] * 15
    dollars += (told["write"] - told["long"]) * 3.75 + told["long"] * 6
    held = sum(_held(session, price_of(config)) for session in sessions)
    assert held > 0
    assert spend.spent["usd"] == pytest.approx(dollars / 1e6 + held)
    assert sum(s.cost_usd or 0 for s in sessions) == pytest.approx(dollars / 1e6)
    row = _spent(asked, AgentKind.tool_loop)
    assert {name: row[f"{COLUMNS[name]}_tokens"] for name in ROW} == {n: told[n] for n in ROW}
    assert row["input_tokens"] == told["fresh"] + told["read"] + told["write"]
    assert row["cost_usd"] == pytest.approx(dollars / 1e6)
    sizes = [call.context_tokens for call in calls]
    assert row["peak_context_tokens"] == max(sizes)
    assert row["mean_context_tokens"] == pytest.approx(fmean(sizes))
    assert (row["model_calls"], row["compactions"]) == (CALLS, 0)


def test_the_row_of_a_trial_is_what_its_calls_took_together() -> None:
    """Two of four calls compact; the third is tried twice, and paid for twice."""
    row = _row_of(TIER, long=10)
    assert row == {
        "agent_ending": None,
        "model_calls": 4,
        "tool_calls": 0,
        "input_tokens": 2000,
        "fresh_input_tokens": 1000,
        "cache_read_tokens": 600,
        "cache_write_tokens": 400,
        "output_tokens": 75,
        "reasoning_tokens": 13,
        "compactions": 2,
        "peak_context_tokens": 700,
        "mean_context_tokens": (700 + 500 + 350 + 250) / 4,
        "edits_applied": 0,
        "edits_failed": 0,
        # 1000 fresh, 600 read, 390 written for a short and 10 for a long time, 75 made
        "cost_usd": pytest.approx((3000 + 180 + 1462.5 + 60 + 1125) / 1e6),
    }


def test_the_row_of_a_trial_has_no_cost_where_one_call_has_no_price() -> None:
    """The first alone writes to a long-lived cache, and that has no price here."""
    unpriced = replace(TIER, cache_write_long=None)
    assert _row_of(unpriced, long=0)["cost_usd"] == pytest.approx((3000 + 180 + 1500 + 1125) / 1e6)
    assert _row_of(unpriced, long=10)["cost_usd"] is None


def test_what_a_patch_made_elsewhere_cost_is_not_known() -> None:
    """No call is made for it, nor for what a control plays: that costs nothing."""
    assert _spent(AgentReport(""), AgentKind.predictions)["cost_usd"] is None
    assert _spent(AgentReport(""), AgentKind.oracle)["cost_usd"] == 0


def _row_of(tier: TierConfig, long: int) -> dict[str, Any]:
    """What a row tells of a conversation that its third and fourth question make too long."""
    moves = [
        Say("a", tokens=Tokens(400, 100, 200, 20, reasoning=4, long=long)),
        Say("b", tokens=Tokens(250, 150, 100, 30, reasoning=6)),
        Say("c", broken=True, tokens=Tokens(100, 50, 50, 5, reasoning=1)),
        Say("c", tokens=Tokens(150, 150, 50, 10, reasoning=2)),
        Say("d", tokens=Tokens(100, 150, 0, 10)),
    ]
    price = PriceConfig(tiers=[tier], source="test", date="2026-01-01")
    with scripted(moves) as server:
        base = server.base_url("anthropic")
        config = ModelConfig(
            wire="anthropic", model="m", context_tokens=100_000, base_url=base, price=price
        )
        model = open_model("m", config, sleep=lambda _: None)
        session = Session(model, price_of(config), Limits())
        talk = Conversation("s", (), 2000, 64)
        for size in (90, 900, 4500, 5000):
            talk.say(Message(role="user", parts=(Text(text="x" * size),)))
            session.ask(talk)
        model.close()
    return _spent(AgentReport("", calls=tuple(session.calls)), AgentKind.tool_loop)


def _held(session: Session, price: Price | None) -> float:
    """USD that a study holds back for tries of which no server reported what they used."""
    assert price is not None
    talks = [_question(number) for number in range(len(session.calls))]
    most = [price.most(talk.estimate(talk.request()), 64) for talk in talks]
    silent = [sum(not one.usage_reported for one in call.tries) for call in session.calls]
    return sum(times * usd for times, usd in zip(silent, most, strict=True))


def _question(number: int) -> Conversation:
    talk = Conversation("s", (), 100_000, 64)
    talk.say(Message(role="user", parts=(Text(text=f"question {number}"),)))
    return talk


def _talk(session: Session) -> int:
    """Ask so many times; how often there was no answer."""
    failed = 0
    for number in range(CALLS // THREADS):
        talk = _question(number)
        session.shown = 0
        try:
            session.ask(talk)
        except ModelFailed:
            failed += 1
    return failed
