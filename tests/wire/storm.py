"""A storm: a fifth of the requests fail in every way, some of the others cannot be used."""

import random
from typing import Any

from tests.wire.moves import Fail, Garbage, HangUp, Move, Say, Tokens, Use
from tests.wire.server import CLASSES

COLUMNS = dict(
    zip(
        CLASSES,
        ("fresh_input", "cache_read", "cache_write", "output", "reasoning", "cache_write_long"),
        strict=True,
    )
)
"""What the server's ledger calls a class of tokens -> what the records do."""


def gust(number: int, body: dict[str, Any], uses: tuple[Use, ...] = ()) -> Move:
    """What becomes of request `number`; the same on every run."""
    rng = random.Random(number)
    if rng.random() < 0.2:
        return rng.choice([Fail(429), Fail(429, "0"), Fail(500), Fail(529), HangUp(), Garbage()])
    is_broken = rng.random() < 0.05
    sizes = [rng.randrange(1, 900) for _ in range(4)]
    # Chat Completions, which alone gives the system's words as a message, tells no lifetimes.
    is_chat = body.get("messages", [{}])[0].get("role") == "system"
    long = 0 if is_chat else rng.randrange(sizes[2])
    tokens = Tokens(*sizes, reasoning=rng.randrange(sizes[3]), long=long)
    return Say("fine", uses, broken=is_broken, tokens=tokens)
