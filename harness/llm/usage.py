"""Providers count differently; here it becomes the one convention of `Usage`.

Anthropic's `input_tokens` leaves caches out; OpenAI's prompt or input tokens contain what was
read from a cache (and written to one). Reasoning is a part of the output everywhere.

What is written to a cache lives a short or a long time: 5 minutes or 1 hour at Anthropic, 30
minutes or 12 hours at OpenAI, each from its last use. A server that does not tell them apart has
written for the time that was asked for: `asks_long`.
"""

from collections.abc import Mapping
from typing import Any

from harness.llm.protocol import Usage

Counted = tuple[Usage, bool]
"""Usage, and whether the server told both input and output."""


def of_anthropic(told: Mapping[str, Any] | None, *, asks_long: bool = False) -> Counted:
    """From the `usage` of a message."""
    told = told or {}
    details = told.get("output_tokens_details") or {}
    written = _count(told.get("cache_creation_input_tokens"))
    usage = Usage(
        fresh_input=_count(told.get("input_tokens")),
        cache_read=_count(told.get("cache_read_input_tokens")),
        cache_write=written,
        cache_write_long=_long(
            written, told.get("cache_creation"), "ephemeral_1h_input_tokens", asks_long=asks_long
        ),
        output=_count(told.get("output_tokens")),
        reasoning=_count(details.get("thinking_tokens") or details.get("reasoning_tokens")),
    )
    return usage, _is_told(told, "input_tokens", "output_tokens")


def of_openai(
    told: Mapping[str, Any] | None, given: str, made: str, *, asks_long: bool = False
) -> Counted:
    """`given` and `made` are the words of the protocol: prompt/completion or input/output."""
    told = told or {}
    is_told = _is_told(told, f"{given}_tokens", f"{made}_tokens")
    read = told.get(f"{given}_tokens_details") or {}
    wrote = told.get(f"{made}_tokens_details") or {}
    reasoning = _count(wrote.get("reasoning_tokens"))
    cached, written = _count(read.get("cached_tokens")), _count(read.get("cache_write_tokens"))
    whole = _count(told.get(f"{given}_tokens"))
    # Some servers leave the reasoning out of what was made; the total has it.
    made_all = _count(told.get("total_tokens")) - whole if is_told else 0
    usage = Usage(
        fresh_input=max(0, whole - cached - written),
        cache_read=cached,
        cache_write=written,
        cache_write_long=_long(
            written, read.get("cache_write_tokens_details"), "ttl_12h_tokens", asks_long=asks_long
        ),
        output=max(_count(told.get(f"{made}_tokens")), made_all, reasoning),
        reasoning=reasoning,
    )
    return usage, is_told


def _long(written: int, split: object, name: str, *, asks_long: bool) -> int:
    """The long-lived part of what was written, never more than all of it."""
    if isinstance(split, Mapping) and name in split:
        return min(written, _count(split[name]))
    return written if asks_long else 0


def _count(value: object) -> int:
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if is_count else 0  # type: ignore[return-value]


def _is_told(told: Mapping[str, Any], *names: str) -> bool:
    return all(isinstance(told.get(name), int) for name in names)
