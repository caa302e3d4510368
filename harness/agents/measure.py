"""How many tokens a request takes: as a server counted where it did, and by bytes where not."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from harness.llm import Request

LEAST = 1 / 16
"""Tokens a byte. A count below it is none: the server left a part out, or counts nothing."""


@dataclass(frozen=True)
class Counted:
    """Parts of a request (as JSON, and how often each is there) that took so many tokens."""

    parts: Counter[str]
    tokens: float


class Measure:
    """An estimate that is rather too high than too low, as long as a token has its bytes.

    Each count tells what the parts that are new since the last one took together, with all that a
    provider adds of its own. They are known together only: what is left of them after a
    compaction is measured by its bytes again, and never as more than the whole was.
    """

    def __init__(self, bytes_per_token: float) -> None:
        self._bytes_per_token = bytes_per_token
        self._counted: list[Counted] = []

    def estimate(self, request: Request) -> int:
        """Tokens that `request` will take."""
        new, tokens = Counter(_parts(request)), 1.0
        for known in self._counted:
            found = known.parts & new
            new -= found
            is_whole = found == known.parts
            tokens += known.tokens if is_whole else min(known.tokens, self._by_bytes(found))
        return int(tokens + self._by_bytes(new))

    def learn(self, request: Request, input_tokens: int) -> None:
        """Keep what a server counted."""
        everything = Counter(_parts(request))
        if input_tokens < LEAST * _size(everything):
            return
        new, whole = everything, list[Counted]()
        for known in self._counted:
            if known.parts <= new:
                whole.append(known)
                new = new - known.parts
        tokens = input_tokens - sum(known.tokens for known in whole)
        if tokens < LEAST * _size(new):  # something old counts no longer, as earlier thinking may
            whole, new, tokens = [], everything, input_tokens
        self._counted = [*whole, Counted(new, tokens)]

    def _by_bytes(self, parts: Counter[str]) -> float:
        return _size(parts) / self._bytes_per_token


def _parts(request: Request) -> Iterator[str]:
    yield request.model_dump_json(include={"system", "tools"})
    yield from (message.measured for message in request.messages)


def _size(parts: Counter[str]) -> int:
    return sum(len(text.encode()) * times for text, times in parts.items())
