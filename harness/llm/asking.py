"""Asking with retries that change nothing: one loop for every wire."""

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from harness.errors import ContextOverflow, ModelFailed, ModelRefused, PromptRefused
from harness.llm.concurrency import Gate
from harness.llm.faults import UNREADABLE, Fault, malformed, without_key
from harness.llm.protocol import (
    UNMETERED,
    Answer,
    Message,
    Meter,
    Request,
    Stop,
    Try,
    Usage,
    mended,
)
from harness.llm.usage import Counted

MOST_TRIES = 8
FIRST_WAIT = 1.0
LONGEST_WAIT = 60.0
"""Seconds of the exponential backoff; what a server asks for may be longer."""
BUSY = "rate_limited"
"""No failure, however often it is said: such a try takes nothing of its call's time and tries."""
LARGEST_SHARE = 0.5
"""Of a call's deadline, what one try may take: a request that stalls can be sent once more."""


@dataclass(frozen=True)
class Reply:
    """One HTTP answer, read."""

    message: Message
    stop: Stop
    usage: Usage
    usage_reported: bool
    served_by: str


def read_reply(
    content: bytes,
    key: str,
    read: Callable[[Any], tuple[Message, Stop]],
    count: Callable[[Any], Counted],
) -> Reply:
    """The reply in a body: `read` gives its message, `count` makes usage of what it tells of it.

    Raises Fault where there is none, with what the server says that it used.
    """
    body = json.loads(without_key(content.decode(), key))
    usage, reported = count(body.get("usage"))
    try:
        message, stop = read(body)
    except (Fault, *UNREADABLE) as error:
        fault = error if isinstance(error, Fault) else malformed(error)
        fault.usage, fault.usage_reported = usage, reported
        raise fault from None
    return Reply(message, stop, usage, reported, mended(str(body.get("model") or "")))


class Wire(Protocol):
    """A provider's protocol: one request, one reply, no retries."""

    def send(self, request: Request, seconds: float) -> Reply:
        """Raises Fault for anything but a readable answer within `seconds`."""
        ...

    def close(self) -> None: ...


class AskingModel:
    """A Model over a wire. `sleep` and `clock` are in seconds; `rng` gives the jitter.

    Without `sleep` it rests before its gate. Where that is shut, no call goes on.
    """

    def __init__(
        self,
        name: str,
        context_tokens: int,
        wire: Wire,
        gate: Gate,
        *,
        sleep: Callable[[float], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
    ) -> None:
        self.name, self.context_tokens = name, context_tokens
        self._wire, self._gate, self._clock = wire, gate, clock
        self._sleep = sleep or gate.rest
        self._rng = rng or random.Random()  # noqa: S311 - jitter, not a secret
        self._was_reached = False

    def answer(self, request: Request, *, deadline: float, meter: Meter = UNMETERED) -> Answer:
        left = deadline
        tries: list[Try] = []
        wait = 0.0
        while True:
            # A wait is paid by the try after it, so that no time is without an owner.
            self._sleep(wait)
            longest = min(deadline * LARGEST_SHARE, left)
            outcome, one = self._once(request, longest, wait, meter)
            tries.append(one)
            if isinstance(outcome, Reply):
                return Answer(
                    message=outcome.message,
                    stop=outcome.stop,
                    tries=tuple(tries),
                    served_by=outcome.served_by,
                )
            self._gate.check()  # a request that was cut off tells nothing of its server
            self._raise_if_final(outcome, tuple(tries))
            is_busy = outcome.status == BUSY
            alike = sum((each.status == BUSY) == is_busy for each in tries)
            wait = self._backoff(outcome, alike)
            meter.bear(max(wait, outcome.retry_after or 0.0))
            if is_busy:
                continue
            left -= one.seconds + wait  # what is waited for before the gate is no delay of ours
            if left <= 0 or alike == MOST_TRIES:
                told = f"in {deadline:g} s" if left <= 0 else f"to {MOST_TRIES} tries"
                raise ModelFailed(f"{self.name}: no answer {told}: {outcome}", tuple(tries))

    def close(self) -> None:
        self._wire.close()

    def _once(
        self, request: Request, longest: float, waited: float, meter: Meter
    ) -> tuple[Reply | Fault, Try]:
        """One try of `longest` seconds, after a wait; then the harness's own queues, in turn."""
        asked = self._clock()
        with meter.trying() as tell, self._gate.place(meter.wall_left):
            start = self._clock()
            waited += start - asked
            outcome = self._send(request, max(0.001, min(longest, meter.left(waited))))
            one = Try(
                status="answered" if isinstance(outcome, Reply) else outcome.status,
                http_status=200 if isinstance(outcome, Reply) else outcome.http_status,
                seconds=self._clock() - start,
                waited=waited,
                usage=outcome.usage,
                usage_reported=outcome.usage_reported,
                detail="" if isinstance(outcome, Reply) else str(outcome),
            )
            tell(one)
            return outcome, one

    def _send(self, request: Request, seconds: float) -> Reply | Fault:
        """What came back; the gate is told of it."""
        try:
            reply = self._wire.send(request, seconds)
        except Fault as fault:
            self._was_reached |= not fault.is_unreached
            if fault.status == BUSY:
                self._gate.cut()
            self._gate.pause(fault.retry_after or 0.0)
            return fault
        self._was_reached = True
        self._gate.answered()
        return reply

    def _raise_if_final(self, fault: Fault, tries: tuple[Try, ...]) -> None:
        if fault.is_overflow:
            raise ContextOverflow(f"{self.name}: the request is too long: {fault}", tries)
        if fault.is_refusal:
            raise PromptRefused(f"{self.name}: the provider refuses: {fault}", tries)
        if fault.is_unreached and not self._was_reached:
            # What was there a moment ago may come back; what never was is a wrong address.
            told = f"model {self.name}: {fault}; check models.{self.name}.base_url"
            raise ModelRefused(told, tries)
        if remedy := fault.remedy(self.name):
            told = f"model {self.name}: HTTP {fault.http_status}: {fault}; {remedy}"
            raise ModelRefused(told, tries)
        if fault.status == "rejected":
            raise ModelFailed(f"{self.name}: {fault} (try {len(tries)})", tries)

    def _backoff(self, fault: Fault, alike: int) -> float:
        """Seconds to sleep after so many faults of a kind: doubling, with jitter.

        What a server asks for is waited for before the gate. It need not be enough: one that asks
        for no time at all, again and again, would be asked in a loop without end.
        """
        if fault.retry_after is not None and alike == 1:
            return 0.0
        doubled: float = FIRST_WAIT * 2 ** min(alike - 1, 10)
        return min(LONGEST_WAIT, doubled) * self._rng.uniform(0.5, 1.0)
