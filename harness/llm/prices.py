"""Money from usage, by a dated price table; an unknown price is no price, never 0."""

from dataclasses import dataclass

from harness.config import CacheLifetime
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
    cache_write_long: float | None = None
    """of what is written for the long lifetime; `cache_write` is for the short one"""
    up_to: int | None = None

    def write(self, cache: CacheLifetime) -> float:
        """What writing for a lifetime costs; 0 where nothing is asked to be written."""
        if cache is CacheLifetime.long:
            return self.cache_write_long or 0.0
        return self.cache_write if cache is CacheLifetime.short else 0.0


@dataclass(frozen=True)
class Price:
    """A model's price table, with the page that it is of and the last day that they were compared.

    `cache` is the lifetime that the model is asked for, since only that can be foretold.
    """

    tiers: tuple[Tier, ...]
    source: str
    date: str
    cache: CacheLifetime = CacheLifetime.short

    def of(self, usage: Usage) -> float | None:
        """USD of one request; reasoning is a part of output and paid as such.

        Null where a server wrote to a long-lived cache that has no price here.
        """
        tier = self._tier(usage.input_tokens)
        long = usage.cache_write_long
        if long and tier.cache_write_long is None:
            return None
        return (
            usage.fresh_input * tier.fresh_input
            + usage.cache_read * tier.cache_read
            + (usage.cache_write - long) * tier.cache_write
            + long * (tier.cache_write_long or 0.0)
            + usage.output * tier.output
        ) / PER

    def most(
        self, input_tokens: int, output_tokens: int, request_tokens: int | None = None
    ) -> float:
        """The most USD that tokens can cost: nothing read from a cache, every output token used.

        They are those of one request, or of several of up to `request_tokens` input each.
        """
        tier = self._tier(input_tokens if request_tokens is None else request_tokens)
        dearest = max(tier.fresh_input, tier.write(self.cache))
        return (input_tokens * dearest + output_tokens * tier.output) / PER

    def _tier(self, input_tokens: int) -> Tier:
        fitting = (t for t in self.tiers if t.up_to is None or input_tokens <= t.up_to)
        return next(fitting, self.tiers[-1])
