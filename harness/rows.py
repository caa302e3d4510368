"""From what happened in an attempt to its row in the records and its files."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from harness.agents import AgentReport
from harness.agents.session import Call
from harness.config import AgentKind
from harness.errors import PatchRefused, SeamBenchError, policy_of
from harness.llm import Usage
from harness.patch import Changes, Patch
from harness.plan import Cell
from harness.records import (
    AttemptRecord,
    CallRecord,
    Status,
    TestRecord,
    ToolRecord,
    TrialRecord,
)
from harness.scoring.collateral import collateral
from harness.scoring.effort import Effort
from harness.scoring.quality import quality
from harness.scoring.score import Score
from harness.stopwatch import Stopwatch
from harness.store import Entry, dump_json
from harness.tasks import Task
from harness.verification import Findings


@dataclass(frozen=True)
class Facts:
    """What is known of an attempt before it starts."""

    cell: Cell
    task: Task
    plan_digest: str
    isolation: str
    image_digest: str
    attempt: int
    started_at: datetime
    app_code_lines: int | None = None
    dose: int | None = None


@dataclass(frozen=True)
class Result:
    """What a trial leaves: its entry in the records, and its files by name."""

    entry: Entry
    files: Mapping[str, str | bytes]
    stays: frozenset[str] = frozenset()
    """the files of before that are the trial's still"""
    stop: SeamBenchError | None = None
    """what ended the attempt, where it ends the sweep"""


@dataclass
class Progress:
    """What is known so far; a failure reports as much of it as there is."""

    report: AgentReport = field(default_factory=lambda: AgentReport(log=""))
    patch: Patch | None = None
    findings: Findings | None = None
    score: Score | None = None
    effort: Effort | None = None


def result(
    facts: Facts, watch: Stopwatch, done: Progress, failure: SeamBenchError | None
) -> Result:
    """The records and files of an attempt, whatever became of it."""
    status, cause, detail = _ending(done, failure)
    wall = watch.total
    waited = _waited(done.report)
    tried = AttemptRecord(
        trial_id=facts.cell.trial_id,
        attempt=facts.attempt,
        status=status,
        failure_cause=cause,
        failure_detail=detail,
        started_at=facts.started_at,
        wall_seconds=wall,
    )
    trial = TrialRecord(
        **_identity(facts),
        **_scored(done, failure),
        **_collateral(facts, done),
        **_effort(done),
        **_quality(facts, done),
        status=status,
        failure_cause=cause,
        failure_detail=detail,
        attempt=facts.attempt,
        **_spent(done.report, facts.cell.kind),
        agent_seconds=watch.seconds("agent") - waited,
        waited_seconds=waited,
        verify_seconds=watch.seconds("verify"),
        overhead_seconds=watch.seconds("overhead"),
        wall_seconds=wall,
        started_at=facts.started_at,
    )
    entry = Entry(
        attempt=tried,
        trial=trial,
        tests=_tests(facts, done),
        calls=_calls(facts, done.report),
        tools=_tools(facts, done.report),
    )
    is_over = failure is not None and policy_of(failure).stops_sweep
    return Result(entry, _files(done), stop=failure if is_over else None)


def _waited(report: AgentReport) -> float:
    """Seconds that no work was done in. A call that is played again did not wait as it once did."""
    told = (min(call.seconds, sum(one.waited for one in call.tries)) for call in report.calls)
    return sum(told, report.idle)


def _ending(
    done: Progress, failure: SeamBenchError | None
) -> tuple[Status, str | None, str | None]:
    if failure is not None:
        policy = policy_of(failure)
        return "failed" if policy.counts else "lost", policy.cause, _line(failure)
    if done.findings is not None and done.findings.not_started is not None:
        return "failed", "app_did_not_start", done.findings.not_started
    return "scored", None, None


def _line(failure: SeamBenchError) -> str:
    return " ".join(str(failure).split())[:500]


def _identity(facts: Facts) -> dict[str, Any]:
    cell, task = facts.cell, facts.task
    sabotage = task.spec.sabotages.get(cell.variant or "")
    is_sabotage = cell.kind.value == "sabotage" and sabotage is not None
    return {
        "trial_id": cell.trial_id,
        "cell_id": cell.cell_id,
        "pair": cell.app,
        "app": cell.app,
        "behaviour_of": cell.behaviour_of,
        "arm": cell.arm,
        "task": cell.task,
        "family": task.spec.family,
        "task_class": task.spec.task_class,
        "target_contexts": "+".join(task.spec.contexts),
        "app_code_lines": facts.app_code_lines,
        "dose": facts.dose,
        "scope": cell.scope,
        "context_budget": cell.context_budget,
        "agent": cell.agent,
        "model": cell.model,
        "variant": cell.variant,
        "expected_factor": sabotage.fails if is_sabotage and sabotage else None,
        "repeat": cell.repeat,
        "seed": cell.seed,
        "isolation": facts.isolation,
        "image_digest": facts.image_digest,
        "plan_digest": facts.plan_digest,
    }


def _scored(done: Progress, failure: SeamBenchError | None) -> dict[str, Any]:
    names = ("behaviour", "equivalence", "structure", "contract", "integrity")
    if done.score is None:
        # A refused patch is the agent's outcome: it broke the rules of the workspace.
        integrity = False if isinstance(failure, PatchRefused) else None
        factors: dict[str, Any] = dict.fromkeys(names) | {"integrity": integrity}
        reason = f"integrity: {_line(failure)}" if failure and integrity is False else None
        return factors | {
            "resolved": False,
            "reason": reason,
            "tests_passed": 0,
            "tests_total": 0,
            "sequences_replayed": 0,
        }
    return {factor.name: factor.holds for factor in done.score.factors} | {
        "resolved": done.score.resolved,
        "reason": done.score.reason,
        "tests_passed": done.score.tests_passed,
        "tests_total": done.score.tests_total,
        "sequences_replayed": done.score.sequences_replayed,
    }


def _collateral(facts: Facts, done: Progress) -> dict[str, Any]:
    seen = done.findings
    # A start that failed says nothing of single tests: what broke then is not known.
    starts = seen.starts if seen is not None and seen.not_started is None else ()
    found = collateral((test for start in starts for test in start.tests), facts.task.spec.contexts)
    return {
        "collateral_break_share": found.break_share,
        "contexts_broken": found.contexts_broken,
    }


def _effort(done: Progress) -> dict[str, Any]:
    changes = done.patch.changes if done.patch else Changes()
    return {
        "lines_added": changes.lines_added,
        "lines_deleted": changes.lines_deleted,
        "hunks": changes.hunks,
        "files_changed": len(changes.files),
        **_code_lines(done.effort),
    }


def _code_lines(spent: Effort | None) -> dict[str, Any]:
    """The columns of the effort; null where it was not counted to the end."""
    return {
        "code_lines_added": spent.code_lines_added if spent else None,
        "code_lines_deleted": spent.code_lines_deleted if spent else None,
        "domain_lines_changed": spent.domain_lines_changed if spent else None,
        "glue_lines_changed": spent.glue_lines_changed if spent else None,
        "contexts_changed": len(spent.contexts_changed) if spent else None,
        "churn_ratio": spent.churn_ratio if spent else None,
        "edit_radius": spent.edit_radius if spent else None,
    }


def _quality(facts: Facts, done: Progress) -> dict[str, Any]:
    """The columns of quality; none where the trees could not be parsed."""
    found = done.findings.inspect.quality if done.findings else None
    if found is None:
        return {}
    change = quality(found, facts.task.spec.contexts)
    return {f"{name}_change": value for name, value in asdict(change).items()}


def _spent(report: AgentReport, kind: AgentKind) -> dict[str, Any]:
    usage = sum((call.usage for call in report.calls), Usage())
    sizes = [call.context_tokens for call in report.calls]
    costs = [call.cost_usd for call in report.calls]
    known = [cost for cost in costs if cost is not None]
    # Somebody asked a model for a patch made elsewhere; nobody told what that took.
    is_known = len(known) == len(costs) and kind is not AgentKind.predictions
    return {
        "agent_ending": report.ending,
        "model_calls": len(report.calls),
        "tool_calls": len(report.tools),
        "input_tokens": usage.input_tokens,
        "fresh_input_tokens": usage.fresh_input,
        "cache_read_tokens": usage.cache_read,
        "cache_write_tokens": usage.cache_write,
        "output_tokens": usage.output,
        "reasoning_tokens": usage.reasoning,
        "compactions": sum(call.compacted for call in report.calls),
        "peak_context_tokens": max(sizes, default=0),
        "mean_context_tokens": sum(sizes) / len(sizes) if sizes else None,
        "edits_applied": report.edits_applied,
        "edits_failed": report.edits_failed,
        "cost_usd": sum(known) if is_known else None,
    }


def _calls(facts: Facts, report: AgentReport) -> tuple[CallRecord, ...]:
    return tuple(_call(facts, number, call) for number, call in enumerate(report.calls, start=1))


def _call(facts: Facts, number: int, call: Call) -> CallRecord:
    usage = call.usage
    return CallRecord(
        trial_id=facts.cell.trial_id,
        attempt=facts.attempt,
        call=number,
        status=call.tries[-1].status,
        stop=call.answer.stop if call.answer else None,
        served_by=call.answer.served_by if call.answer else None,
        tries=len(call.tries),
        seconds=call.seconds,
        waited_seconds=sum(one.waited for one in call.tries),
        fresh_input_tokens=usage.fresh_input,
        cache_read_tokens=usage.cache_read,
        cache_write_tokens=usage.cache_write,
        cache_write_long_tokens=usage.cache_write_long,
        output_tokens=usage.output,
        reasoning_tokens=usage.reasoning,
        usage_reported=all(one.usage_reported for one in call.tries),
        cache_hit_share=usage.cache_read / usage.input_tokens if usage.input_tokens else None,
        cost_usd=call.cost_usd,
        context_tokens=call.context_tokens,
        compacted=call.compacted,
    )


def _tools(facts: Facts, report: AgentReport) -> tuple[ToolRecord, ...]:
    who = {"trial_id": facts.cell.trial_id, "attempt": facts.attempt}
    return tuple(
        ToolRecord(
            **who,
            call=use.turn,
            number=use.number,
            tool=use.name,
            kind=use.kind,
            contexts_read="+".join(use.contexts_read),
            contexts_edited="+".join(use.contexts_edited),
            request_tokens=use.request_tokens,
            result_tokens=use.result_tokens,
            seconds=use.seconds,
            ending=use.ending,
        )
        for use in report.tools
    )


def _tests(facts: Facts, done: Progress) -> tuple[TestRecord, ...]:
    starts = done.findings.starts if done.findings else ()
    return tuple(
        TestRecord(trial_id=facts.cell.trial_id, start=number, **test.model_dump())
        for number, start in enumerate(starts, start=1)
        for test in start.tests
    )


def _files(done: Progress) -> dict[str, str | bytes]:
    files: dict[str, str | bytes] = {"agent.log": done.report.log}
    if done.report.trajectory:
        files["trajectory.json"] = done.report.trajectory
    if done.patch is not None:
        files["patch.diff"] = done.patch.text
    if done.findings is not None:
        files["app.log"] = done.findings.app_log
        files["evidence.json"] = dump_json(_evidence(done.findings))
    if done.score is not None:
        factors = {f.name: {"holds": f.holds, "reason": f.reason} for f in done.score.factors}
        files["score.json"] = dump_json({"resolved": done.score.resolved, "factors": factors})
    return files


def _evidence(found: Findings) -> dict[str, Any]:
    parts = {
        "inspect": found.inspect,
        "replay": found.replay,
        "restart": None if isinstance(found.restart, str) else found.restart,
        "contract": found.contract,
    }
    dumped: dict[str, Any] = {k: json.loads(v.model_dump_json()) for k, v in parts.items() if v}
    dumped["starts"] = [json.loads(start.model_dump_json()) for start in found.starts]
    not_restarted = found.restart if isinstance(found.restart, str) else None
    return dumped | {"not_started": found.not_started, "not_restarted": not_restarted}
