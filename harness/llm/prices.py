"""Money from usage, by a dated price table; an unknown price is no price, never 0."""

from dataclasses import dataclass

from harness.llm.protocol import Usage

PER = 1_000_000
"""Prices are in USD per this many tokens."""


@dataclass(frozen=True)
class Tier:
    """Prices that hold for requests of up to `up_to` input tokens (null: any length)."""

    fresh_input: float
    cache_read: float
    cache_write: float
    output: float
    up_to: int | None = None


@dataclass(frozen=True)
class Price:
    """A model's price table, with the page and the day that it was read from."""

    tiers: tuple[Tier, ...]
    source: str
    date: str

    def of(self, usage: Usage) -> float:
        """USD of one request; reasoning is a part of output and paid as such."""
        tier = self._tier(usage.input_tokens)
        return (
            usage.fresh_input * tier.fresh_input
            + usage.cache_read * tier.cache_read
            + usage.cache_write * tier.cache_write
            + usage.output * tier.output
        ) / PER

    def most(self, input_tokens: int, output_tokens: int) -> float:
        """The most USD that a request can cost: nothing cached, every output token used."""
        tier = self._tier(input_tokens)
        dearest = max(tier.fresh_input, tier.cache_write)
        return (input_tokens * dearest + output_tokens * tier.output) / PER

    def _tier(self, input_tokens: int) -> Tier:
        fitting = (t for t in self.tiers if t.up_to is None or input_tokens <= t.up_to)
        return next(fitting, self.tiers[-1])
