"""What the scripted server can do, in words of no provider."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Tokens:
    """What the server says that a call used; `fresh` leaves both caches out.

    `long` is the part of `write` in the longer-lived cache; Chat Completions cannot tell it.
    """

    fresh: int = 11
    read: int = 0
    write: int = 0
    output: int = 5
    reasoning: int = 0
    long: int = 0


@dataclass(frozen=True)
class Use:
    """One tool call; `arguments` is an object or, for broken JSON, a text.

    Null for arguments or id: the server does not tell.
    """

    tool: str
    arguments: dict[str, Any] | str | None
    id: str | None = "call_1"


@dataclass(frozen=True)
class Say:
    """A good answer: words, tools, or both. `cut` ends it by max_tokens.

    `hides` gives thinking whose words are not shown: redacted at Anthropic, no summary at OpenAI.
    """

    text: str = ""
    uses: tuple[Use, ...] = ()
    think: str = ""
    hides: bool = False
    phase: str = ""
    """what the words are for, where a protocol says so: commentary or final_answer"""
    cut: bool = False
    refuse: bool = False
    tokens: Tokens = field(default_factory=Tokens)
    after: float = 0.0
    """seconds before anything comes"""
    broken: bool = False
    """what is said cannot be used, and is paid for nevertheless"""
    missing_usage: tuple[str, ...] = ()
    """`all`, or names of usage fields that are left out; `split`: cache lifetimes not told"""


@dataclass(frozen=True)
class Fail:
    """An HTTP error. `{key}` in the words of any move is the key that the request came with."""

    status: int
    retry_after: str | None = None
    overflow: bool = False
    told: str = "not now"
    code: str | None = None
    """the word for machines, where the protocol has its place"""


@dataclass(frozen=True)
class HangUp:
    """The connection is cut in the middle of the body."""


@dataclass(frozen=True)
class Stall:
    """Nothing comes for so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Trickle:
    """An answer of which a byte comes every so many seconds; it may not say of how many."""

    every: float
    count: int = 40
    status: int = 200
    says_length: bool = True


@dataclass(frozen=True)
class Garbage:
    """A body that is no JSON, or JSON of another shape."""

    body: bytes = b'{"id": "half an'


Move = Say | Fail | HangUp | Stall | Trickle | Garbage
