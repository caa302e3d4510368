"""A conversation as events: what Inspect's transcript shows and its tables of messages read.

A run keeps how long each call of the model and each tool took, and no times of day. An event's time
is the start of the trial and the sum of what came before it: the order and the lengths are as
recorded, what the harness did in between is left out. The input of a call is the conversation up to
it; where its metadata says `compacted`, less of it was sent.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from inspect_ai.event import Event, ModelEvent, ToolEvent
from inspect_ai.model import ChatMessage, GenerateConfig
from inspect_ai.tool import ToolInfo

from harness.export.inspect.talk import NO_MODEL, Exchange, Spoken, output, tool_error
from harness.export.turns import Talk, Used
from harness.records import TrialRecord


@dataclass
class _Teller:
    """Tells a conversation's events one after the other, with `seconds` of work told so far."""

    trial: TrialRecord
    tools: list[ToolInfo]
    config: GenerateConfig
    heard: list[ChatMessage]
    seconds: float = 0.0
    told: int = 0

    def exchange(self, one: Exchange) -> Iterator[Event]:
        """The call of the model, then each tool that it asked for."""
        call = one.turn.call
        self.heard += one.said
        got = output(one)
        yield ModelEvent(
            model=self.trial.model or NO_MODEL,
            input=list(self.heard),
            tools=self.tools,
            tool_choice="auto",
            config=self.config,
            output=got,
            error=got.error,
            retries=max(0, len(call.tries) - 1),
            metadata={"turn": call.turn, "compacted": call.compacted},
            working_time=call.seconds - sum(tried.waited for tried in call.tries),
            **self._when(call.seconds),
        )
        yield from map(self._tool, one.turn.tools)
        self.heard += [*([one.answer] if one.answer else []), *one.results]

    def _tool(self, used: Used) -> ToolEvent:
        seconds = used.use.seconds if used.use else 0.0
        return ToolEvent(
            id=used.id,
            function=used.call.name,
            arguments=used.call.arguments or {},
            result=used.result.text if used.result else "",
            error=tool_error(used),
            working_time=seconds,
            metadata=used.use.model_dump(mode="json") if used.use else None,
            **self._when(seconds),
        )

    def _when(self, seconds: float) -> dict[str, Any]:
        """The times of the next event, and its id."""
        self.told += 1
        start, self.seconds = self.seconds, self.seconds + seconds
        return {
            "uuid": f"{self.trial.trial_id}-{self.told}",
            "timestamp": self.trial.started_at + timedelta(seconds=start),
            "completed": self.trial.started_at + timedelta(seconds=self.seconds),
            "working_start": start,
        }


def events(spoken: Spoken, trial: TrialRecord, talk: Talk) -> Iterator[Event]:
    """An event for each call of the model and each use of a tool, in order."""
    teller = _Teller(
        trial=trial,
        tools=[ToolInfo.model_validate(tool.model_dump()) for tool in talk.told.tools],
        config=GenerateConfig(max_tokens=talk.told.limits.get("max_output_tokens")),
        heard=list(spoken.opening),
    )
    for one in spoken.exchanges:
        yield from teller.exchange(one)
