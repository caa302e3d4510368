"""A trajectory in the order that other tools tell it: a turn with its tools and their results."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from harness.agents.session import Call
from harness.agents.trajectory import ToolUse, Trajectory, read_trajectory
from harness.llm import Message, Text, Thinking, ToolCall, ToolResult
from harness.paths import RunPaths
from harness.records import TrialRecord


@dataclass
class Used:
    """One use of a tool; `id` is the call's own where no other call of the trial has it."""

    id: str
    call: ToolCall
    result: ToolResult | None = None
    """null where the trial ended before there was one"""
    use: ToolUse | None = None
    """what was kept of it: kind, contexts, time"""


@dataclass
class Turn:
    """One call of the model, with what was said to it before."""

    call: Call
    said: list[str]
    tools: list[Used] = field(default_factory=list)
    stray: list[ToolResult] = field(default_factory=list)
    """results that came after it and name none of its calls"""

    @property
    def thoughts(self) -> list[Thinking]:
        """The reasoning that the answer shows."""
        parts = self.call.answer.message.parts if self.call.answer else ()
        return [part for part in parts if isinstance(part, Thinking)]


@dataclass(frozen=True)
class Talk:
    """A whole conversation; `closing` is what was said after the last answer."""

    told: Trajectory
    turns: list[Turn]
    closing: list[str]


def read_talk(paths: RunPaths, trial: TrialRecord) -> Talk | None:
    """The conversation of a trial; None where no model was asked or nothing was kept.

    Raises:
        BadInput: the file is not what a trajectory must be.
    """
    path = paths.trial(trial.trial_id).trajectory
    return talk_of(read_trajectory(path)) if path.is_file() else None


def talk_of(told: Trajectory) -> Talk:
    """The trajectory as turns: each tool's result stands beside its call."""
    uses = {(use.turn, use.number): use for use in told.uses}
    ids: set[str] = set()
    turns: list[Turn] = []
    for call in told.calls:
        said = _hear(call.new_messages, turns)
        turns.append(Turn(call, said, list(_tools(call, uses, ids))))
    return Talk(told, turns, _hear(_unsaid(told), turns))


def _tools(call: Call, uses: dict[tuple[int, int], ToolUse], ids: set[str]) -> Iterator[Used]:
    calls = call.answer.message.tool_calls if call.answer else ()
    for number, one in enumerate(calls, start=1):
        # Some servers count calls anew in each answer, or name them not at all.
        name = one.id if one.id and one.id not in ids else f"{one.id}#{call.turn}.{number}"
        ids.add(name)
        yield Used(name, one, use=uses.get((call.turn, number)))


def _hear(messages: Iterable[Message], turns: Sequence[Turn]) -> list[str]:
    """The words among the messages; results go to the tools of the last turn that lack one."""
    words = []
    for message in messages:
        for part in message.parts:
            if isinstance(part, ToolResult) and turns:
                _give(part, turns[-1])
            elif isinstance(part, Text | ToolResult):
                words.append(part.text)
    return words


def _give(result: ToolResult, turn: Turn) -> None:
    for used in turn.tools:
        if used.result is None and used.call.id == result.call_id:
            used.result = result
            return
    turn.stray.append(result)


def _unsaid(told: Trajectory) -> Sequence[Message]:
    """What closes the trial, without what a last call that got no answer had said already."""
    if not told.calls or told.calls[-1].answer is not None:
        return told.closing
    said = told.calls[-1].new_messages
    repeats = told.closing[: len(said)] == said
    return told.closing[len(said) :] if repeats else told.closing
