"""One agent's dealings with one model: every call is bounded, counted, paid for and kept."""

import hashlib
import math
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from harness.agents.conversation import BYTES_PER_TOKEN, Conversation, DoesNotFit
from harness.errors import BadInput, ContextOverflow, ModelFailed
from harness.llm import Answer, Message, Model, Request, Tool, ToolResult, Try, Usage
from harness.llm.prices import Price
from harness.llm.replay import Diverged
from harness.records import Record

Ending = Literal[
    "submitted",  # the agent said that it is done
    "stopped",  # the model fell silent or had nothing more to do
    "refusal",
    "turns",
    "tokens",
    "output_tokens",
    "seconds",
    "wall_seconds",
    "usd",
    "study_usd",
    "study_turns",
    "study_tokens",
    "study_output_tokens",
    "context",  # the conversation cannot be made to fit
]

STUDY: Mapping[str, Ending] = {
    "usd": "study_usd",
    "turns": "study_turns",
    "tokens": "study_tokens",
    "output_tokens": "study_output_tokens",
}
"""What a study as a whole may be held to, and how a trial ends that would go beyond."""
NOT_REPLAYED: frozenset[Ending] = frozenset({"seconds", "wall_seconds", "usd", *STUDY.values()})
"""Endings by a clock, by money or by other trials, to which no replay comes by itself."""
_CHANGING = re.compile(
    r"\b\d+(?:\.\d+)? ?(?:s|ms|us|seconds?)\b|0x[0-9a-f]{6,}|/tmp/[\w.-]+|pid[ =:]+\d+|\[\d+\]"
    r"|\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?|\d{4}-\d\d-\d\d|[Pp]ort[ =:]+\d+|:\d{4,5}\b"
)
"""Durations, addresses in memory, temporary names, process ids, times, dates and ports."""


class Ended(Exception):
    """Leaves a scaffold's loop: the agent is done or a limit is reached. `ending` says which."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending)
        self.ending = ending


@dataclass(frozen=True)
class Limits:
    """What one trial may use; null is no limit.

    `seconds` is working time: without waits for rate limits, which `wall_seconds` counts.
    """

    turns: int = 50
    tokens: int | None = None
    output_tokens: int | None = None
    seconds: float = 1800.0
    wall_seconds: float | None = None
    call_seconds: float = 300.0
    usd: float | None = None
    context_tokens: int = 32_768
    max_output_tokens: int = 4096
    bytes_per_token: float = BYTES_PER_TOKEN

    def conversation(self, system: str, tools: tuple[Tool, ...] = ()) -> Conversation:
        """An empty one that fits the context budget."""
        return Conversation(
            system, tools, self.context_tokens, self.max_output_tokens, self.bytes_per_token
        )


class Spend:
    """What a study has spent and what is in flight, against hard stops; all by the names of STUDY.

    `limits` has null, or nothing, where there is none.
    """

    def __init__(self, limits: Mapping[str, float | None] | None = None) -> None:
        self.limits = {name: limit for name, limit in (limits or {}).items() if limit is not None}
        self.spent: Counter[str] = Counter()
        self.reached: str | None = None
        """the first limit that stopped a call"""
        self._flying: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def reserved(self, most: Mapping[str, float]) -> Iterator[None]:
        """Hold `most` back while a call is in flight. Raises Ended where that is too much."""
        with self._lock:
            for name, limit in self.limits.items():
                if self.spent[name] + self._flying[name] + most[name] > limit:
                    self.reached = self.reached or name
                    raise Ended(STUDY[name])
            self._flying.update(most)
        try:
            yield
        finally:
            with self._lock:
                self._flying.subtract(most)

    def add(self, amounts: Mapping[str, float]) -> None:
        with self._lock:
            self.spent.update(amounts)


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
            except Diverged:
                raise
            except BadInput as error:
                if not self.calls:
                    raise
                # What was paid for is recorded; the next call of anybody stops the sweep.
                raise ModelFailed(str(error)) from error
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
        """What is left of the working time, or of the wall time if that is less."""
        return min(self._times_left())

    def _times_left(self) -> tuple[float, float]:
        """Of the working time and of the wall time."""
        if self._started is None:
            self._started = self.clock()
        passed = self.clock() - self._started
        wall = math.inf if self.limits.wall_seconds is None else self.limits.wall_seconds
        return self.limits.seconds - (passed - self._waited), wall - passed

    def _check(self) -> float:
        (working, wall), usage, limits = self._times_left(), self.usage, self.limits
        reached: dict[Ending, bool] = {
            "turns": len(self.calls) >= limits.turns,
            "tokens": _over(usage.input_tokens + usage.output, limits.tokens),
            "output_tokens": _over(usage.output, limits.output_tokens),
            "seconds": working <= 0,
            "wall_seconds": wall <= 0,
            "usd": _over(self.cost_usd, limits.usd),
        }
        for ending, is_reached in reached.items():
            if is_reached:
                raise Ended(ending)
        return min(working, wall)

    def _most(self, tokens: int, request: Request) -> dict[str, float]:
        """The most that a call can take of what a study has; an unknown price reserves nothing."""
        out = request.max_output_tokens
        usd = None if self.price is None else self.price.most(tokens, out)
        return spent(usd, tokens, out)

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
        self._waited += sum(one.waited for one in tries)
        counted = tries[-1].usage.input_tokens if tries else 0
        call = Call(
            turn=len(self.calls) + 1,
            request_digest=request_digest(request),
            context_tokens=counted or estimate,
            compacted=compacted,
            new_messages=new,
            answer=answer,
            tries=tries,
            seconds=seconds,
            cost_usd=self._cost(tries),
        )
        self.calls.append(call)
        self.spend.add(spent(call.cost_usd, call.usage.input_tokens, call.usage.output))
        # A hard stop must hold whatever became of a try whose usage nobody reported.
        silent = sum(not one.usage_reported for one in tries)
        most = self._most(estimate, request)
        self.spend.add({name: silent * most[name] for name in most if name != "turns"})


def spent(usd: float | None, input_tokens: int, output_tokens: int) -> dict[str, float]:
    """What one call takes of what a study has; an unknown cost counts as nothing."""
    tokens = input_tokens + output_tokens
    return {"usd": usd or 0.0, "turns": 1, "tokens": tokens, "output_tokens": output_tokens}


def request_digest(request: Request) -> str:
    """SHA-256 of a request: the same digest, the same question.

    What differs from run to run in the results of tools (`_CHANGING`) is left out.
    """
    found = hashlib.sha256(request.model_dump_json(exclude={"messages"}).encode())
    for message in request.messages:
        is_result = any(isinstance(part, ToolResult) for part in message.parts)
        text = message.json_text
        found.update(_lasting(text) if is_result else text.encode())
    return found.hexdigest()


@lru_cache(maxsize=1024)  # a conversation is asked at every turn
def _lasting(results: str) -> bytes:
    """Digest of what is the same in every run."""
    return hashlib.sha256(_CHANGING.sub("#", results).encode()).digest()


def _over(value: float | None, limit: float | None) -> bool:
    return value is not None and limit is not None and value >= limit
