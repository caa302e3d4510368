"""A model that says again what it said: the recorded answers, and a check of the questions."""

from collections.abc import Callable, Sequence
from itertools import count

from harness.errors import BadInput, ModelFailed
from harness.llm.protocol import UNMETERED, Answer, Meter, Request


class Diverged(BadInput):
    """A question differs from the recorded one."""


class ReplayModel:
    """Implements Model from `(request digest, answer or how it failed)` pairs."""

    def __init__(
        self,
        name: str,
        context_tokens: int,
        recorded: Sequence[tuple[str, Answer | ModelFailed]],
        digest: Callable[[Request], str],
    ) -> None:
        self.name, self.context_tokens = name, context_tokens
        self._recorded, self._digest = recorded, digest
        self._numbers = count(1)  # one number each, whatever asks at once

    def answer(
        self,
        request: Request,
        *,
        deadline: float,  # noqa: ARG002 - no waiting
        meter: Meter = UNMETERED,
    ) -> Answer:
        number = next(self._numbers)
        if number > len(self._recorded):
            raise Diverged(f"{self.name}: call {number}: only {len(self._recorded)} were recorded")
        digest, answer = self._recorded[number - 1]
        if self._digest(request) != digest:
            raise Diverged(f"{self.name}: call {number}: the first that differs from the record")
        for one in answer.tries:
            with meter.trying() as tell:
                tell(one)
        if isinstance(answer, ModelFailed):
            raise answer
        return answer

    def close(self) -> None: ...
