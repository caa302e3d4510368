"""Asking with retries that change nothing: one loop for every wire."""

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from harness.errors import BadInput, ContextOverflow, ModelFailed
from harness.llm.concurrency import Gate
from harness.llm.faults import UNREADABLE, Fault, malformed, without_key
from harness.llm.protocol import Answer, Message, Request, Stop, Try, Usage
from harness.llm.usage import Counted

MOST_TRIES = 8
FIRST_WAIT = 1.0
LONGEST_WAIT = 60.0
"""Seconds of the exponential backoff; what a server asks for may be longer."""


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
    return Reply(message, stop, usage, reported, str(body.get("model") or ""))


class Wire(Protocol):
    """A provider's protocol: one request, one reply, no retries."""

    def send(self, request: Request, seconds: float) -> Reply:
        """Raises Fault for anything but a readable answer within `seconds`."""
        ...

    def close(self) -> None: ...


class AskingModel:
    """A Model over a wire. `sleep` and `clock` are in seconds; `rng` gives the jitter."""

    def __init__(
        self,
        name: str,
        context_tokens: int,
        wire: Wire,
        gate: Gate,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
    ) -> None:
        self.name, self.context_tokens = name, context_tokens
        self._wire, self._gate, self._sleep, self._clock = wire, gate, sleep, clock
        self._rng = rng or random.Random()  # noqa: S311 - jitter, not a secret
        self._was_reached = False

    def answer(self, request: Request, *, deadline: float) -> Answer:
        end = self._clock() + deadline
        tries: list[Try] = []
        wait = 0.0
        while True:
            # A wait is paid by the try after it, so that no time is without an owner.
            self._sleep(wait)
            outcome, one = self._once(request, end, wait)
            tries.append(one)
            end += one.waited - wait  # the harness's own queue is nobody's delay
            if isinstance(outcome, Reply):
                return Answer(
                    message=outcome.message,
                    stop=outcome.stop,
                    tries=tuple(tries),
                    served_by=outcome.served_by,
                )
            self._raise_if_final(outcome, tuple(tries))
            wait = self._wait(outcome, len(tries))
            if self._clock() + wait >= end:
                raise ModelFailed(
                    f"{self.name}: no answer in {deadline:g} s: {outcome}", tuple(tries)
                )

    def close(self) -> None:
        self._wire.close()

    def _once(self, request: Request, end: float, waited: float) -> tuple[Reply | Fault, Try]:
        asked = self._clock()
        with self._gate.place():
            start = self._clock()
            waited += start - asked
            try:
                reply = self._wire.send(request, max(0.001, end - asked))
            except Fault as fault:
                self._was_reached |= not fault.is_unreached
                if fault.status == "rate_limited":
                    self._gate.cut()
                one = Try(
                    status=fault.status,
                    http_status=fault.http_status,
                    seconds=self._clock() - start,
                    waited=waited,
                    usage=fault.usage,
                    usage_reported=fault.usage_reported,
                    detail=str(fault),
                )
                return fault, one
            self._was_reached = True
            self._gate.answered()
            one = Try(
                status="answered",
                http_status=200,
                seconds=self._clock() - start,
                waited=waited,
                usage=reply.usage,
                usage_reported=reply.usage_reported,
            )
            return reply, one

    def _raise_if_final(self, fault: Fault, tries: tuple[Try, ...]) -> None:
        if fault.is_overflow:
            raise ContextOverflow(f"{self.name}: the request is too long: {fault}", tries)
        if fault.is_unreached and not self._was_reached:
            # What was there a moment ago may come back; what never was is a wrong address.
            raise BadInput(f"model {self.name}: {fault}; check models.{self.name}.base_url")
        if remedy := fault.remedy(self.name):
            raise BadInput(f"model {self.name}: HTTP {fault.http_status}: {fault}; {remedy}")
        if fault.status == "rejected" or len(tries) == MOST_TRIES:
            raise ModelFailed(f"{self.name}: {fault} (try {len(tries)})", tries)

    def _wait(self, fault: Fault, tries: int) -> float:
        """Seconds: what the server asks for, else a doubling backoff with jitter."""
        if fault.retry_after is not None:
            return fault.retry_after
        doubled: float = FIRST_WAIT * 2 ** (tries - 1)
        return min(LONGEST_WAIT, doubled) * self._rng.uniform(0.5, 1.0)
