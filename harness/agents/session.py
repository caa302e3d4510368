"""One agent's dealings with one model: every call is bounded, counted, paid for and kept."""

import hashlib
import math
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from harness.agents.conversation import BYTES_PER_TOKEN, Conversation, DoesNotFit
from harness.agents.spend import Spend, spent
from harness.errors import ContextOverflow, ModelFailed, ModelRefused, PromptRefused
from harness.llm import Answer, Message, Model, Request, Tool, ToolResult, Try, Usage
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
    "wall_seconds",
    "usd",
    "study_usd",  # the study's limits: such a trial is not finished, and has no record any more
    "study_turns",
    "study_tokens",
    "study_output_tokens",
    "context",  # the conversation cannot be made to fit
]

WALLET: Mapping[str, Ending] = {"usd": "usd", "tokens": "tokens"}
"""What a trial may use and is held to before a request, as a study is by STUDY."""
LEAST_SECONDS = 0.01
"""A request that has less time is not sent."""
_CHANGING = re.compile(
    r"(?:\b|(?<=\\[bfnrt]))\d+(?:\.\d+)? ?(?:s|ms|us|seconds?)\b|0x[0-9a-f]{6,}"
    r"|/tmp/[\w.-]+|pid[ =:]+\d+|\[\d+\]"
    r"|\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?|\d{4}-\d\d-\d\d|[Pp]ort[ =:]+\d+|:\d{4,5}\b"
)
"""Durations, addresses in memory, temporary names, process ids, times, dates and ports.

They are looked for in JSON, where a line begins behind the letters of an escape."""


class Ended(Exception):
    """Leaves a scaffold's loop: the agent is done or a limit is reached. `ending` says which."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending)
        self.ending = ending


@dataclass(frozen=True)
class Limits:
    """What one trial may use; null is no limit.

    `seconds` is working time: without waits for rate limits, which `wall_seconds` counts. A call
    that could pass `tokens` or `usd` is not asked; the last answer may pass `output_tokens`.
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
    idle: float = 0.0
    """seconds of a wait in which the work ended: the others are told by the tries after them"""
    _waited: float = 0.0
    _worked: float = 0.0
    """working seconds that the study has been told of"""
    _started: float | None = None

    def __post_init__(self) -> None:
        limits = {name: getattr(self.limits, name) for name in WALLET}
        self.own = Spend(limits, lambda name: Ended(WALLET[name]))

    def ask(self, talk: Conversation) -> Answer:
        """Send the conversation, append the answer to it.

        Raises Ended when a limit of the trial is reached, BudgetSpent when one of the study is,
        ModelFailed when there is no answer.
        """
        self._check()
        before = talk.compactions
        try:
            request = talk.request()
        except DoesNotFit:
            raise Ended("context") from None
        meter = _CallMeter(self, self._most(talk.estimate(request), request))
        start = self.clock()
        answer: Answer | None = None
        try:
            answer = self._answer(request, meter)
        except Ended:
            told = sum(one.seconds + one.waited for one in meter.tries)
            self.idle += max(0.0, self.clock() - start - told)
            raise
        finally:
            if meter.tries:
                self._keep(talk, request, meter, answer, start, compacted=talk.compactions > before)
        talk.learn(request, meter.tries[-1].usage.input_tokens)
        talk.say(answer.message)
        self.shown = len(talk.said)
        return answer

    def _answer(self, request: Request, meter: "_CallMeter") -> Answer:
        """The model's answer, or what its failure means for the trial."""
        try:
            return self.model.answer(request, deadline=self.limits.call_seconds, meter=meter)
        except TimeoutError:
            raise Ended("wall_seconds") from None
        except ModelFailed as error:
            ending = self._ending(error)
            if ending is None:
                raise
            raise Ended(ending) from error
        except ModelRefused as error:
            if not self.calls and len(meter.tries) <= 1:
                raise
            # What was paid for is recorded; the next call of anybody stops the sweep.
            raise ModelFailed(str(error), error.tries) from error

    def _ending(self, error: ModelFailed) -> Ending | None:
        """How the agent's work ends where there will be no answer, if that is the agent's doing."""
        if isinstance(error, PromptRefused):
            return "refusal"
        return "context" if isinstance(error, ContextOverflow) else None

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
        return min(self.times_left())

    def times_left(self) -> tuple[float, float]:
        """Of the working time and of the wall time, in seconds."""
        if self._started is None:
            self._started = self.clock()
        passed = self.clock() - self._started
        wall = math.inf if self.limits.wall_seconds is None else self.limits.wall_seconds
        return self.limits.seconds - (passed - self._waited), wall - passed

    def _check(self) -> None:
        """Raises Ended at a limit that no request is needed to know of."""
        (working, wall), limits = self.times_left(), self.limits
        reached: dict[Ending, bool] = {
            "turns": len(self.calls) >= limits.turns,
            "output_tokens": _over(self.usage.output, limits.output_tokens),
            "seconds": working <= 0,
            "wall_seconds": wall <= 0,
        }
        for ending, is_reached in reached.items():
            if is_reached:
                raise Ended(ending)

    def _most(self, tokens: int, request: Request) -> dict[str, float]:
        """The most that a call can take of what a study has; an unknown price reserves nothing."""
        out = request.max_output_tokens
        usd = None if self.price is None else self.price.most(tokens, out)
        return spent(usd, tokens, out)

    def _cost(self, tries: Iterable[Try]) -> float | None:
        """What tries cost together; null as soon as one is unknown."""
        if self.price is None:
            return None
        costs = [self.price.of(one.usage) for one in tries]
        known = [cost for cost in costs if cost is not None]
        return sum(known) if len(known) == len(costs) else None

    def take(self, one: Try, most: Mapping[str, float]) -> None:
        """Count a try, which can have taken `most`."""
        self._waited += one.waited
        cost = self._cost([one])
        usd = most["usd"] if cost is None else cost  # a part of it may have no price
        taken = spent(usd, one.usage.input_tokens, one.usage.output)
        taken["turns"] = most["turns"]
        self.count_work()
        for spend in (self.own, self.spend):
            spend.add(taken)
            if not one.usage_reported:
                # A hard stop must hold whatever became of what nobody reported.
                spend.add({name: most[name] for name in most if name != "turns"})

    def count_work(self) -> None:
        """Tell the study how long has been worked since it was told last."""
        worked = self.limits.seconds - self.times_left()[0]
        self.spend.add({"agent_seconds": worked - self._worked})
        self._worked = worked

    def _keep(
        self,
        talk: Conversation,
        request: Request,
        meter: "_CallMeter",
        answer: Answer | None,
        start: float,
        *,
        compacted: bool,
    ) -> None:
        tries = tuple(meter.tries)
        call = Call(
            turn=len(self.calls) + 1,
            request_digest=request_digest(request),
            context_tokens=tries[-1].usage.input_tokens or talk.estimate(request),
            compacted=compacted,
            new_messages=tuple(talk.said[self.shown :]),
            answer=answer,
            tries=tries,
            seconds=self.clock() - start,
            cost_usd=self._cost(tries),
        )
        self.calls.append(call)
        self.shown = len(talk.said)


@dataclass
class _CallMeter:
    """The Meter of one call: what its trial and the study have left."""

    session: Session
    most: dict[str, float]
    """what one try can take"""
    tries: list[Try] = field(default_factory=list)

    @property
    def wall_left(self) -> float:
        return self.session.times_left()[1]

    def left(self, waited: float) -> float:
        working, wall = self.session.times_left()
        _refuse_late(working + waited, wall)
        return min(working + waited, wall)

    def bear(self, wait: float) -> None:
        working, wall = self.session.times_left()
        _refuse_late(working, wall - wait)

    @contextmanager
    def trying(self) -> Iterator[Callable[[Try], None]]:
        session = self.session
        with (
            session.own.reserved(self.most, self.wall_left),
            session.spend.reserved(self.most, self.wall_left),
        ):
            yield self._tell

    def _tell(self, one: Try) -> None:
        self.tries.append(one)
        self.session.take(one, self.most)
        self.most = self.most | {"turns": 0}  # a call is one turn, however often it is tried


def _refuse_late(working: float, wall: float) -> None:
    if working < LEAST_SECONDS:
        raise Ended("seconds")
    if wall < LEAST_SECONDS:
        raise Ended("wall_seconds")


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
