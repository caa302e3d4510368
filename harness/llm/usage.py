"""Providers count differently; here it becomes the one convention of `Usage`.

Anthropic's `input_tokens` leaves caches out; OpenAI's prompt or input tokens contain what was
read from a cache (and written to one). Reasoning is a part of the output everywhere.
"""

from collections.abc import Mapping
from typing import Any

from harness.llm.protocol import Usage

Counted = tuple[Usage, bool]
"""Usage, and whether the server told both input and output."""


def of_anthropic(told: Mapping[str, Any] | None) -> Counted:
    """From the `usage` of a message."""
    told = told or {}
    details = told.get("output_tokens_details") or {}
    usage = Usage(
        fresh_input=_count(told.get("input_tokens")),
        cache_read=_count(told.get("cache_read_input_tokens")),
        cache_write=_count(told.get("cache_creation_input_tokens")),
        output=_count(told.get("output_tokens")),
        reasoning=_count(details.get("thinking_tokens") or details.get("reasoning_tokens")),
    )
    return usage, _is_told(told, "input_tokens", "output_tokens")


def of_openai(told: Mapping[str, Any] | None, given: str, made: str) -> Counted:
    """`given` and `made` are the words of the protocol: prompt/completion or input/output."""
    told = told or {}
    read = told.get(f"{given}_tokens_details") or {}
    wrote = told.get(f"{made}_tokens_details") or {}
    cached, written = _count(read.get("cached_tokens")), _count(read.get("cache_write_tokens"))
    whole = _count(told.get(f"{given}_tokens"))
    usage = Usage(
        fresh_input=max(0, whole - cached - written),
        cache_read=cached,
        cache_write=written,
        output=_count(told.get(f"{made}_tokens")),
        reasoning=_count(wrote.get("reasoning_tokens")),
    )
    return usage, _is_told(told, f"{given}_tokens", f"{made}_tokens")


def _count(value: object) -> int:
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if is_count else 0  # type: ignore[return-value]


def _is_told(told: Mapping[str, Any], *names: str) -> bool:
    return all(isinstance(told.get(name), int) for name in names)
