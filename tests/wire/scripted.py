"""A model without any wire: a full implementation of the Protocol, for tests of what is above."""

import threading
from collections.abc import Callable, Iterable

from harness.errors import ContextOverflow, ModelFailed, ModelRefused
from harness.llm import Answer, Message, Request, Stop, Text, ToolCall, Try, Usage
from harness.llm.arguments import read_call
from harness.llm.protocol import UNMETERED, Meter

Step = Answer | ModelFailed | ModelRefused


class ScriptedModel:
    """Says what it was told to, in order; or asks a function of the request."""

    def __init__(
        self, steps: Iterable[Step] | Callable[[Request], Step], context_tokens: int = 32_768
    ) -> None:
        self.name, self.context_tokens = "scripted", context_tokens
        self.requests: list[Request] = []
        self.deadlines: list[float] = []
        self._steps = steps if callable(steps) else iter(list(steps))
        self._lock = threading.Lock()

    def answer(self, request: Request, *, deadline: float, meter: Meter = UNMETERED) -> Answer:
        assert deadline > 0
        with meter.trying() as tell:
            with self._lock:
                self.requests.append(request)
                self.deadlines.append(min(deadline, meter.left(0.0)))
                steps = self._steps
            step = steps(request) if callable(steps) else next(steps, says(""))
            first, *more = step.tries
            tell(first)
        for one in more:
            with meter.trying() as tell:
                tell(one)
        if isinstance(step, Answer):
            return step
        raise step

    def close(self) -> None: ...


def answer(parts: Iterable[object], stop: Stop = "end", usage: Usage | None = None) -> Answer:
    used = usage or Usage(fresh_input=100, output=10)
    return Answer(
        message=Message(role="assistant", parts=tuple(parts)),  # type: ignore[arg-type]
        stop=stop,
        tries=(Try(status="answered", http_status=200, seconds=0.01, usage=used),),
        served_by="scripted",
    )


def says(text: str, stop: Stop = "end") -> Answer:
    return answer([Text(text=text)] if text else [], stop)


def uses(*calls: tuple[str, object], stop: Stop = "tool_calls") -> Answer:
    """Tool calls by name and arguments; a text stands for arguments as they were written."""
    parts: list[ToolCall] = [
        read_call(f"call_{number}", name, arguments)
        for number, (name, arguments) in enumerate(calls)
    ]
    return answer(parts, stop)


def fails(*, overflow: bool = False) -> ModelFailed:
    tries = (Try(status="server_error", http_status=500, seconds=0.1),)
    return (ContextOverflow if overflow else ModelFailed)("scripted: told to fail", tries)
