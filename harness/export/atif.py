"""Conversations as Harbor's Agent Trajectory Interchange Format (ATIF), one file a trial.

What the format has no place for stands in its `extra` fields. It wants times of day for steps;
a run keeps durations only, so there are none.
"""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, Literal

from harness.analysis.frame import read_trial_records, write_file
from harness.analysis.order import FACTORS
from harness.errors import BadInput
from harness.export.turns import Talk, Turn, Used, read_talk
from harness.llm import Tool, Usage
from harness.paths import RunPaths
from harness.records import Record, TrialRecord

VERSION = "ATIF-v1.7"
"""the oldest that has every field written here"""
Extra = dict[str, Any]

_ABOUT = (
    "app", "arm", "task", "family", "task_class", "scope", "context_budget", "dose",
    "behaviour_of", "variant", "repeat", "seed", "status", "failure_cause", "failure_detail",
    "resolved", *FACTORS, "reason", "agent_ending", "plan_digest",
)  # fmt: skip


class ToolCall(Record):
    """A tool that the model asked for."""

    tool_call_id: str
    function_name: str
    arguments: dict[str, Any]
    extra: Extra | None


class ObservationResult(Record):
    """What a tool gave back."""

    source_call_id: str | None
    content: str
    extra: Extra | None


class Observation(Record):
    """What all tools of a step gave back."""

    results: tuple[ObservationResult, ...]


class Metrics(Record):
    """What a step took. `prompt_tokens` has caches in it."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    cost_usd: float | None
    extra: Extra


class Step(Record):
    """One message of the system or the user, or one turn of the agent."""

    step_id: int
    source: Literal["system", "user", "agent"]
    message: str
    model_name: str | None = None
    reasoning_content: str | None = None
    tool_calls: tuple[ToolCall, ...] | None = None
    observation: Observation | None = None
    metrics: Metrics | None = None
    llm_call_count: int | None = None
    extra: Extra | None = None


class Agent(Record):
    """Who worked; `version` is the digest of what the plan locked, its prompts among it."""

    name: str
    version: str
    model_name: str | None
    tool_definitions: tuple[dict[str, Any], ...]
    extra: Extra


class FinalMetrics(Record):
    """Sums over the steps; an unknown cost leaves no sum."""

    total_prompt_tokens: int
    total_completion_tokens: int
    total_cached_tokens: int
    total_cost_usd: float | None
    total_steps: int
    extra: Extra


class Trajectory(Record):
    """A document of the format."""

    schema_version: str = VERSION
    session_id: str
    trajectory_id: str
    agent: Agent
    steps: tuple[Step, ...]
    final_metrics: FinalMetrics
    extra: Extra


def export(folder: Path, out: Path) -> list[Path]:
    """Write `<trial_id>.json` for each trial that holds a conversation; the paths written.

    Raises:
        BadInput: no trial has ended, none holds a conversation, or one cannot be read.
    """
    paths = RunPaths(folder)
    written = []
    for trial in read_trial_records(folder):
        talk = read_talk(paths, trial)
        if talk is not None:
            written.append(write_file(out / f"{trial.trial_id}.json", text(trial, talk)))
    if not written:
        raise BadInput(f"{paths.trials}: no trial holds a trajectory.json; was a model asked?")
    return written


def text(trial: TrialRecord, talk: Talk) -> str:
    """The trial's document as JSON."""
    return trajectory(trial, talk).model_dump_json(exclude_none=True, indent=1) + "\n"


def trajectory(trial: TrialRecord, talk: Talk) -> Trajectory:
    """The trial's document."""
    steps = tuple(_steps(talk))
    return Trajectory(
        session_id=trial.trial_id,
        trajectory_id=trial.trial_id,
        agent=_agent(trial, talk),
        steps=steps,
        final_metrics=_final(trial, talk, len(steps)),
        extra={name: getattr(trial, name) for name in _ABOUT} | {"failure": talk.told.failure},
    )


def _agent(trial: TrialRecord, talk: Talk) -> Agent:
    return Agent(
        name=trial.agent,
        version=trial.plan_digest,
        model_name=trial.model,
        tool_definitions=tuple(map(_tool_on_offer, talk.told.tools)),
        extra={"scaffold": talk.told.scaffold, "limits": talk.told.limits},
    )


def _tool_on_offer(tool: Tool) -> dict[str, Any]:
    return {"type": "function", "function": tool.model_dump()}


def _final(trial: TrialRecord, talk: Talk, steps: int) -> FinalMetrics:
    usage = sum((turn.call.usage for turn in talk.turns), Usage())
    costs = [turn.call.cost_usd for turn in talk.turns]
    known = [cost for cost in costs if cost is not None]
    return FinalMetrics(
        total_prompt_tokens=usage.input_tokens,
        total_completion_tokens=usage.output,
        total_cached_tokens=usage.cache_read,
        total_cost_usd=sum(known) if len(known) == len(costs) else None,
        total_steps=steps,
        extra={
            "cache_write_tokens": usage.cache_write,
            "reasoning_tokens": usage.reasoning,
            "model_calls": len(talk.turns),
            "tool_calls": sum(len(turn.tools) for turn in talk.turns),
            "agent_seconds": trial.agent_seconds,
        },
    )


def _steps(talk: Talk) -> Iterator[Step]:
    number = count(1)
    if talk.told.system:
        yield Step(step_id=next(number), source="system", message=talk.told.system)
    for turn in talk.turns:
        yield from (_said(words, next(number)) for words in turn.said)
        yield _turn(turn, next(number))
    yield from (_said(words, next(number)) for words in talk.closing)


def _said(words: str, number: int) -> Step:
    return Step(step_id=number, source="user", message=words)


def _turn(turn: Turn, number: int) -> Step:
    answer = turn.call.answer
    thoughts = turn.thoughts
    results = tuple(_results(turn))
    return Step(
        step_id=number,
        source="agent",
        message=answer.message.text if answer else "",
        model_name=answer.served_by if answer else None,
        reasoning_content="\n".join(one.text for one in thoughts if one.text) or None,
        tool_calls=tuple(map(_tool_call, turn.tools)) or None,
        observation=Observation(results=results) if results else None,
        metrics=_metrics(turn),
        llm_call_count=_inferences(turn),
        extra=_about(turn),
    )


def _about(turn: Turn) -> Extra:
    call, answer = turn.call, turn.call.answer
    about: Extra = {
        "seconds": call.seconds,
        "stop": answer.stop if answer else None,
        "request_digest": call.request_digest,
        "context_tokens": call.context_tokens,
        "compacted": call.compacted,
    }
    sealed = [one.sealed for one in turn.thoughts if one.sealed]
    return about | ({"sealed_reasoning": sealed} if sealed else {})


def _metrics(turn: Turn) -> Metrics:
    usage, tries = turn.call.usage, turn.call.tries
    return Metrics(
        prompt_tokens=usage.input_tokens,
        completion_tokens=usage.output,
        cached_tokens=usage.cache_read,
        cost_usd=turn.call.cost_usd,
        extra={
            "cache_write_tokens": usage.cache_write,
            "reasoning_tokens": usage.reasoning,
            "tries": [{"status": one.status, "detail": one.detail} for one in tries],
            "usage_reported": all(one.usage_reported for one in tries),
        },
    )


def _inferences(turn: Turn) -> int | None:
    """How often a model was at work for this turn, as far as that can be told: null if not."""
    counted = sum(one.usage != Usage() for one in turn.call.tries)
    return max(counted, 1 if turn.call.answer else 0) or None


def _tool_call(used: Used) -> ToolCall:
    asked = used.call
    extra: Extra = {} if asked.arguments is not None else {"raw": asked.raw}
    if used.id != asked.id:
        extra["id"] = asked.id
    if used.use is not None:
        kept = {"kind", "contexts_read", "contexts_edited", "request_tokens"}
        extra |= used.use.model_dump(mode="json", include=kept)
    return ToolCall(
        tool_call_id=used.id,
        function_name=asked.name,
        arguments=asked.arguments or {},
        extra=extra or None,
    )


def _results(turn: Turn) -> Iterator[ObservationResult]:
    for used in turn.tools:
        if used.result is None:
            continue
        extra: Extra = {"is_error": used.result.is_error}
        if used.use is not None:
            kept = {"ending", "seconds", "result_tokens"}
            extra |= used.use.model_dump(include=kept)
        yield ObservationResult(source_call_id=used.id, content=used.result.text, extra=extra)
    for result in turn.stray:
        yield ObservationResult(
            source_call_id=None, content=result.text, extra={"call_id": result.call_id}
        )
