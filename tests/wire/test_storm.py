"""A storm: hundreds of calls, a fifth of them failing; every token is accounted for."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import cast

import pytest

from harness.agents import AgentReport
from harness.agents.conversation import Conversation
from harness.agents.session import Limits, Session, Spend
from harness.config import CacheLifetime, ModelConfig, PriceConfig, TierConfig
from harness.errors import ModelFailed
from harness.llm import Message, Text
from harness.llm.prices import Price
from harness.llm.settings import open_model, price_of
from harness.rows import Facts, _calls
from tests.wire.server import scripted
from tests.wire.storm import COLUMNS, gust

CALLS, THREADS, PLACES = 180, 6, 4
FACTS = cast("Facts", SimpleNamespace(cell=SimpleNamespace(trial_id="t"), attempt=1))


@pytest.mark.parametrize("wire", ["anthropic", "openai-responses", "openai-chat"])
def test_every_token_of_a_storm_is_in_the_records(wire: str) -> None:
    tier = TierConfig(
        fresh_input=3.0, cache_read=0.3, cache_write=3.75, cache_write_long=6.0, output=15.0
    )
    price = PriceConfig(tiers=[tier], source="test", date="2026-01-01")
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
    calls = [
        record
        for session in sessions
        for record in _calls(FACTS, AgentReport("", calls=tuple(session.calls)))
    ]
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
