"""What a model's config asks for and cannot get: refused before anything is started."""

from collections.abc import Iterator
from itertools import chain
from urllib.parse import urlsplit

from harness.config import CacheLifetime, ModelConfig, PriceConfig
from harness.errors import BadInput

OURS = ("model", "max_tokens", "max_output_tokens", "max_completion_tokens", "n", "stream",
        "messages", "input", "system", "instructions")  # fmt: skip
"""What the harness puts into a request, or counts on: limits hold only where it stays so."""
LEAST_THINKING = 1024
"""Tokens that Anthropic wants a budget of thinking to have."""


def refuse(name: str, config: ModelConfig) -> None:
    """Raises BadInput naming the key of the first setting that could only fail or be lost."""
    problems = (_of_extra(config), _of_wire(config), _of_address(config), _of_price(config.price))
    for problem in chain(*problems):
        raise BadInput(f"config: models.{name}.{problem}")


def _of_extra(config: ModelConfig) -> Iterator[str]:
    for key in OURS:
        if key in config.extra:
            yield f"extra.{key}: the harness sets it; budget.max_output_tokens bounds an answer"


def _of_wire(config: ModelConfig) -> Iterator[str]:
    """What a wire has no words for."""
    if config.cache is CacheLifetime.long and config.wire == "openai-chat":
        yield "cache=long: openai-chat has one lifetime, its own"
    if config.seed is not None and config.wire != "openai-chat":
        yield "seed: of wire=openai-chat only"
    if config.wire != "anthropic":
        for key in ("thinking", "thinking_tokens"):
            if getattr(config, key) is not None:
                yield f"{key}: of wire=anthropic only; effort is for all"
        return
    if config.temperature is not None:
        yield "temperature: Anthropic takes none any more; extra.temperature is sent as it is"
    if config.thinking_tokens is None:
        return
    if config.thinking is not None:
        yield "thinking_tokens: either thinking or thinking_tokens, not both"
    if config.thinking_tokens < LEAST_THINKING:
        yield f"thinking_tokens={config.thinking_tokens}: must be at least {LEAST_THINKING}"


def _of_address(config: ModelConfig) -> Iterator[str]:
    """The plan holds the address, so no secret may stand in it."""
    try:
        parts = urlsplit(config.base_url or "")
        has_user, _ = "@" in parts.netloc, parts.port  # which may be no number
    except ValueError:
        yield "base_url: no address"
        return
    if has_user:
        yield "base_url: holds a user or a password; a key comes from the variable key_env"


def _of_price(price: PriceConfig) -> Iterator[str]:
    """Tiers go from short requests to long ones, and the last is for any length."""
    before = 0
    for number, tier in enumerate(price.tiers, start=1):
        is_last, up_to = number == len(price.tiers), tier.up_to
        key = f"price.tiers[{number - 1}].up_to={'null' if up_to is None else up_to}"
        if is_last != (up_to is None):
            yield f"{key}: must be null, any length, in the last tier and in no other"
        elif up_to is not None and up_to <= before:
            yield f"{key}: must be more than {before}"
        before = up_to or 0
