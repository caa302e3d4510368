"""What the harness asks of a language model, in words of no provider."""

import math
import operator
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from typing import Annotated, Any, Literal, Protocol, Self

from pydantic import AfterValidator, Field

from harness.records import Record

Stop = Literal["end", "tool_calls", "max_tokens", "refusal"]
TryStatus = Literal[
    "answered",
    "rate_limited",  # 429
    "overloaded",  # 503, 529
    "server_error",  # any other 5xx, 408, 409
    "connection",  # refused, reset, cut in the middle of a body
    "timeout",  # no whole answer before the deadline of the request
    "malformed",  # an answer that is not what the protocol promises
    "rejected",  # any other 4xx: trying again would not help
]


def mended(value: Any) -> Any:
    """The value with every text writable: JSON can hold half a surrogate pair, UTF-8 cannot."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, dict):
        return {mended(key): mended(item) for key, item in value.items()}
    return [mended(item) for item in value] if isinstance(value, list) else value


Words = Annotated[str, AfterValidator(mended)]


class Text(Record):
    """Words of either side."""

    kind: Literal["text"] = "text"
    text: Words
    sealed: str = Field(default="", exclude_if=operator.not_)
    """what its wire needs besides, to give it back as it came"""

    @property
    def is_blank(self) -> bool:
        """Nothing but white space: models say it at times, and providers do not take it back."""
        return not self.text.strip()


class Thinking(Record):
    """Reasoning. `sealed` is what its wire needs to give the provider's block back unchanged."""

    kind: Literal["thinking"] = "thinking"
    text: Words
    sealed: str
    is_bound: bool = Field(default=False, exclude_if=operator.not_)
    """whether it may go back only while all that was said before it is unchanged"""


class ToolCall(Record):
    """A tool the model wants to use; `arguments` is null where `raw` is no JSON object."""

    kind: Literal["tool_call"] = "tool_call"
    id: Words
    name: Words
    arguments: Annotated[dict[str, Any] | None, AfterValidator(mended)]
    raw: Words


class ToolResult(Record):
    """What became of a tool call; every call of a message is answered in the next message."""

    kind: Literal["tool_result"] = "tool_result"
    call_id: str
    text: Words
    is_error: bool = False


Part = Annotated[Text | Thinking | ToolCall | ToolResult, Field(discriminator="kind")]


def _once(part: Thinking) -> Thinking:
    return part.model_copy(update={"text": ""}) if part.sealed else part


def _leads_to_nothing(part: Part) -> bool:
    return isinstance(part, Thinking) or (isinstance(part, Text) and part.is_blank)


class Message(Record):
    """One message; tool results are parts of a user's message."""

    role: Literal["user", "assistant"]
    parts: tuple[Part, ...]

    @cached_property
    def json_text(self) -> str:
        """The message as JSON. A conversation is measured at every turn, its messages once."""
        return self.model_dump_json()

    @cached_property
    def measured(self) -> str:
        """The message as JSON, with thinking once: what is sealed holds its words."""
        if not any(isinstance(part, Thinking) for part in self.parts):
            return self.json_text
        parts = tuple(_once(part) if isinstance(part, Thinking) else part for part in self.parts)
        return self.model_copy(update={"parts": parts}).json_text

    def __copy__(self) -> Self:
        """A copy is made to change something in it: it is measured anew."""
        copied = super().__copy__()
        for name in ("json_text", "measured"):
            copied.__dict__.pop(name, None)
        return copied

    @property
    def text(self) -> str:
        """The words of the message, without thinking and tools."""
        return "\n".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def followed(self) -> tuple[Part, ...]:
        """The parts without thinking and blanks at the end, which no provider takes back."""
        kept = len(self.parts)
        while kept and _leads_to_nothing(self.parts[kept - 1]):
            kept -= 1
        return self.parts[:kept]

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        return tuple(part for part in self.parts if isinstance(part, ToolCall))


class Tool(Record):
    """A tool on offer; `parameters` is a JSON Schema object."""

    name: str
    description: str
    parameters: dict[str, Any]


class Request(Record):
    """One call: the whole conversation so far. Sampling settings belong to the model."""

    system: str
    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    max_output_tokens: int


class Usage(Record):
    """Tokens in five classes. Input classes are disjoint; `reasoning` is a part of `output`.

    Providers keep what they cache for a short or a long time and charge each differently;
    `cache_write_long` is the long part of `cache_write`.
    """

    fresh_input: int = 0
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0
    cache_write_long: int = 0

    @property
    def input_tokens(self) -> int:
        """Everything the model read: the sum of the three input classes."""
        return self.fresh_input + self.cache_read + self.cache_write

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            fresh_input=self.fresh_input + other.fresh_input,
            cache_read=self.cache_read + other.cache_read,
            cache_write=self.cache_write + other.cache_write,
            output=self.output + other.output,
            reasoning=self.reasoning + other.reasoning,
            cache_write_long=self.cache_write_long + other.cache_write_long,
        )


class Try(Record):
    """One HTTP request of a call. `waited` is the time in seconds slept before it."""

    status: TryStatus
    http_status: int | None
    seconds: float
    waited: float = 0.0
    usage: Usage = Usage()
    usage_reported: bool = True
    """false where the server did not say all of it: the sums are then a floor"""
    detail: str = ""


class Answer(Record):
    """What came back; `tries` holds every attempt, the last one is the answer's own."""

    message: Message
    stop: Stop
    tries: tuple[Try, ...]
    served_by: str
    """the model id as the server reports it"""

    @property
    def usage(self) -> Usage:
        """Over all tries."""
        return sum((one.usage for one in self.tries), Usage())


class Meter(Protocol):
    """What the trial that asks allows a call besides its deadline; all times are in seconds.

    Each may raise what ends the call, which no model catches.
    """

    @property
    def wall_left(self) -> float:
        """The longest that anything may be waited for."""
        ...

    def left(self, waited: float) -> float:
        """How long a request may take now, if the last `waited` seconds were no work."""
        ...

    def bear(self, wait: float) -> None:
        """Before a wait: raises where no time would be left after it."""
        ...

    def trying(self) -> AbstractContextManager[Callable[[Try], None]]:
        """Around each request: holds back what it may cost. Gives what must be told the try.

        Raises TimeoutError where others hold it back for longer than `wall_left`.
        """
        ...


class Unmetered:
    """A Meter that allows everything."""

    wall_left = math.inf

    def left(self, waited: float) -> float:  # noqa: ARG002 - whatever there was
        return math.inf

    def bear(self, wait: float) -> None: ...

    @contextmanager
    def trying(self) -> Iterator[Callable[[Try], None]]:
        yield lambda _: None


UNMETERED = Unmetered()


class Model(Protocol):
    """A language model that can be asked. Safe to use from several threads at once."""

    @property
    def name(self) -> str:
        """Its name in the study's config."""
        ...

    @property
    def context_tokens(self) -> int:
        """The largest request plus answer that it takes, in tokens."""
        ...

    def answer(self, request: Request, *, deadline: float, meter: Meter = UNMETERED) -> Answer:
        """Ask once, with retries that change nothing. `deadline` is in seconds from now.

        Every try is told to the meter. What is raised here holds the tries:

        Raises:
            ModelFailed: no answer after every retry or before the deadline.
            ContextOverflow: the server says that the request is too long.
            PromptRefused: the provider's policy forbids the request.
            ModelRefused: wrong key, no such model, no credit: no other trial could do better.
            TimeoutError: the meter's wall time ended in a queue of the harness.
            EngineGone: the run was broken off.
        """
        ...

    def close(self) -> None: ...
