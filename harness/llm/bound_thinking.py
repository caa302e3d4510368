"""Thinking that a Claude model takes back: each block is bound to what was sent before it.

Newer models refuse a block when `system`, `tools` or an earlier message is not what it was made
after (https://platform.claude.com/docs/en/build-with-claude/preserved-thinking). So a block is
kept together with a digest of all that came before, and is left out once that has changed, as it
has where a conversation was compacted. A change spares the thinking before it.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from harness.llm.protocol import Request, Thinking, mended

KINDS = frozenset({"thinking", "redacted_thinking"})


class Prefix:
    """A running digest of what a request tells, message by message."""

    def __init__(self, request: Request) -> None:
        self._sha = hashlib.sha256()
        self.add({"system": request.system, "tools": [t.model_dump() for t in request.tools]})

    def add(self, told: Mapping[str, Any]) -> None:
        self._sha.update(json.dumps(told, sort_keys=True).encode())

    @property
    def digest(self) -> str:
        """Of everything so far."""
        return self._sha.hexdigest()


def seal(block: Mapping[str, Any], after: str, *, is_bound: bool) -> Thinking:
    """A block of an answer; `after` is the digest of all that was sent before it.

    One that cannot be sent as it came does not go back: it is signed.
    """
    if mended(dict(block)) != block:
        return Thinking(text=str(block.get("thinking") or ""), sealed="{}", is_bound=is_bound)
    sealed = json.dumps({"after": after, "block": block}, sort_keys=True)
    return Thinking(text=str(block.get("thinking") or ""), sealed=sealed, is_bound=is_bound)


def unseal(part: Thinking, after: str | None) -> dict[str, Any] | None:
    """The block as it came, or null where it may not go back; null `after`: it always may."""
    sealed = json.loads(part.sealed)
    block: dict[str, Any] = sealed.get("block") or {}
    is_ours = block.get("type") in KINDS
    return block if is_ours and after in {None, sealed["after"]} else None
