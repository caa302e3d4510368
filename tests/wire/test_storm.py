"""A storm: hundreds of calls, a fifth of them failing; every token is accounted for."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from harness.agents.conversation import Conversation
from harness.agents.session import Limits, Session, Spend
from harness.config import ModelConfig, PriceConfig, TierConfig
from harness.errors import ModelFailed
from harness.llm import Message, Text
from harness.llm.settings import open_model, price_of
from tests.wire.moves import Fail, Garbage, HangUp, Move, Say, Tokens
from tests.wire.server import CLASSES, scripted

CALLS, THREADS = 180, 6
FIELDS = dict(
    zip(CLASSES, ("fresh_input", "cache_read", "cache_write", "output", "reasoning"), strict=True)
)


def weather(number: int, _body: dict[str, Any]) -> Move:
    rng = random.Random(number)
    if rng.random() < 0.2:
        return rng.choice([Fail(429), Fail(429, "0"), Fail(500), Fail(529), HangUp(), Garbage()])
    sizes = [rng.randrange(1, 900) for _ in range(4)]
    return Say("fine", tokens=Tokens(*sizes, reasoning=rng.randrange(sizes[3])))


@pytest.mark.parametrize("wire", ["anthropic", "openai-responses", "openai-chat"])
def test_every_token_of_a_storm_is_in_the_records(wire: str) -> None:
    tier = TierConfig(fresh_input=3.0, cache_read=0.3, cache_write=3.75, output=15.0)
    price = PriceConfig(tiers=[tier], source="test", date="2026-01-01")
    with scripted(weather) as server:
        config = ModelConfig(
            wire=wire,
            model="m",
            context_tokens=100_000,
            base_url=server.base_url(wire),
            price=price,
        )
        model = open_model("m", config, sleep=lambda _: None)
        spend = Spend()
        sessions = [
            Session(model, price_of(config), Limits(turns=1000), spend) for _ in range(THREADS)
        ]
        with ThreadPoolExecutor(THREADS) as pool:
            failed = sum(pool.map(_talk, sessions))
        model.close()
    calls = [call for session in sessions for call in session.calls]
    assert len(calls) == CALLS
    assert failed == sum(call.answer is None for call in calls)
    ours: Counter[str] = Counter()
    for call in calls:
        ours.update({name: getattr(call.usage, field) for name, field in FIELDS.items()})
    assert ours == server.ledger.told
    assert len(server.ledger.requests) == sum(len(call.tries) for call in calls) > CALLS * 1.15
    told = server.ledger.told
    dollars = told["fresh"] * 3 + told["read"] * 0.3 + told["write"] * 3.75 + told["output"] * 15
    assert spend.spent == pytest.approx(dollars / 1e6)
    assert sum(s.cost_usd or 0 for s in sessions) == pytest.approx(dollars / 1e6)


def _talk(session: Session) -> int:
    """Ask so many times; how often there was no answer."""
    failed = 0
    for number in range(CALLS // THREADS):
        talk = Conversation("s", (), 100_000, 64)
        talk.say(Message(role="user", parts=(Text(text=f"question {number}"),)))
        session.shown = 0
        try:
            session.ask(talk)
        except ModelFailed:
            failed += 1
    return failed
