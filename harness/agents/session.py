"""One agent's dealings with one model: every call is bounded, counted, paid for and kept."""

import hashlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from harness.agents.conversation import Conversation, DoesNotFit
from harness.errors import ContextOverflow, ModelFailed
from harness.llm import Answer, Message, Model, Request, Try, Usage
from harness.llm.prices import Price
from harness.records import Record

Ending = Literal[
    "submitted",  # the agent said that it is done
    "stopped",  # the model fell silent or had nothing more to do
    "refusal",
    "turns",
    "tokens",
    "output_tokens",
    "seconds",
    "usd",
    "study_usd",
    "context",  # the conversation cannot be made to fit
]


_CHANGING = re.compile(
    r"\b\d+(?:\.\d+)? ?(?:s|ms|us|seconds?)\b|0x[0-9a-f]{6,}|/tmp/[\w.-]+|pid[ =:]+\d+"
    r"|\d\d:\d\d:\d\d(?:[.,]\d+)?|\d{4}-\d\d-\d\d"
)


class Ended(Exception):
    """Leaves a scaffold's loop: the agent is done or a limit is reached. `ending` says which."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending)
        self.ending = ending


@dataclass(frozen=True)
class Limits:
    """What one trial may use; null is no limit. `seconds` leaves waits for rate limits out."""

    turns: int = 50
    tokens: int | None = None
    output_tokens: int | None = None
    seconds: float = 1800.0
    call_seconds: float = 300.0
    usd: float | None = None
    context_tokens: int = 32_768
    max_output_tokens: int = 4096


class Spend:
    """What a study has spent and what is in flight, against one hard stop in USD (null: none)."""

    def __init__(self, limit: float | None = None, spent: float = 0.0) -> None:
        self.limit, self.spent = limit, spent
        self.is_spent = False
        self._flying = 0.0
        self._lock = threading.Lock()

    @contextmanager
    def reserved(self, most: float) -> Iterator[None]:
        """Hold `most` USD back while a call is in flight. Raises Ended when that is too much."""
        with self._lock:
            if self.limit is not None and self.spent + self._flying + most > self.limit:
                self.is_spent = True
                raise Ended("study_usd")
            self._flying += most
        try:
            yield
        finally:
            with self._lock:
                self._flying -= most

    def add(self, usd: float) -> None:
        with self._lock:
            self.spent += usd


class Call(Record):
    """One model call as it is kept: what is new since the last one, and what came back."""

    turn: int
    request_digest: str
    context_tokens: int
    """tokens of the request: as the server counted, or as estimated where it did not say"""
    compacted: bool
    new_messages: tuple[Message, ...]
    answer: Answer | None
    tries: tuple[Try, ...]
    seconds: float
    cost_usd: float | None

    @property
    def usage(self) -> Usage:
        return sum((one.usage for one in self.tries), Usage())


@dataclass
class Session:
    """Asks a model on behalf of one trial."""

    model: Model
    price: Price | None
    limits: Limits
    spend: Spend = field(default_factory=Spend)
    clock: Callable[[], float] = time.monotonic
    calls: list[Call] = field(default_factory=list)
    shown: int = 0
    """how many messages the calls so far hold"""
    _waited: float = 0.0
    _started: float | None = None

    def ask(self, talk: Conversation) -> Answer:
        """Send the conversation, append the answer to it.

        Raises Ended when a limit is reached, ModelFailed when there is no answer.
        """
        left = self._check()
        before = talk.compactions
        try:
            request = talk.request()
        except DoesNotFit:
            raise Ended("context") from None
        new = tuple(talk.said[self.shown :])
        estimate = talk.estimate(request)
        compacted = talk.compactions > before
        start = self.clock()
        answer: Answer | None = None
        tries: tuple[Try, ...] = ()
        with self.spend.reserved(self._most(estimate, request)):
            try:
                answer = self.model.answer(request, deadline=min(left, self.limits.call_seconds))
                tries = answer.tries
            except ModelFailed as error:
                tries = error.tries
                if isinstance(error, ContextOverflow):
                    raise Ended("context") from error
                raise
            finally:
                self._keep(new, request, estimate, compacted, answer, tries, self.clock() - start)
        talk.learn(request, tries[-1].usage.input_tokens)
        talk.say(answer.message)
        self.shown = len(talk.said)
        return answer

    @property
    def usage(self) -> Usage:
        return sum((call.usage for call in self.calls), Usage())

    @property
    def cost_usd(self) -> float | None:
        """Null as soon as one call's price is unknown."""
        costs = [call.cost_usd for call in self.calls]
        known = [cost for cost in costs if cost is not None]
        return sum(known) if len(known) == len(costs) else None

    @property
    def seconds_left(self) -> float:
        """Working time that is left; waiting for a provider's rate limit does not count."""
        if self._started is None:
            self._started = self.clock()
        return self.limits.seconds - (self.clock() - self._started - self._waited)

    def _check(self) -> float:
        left, usage, limits = self.seconds_left, self.usage, self.limits
        reached: dict[Ending, bool] = {
            "turns": len(self.calls) >= limits.turns,
            "tokens": _over(usage.input_tokens + usage.output, limits.tokens),
            "output_tokens": _over(usage.output, limits.output_tokens),
            "seconds": left <= 0,
            "usd": _over(self.cost_usd, limits.usd),
        }
        for ending, is_reached in reached.items():
            if is_reached:
                raise Ended(ending)
        return left

    def _most(self, tokens: int, request: Request) -> float:
        """The most that a call can cost; an unknown price reserves nothing."""
        if self.price is None:
            return 0.0
        return self.price.most(tokens, request.max_output_tokens)

    def _cost(self, tries: tuple[Try, ...]) -> float | None:
        """What the tries of a call cost together; null as soon as one is unknown."""
        if self.price is None:
            return None
        costs = [self.price.of(one.usage) for one in tries]
        known = [cost for cost in costs if cost is not None]
        return sum(known) if len(known) == len(costs) else None

    def _keep(
        self,
        new: tuple[Message, ...],
        request: Request,
        estimate: int,
        compacted: bool,
        answer: Answer | None,
        tries: tuple[Try, ...],
        seconds: float,
    ) -> None:
        cost = self._cost(tries)
        self._waited += sum(one.waited for one in tries)
        self.spend.add(cost or 0.0)
        counted = tries[-1].usage.input_tokens if tries else 0
        self.calls.append(
            Call(
                turn=len(self.calls) + 1,
                request_digest=request_digest(request),
                context_tokens=counted or estimate,
                compacted=compacted,
                new_messages=new,
                answer=answer,
                tries=tries,
                seconds=seconds,
                cost_usd=cost,
            )
        )


def request_digest(request: Request) -> str:
    """SHA-256 of a request: the same digest, the same question.

    Durations, addresses in memory and temporary names differ from run to run and are left out.
    """
    return hashlib.sha256(_CHANGING.sub("#", request.model_dump_json()).encode()).hexdigest()


def _over(value: float | None, limit: float | None) -> bool:
    return value is not None and limit is not None and value >= limit
