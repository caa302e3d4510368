"""One trial: an agent works, its workspace becomes a patch, the patch is verified and scored."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from traceback import extract_tb

from harness.agents import Agent, Assignment
from harness.agents.spend import Spend
from harness.bases import Bases
from harness.config import AgentKind
from harness.errors import BadInput, HarnessFailed, PatchRefused, SeamBenchError
from harness.llm.concurrency import Gates
from harness.pairs import Pair
from harness.patch import Tree, apply_patch, make_patch, read_workspace
from harness.plan import Cell, Plan, Study
from harness.references import References
from harness.rows import Facts, Progress, Result, result
from harness.sandbox import Sandboxes
from harness.scoring.effort import effort
from harness.scoring.score import Score, score, unstarted
from harness.stopwatch import Stopwatch
from harness.tasks import Task
from harness.verification import Findings, Subject, verify

WORKSPACE_BYTES = 96 * 2**20
"""Largest tar that is taken out of an agent sandbox."""


@dataclass(frozen=True)
class Bench:
    """Everything a trial needs besides its cell; put together in `build`."""

    study: Study
    sandboxes: Sandboxes
    agents: Mapping[str, Agent]
    bases: Bases
    references: References
    spend: Spend = field(default_factory=Spend)
    gates: Gates = field(default_factory=Gates)

    def stop(self) -> None:
        """End what runs: no model is asked any more, and every sandbox is gone."""
        self.gates.shut()
        self.sandboxes.abort()


def agent_key(agent: str, kind: AgentKind, model: str | None) -> str:
    """The name under which a bench holds an agent with its model."""
    return f"{agent}/{model}" if kind.asks_a_model else agent


def run_trial(cell: Cell, bench: Bench, plan: Plan, attempt: int) -> Result:
    """Attempt a cell once. Every failure is a record; the result holds the one that is a stop."""
    return _attempt(cell, bench, plan, attempt, stored=None)


def regrade_trial(cell: Cell, bench: Bench, plan: Plan, attempt: int, patch: bytes) -> Result:
    """Score a stored patch again, without its agent."""
    return _attempt(cell, bench, plan, attempt, stored=patch)


def check_patch(cell: Cell, bench: Bench, patch: bytes) -> None:
    """Raises BadInput where a stored patch is none of the base as it is now."""
    base = bench.bases.repository(_pair(cell, bench), cell.arm, _task(cell, bench))
    try:
        if patch:
            apply_patch(base, patch)
    except PatchRefused as error:
        told = f"{cell.trial_id}: its patch.diff is of another base than the {cell.task} of now"
        raise BadInput(f"{told}: {error}") from error


def _attempt(cell: Cell, bench: Bench, plan: Plan, attempt: int, stored: bytes | None) -> Result:
    started, watch, done = datetime.now(UTC), Stopwatch(), Progress()
    failure: SeamBenchError | None = None
    try:
        tree = _work(cell, bench, watch, done) if stored is None else None
        _verify(cell, bench, watch, done, tree, stored)
    except SeamBenchError as error:
        failure = error
    except Exception as error:  # noqa: BLE001 - a defect costs its trial alone
        failure = _unexpected(error)
    facts = Facts(
        cell=cell,
        task=_task(cell, bench),
        plan_digest=plan.digest,
        isolation=bench.sandboxes.isolation,
        image_digest=bench.sandboxes.image_digest,
        attempt=attempt,
        started_at=started,
        app_code_lines=bench.bases.code_lines(_pair(cell, bench), cell.arm),
        dose=_pair(cell, bench).spec.dose,
    )
    return result(facts, watch, done, failure)


def _unexpected(error: Exception) -> HarnessFailed:
    """What was raised, and in which line of the harness's own code."""
    own = [frame for frame in extract_tb(error.__traceback__) if "/harness/" in frame.filename]
    where = "/".join(Path(own[-1].filename).parts[-2:]) + f":{own[-1].lineno}"
    told = " ".join(str(error).split())[:200]
    return HarnessFailed(f"{type(error).__name__} in {where}: {told}; please report it")


def _work(cell: Cell, bench: Bench, watch: Stopwatch, done: Progress) -> Tree:
    """Let the agent work in a sandbox of its own and take its workspace out."""
    task, pair = _task(cell, bench), _pair(cell, bench)
    view = bench.bases.view(pair, cell.arm, task, cell.scope)
    seconds = bench.study.config.budget.agent_seconds
    assignment = Assignment(
        task=task,
        arm=cell.arm,
        variant=cell.variant,
        seed=cell.seed,
        seconds=task.spec.agent_seconds if seconds is None else seconds,
        scope=cell.scope,
        context_budget=cell.context_budget,
        pair=pair,
    )
    if view.kept is not None and bench.sandboxes.isolation == "none":
        raise BadInput("sandbox=process: what scope own hides needs isolation; use docker")
    with watch.span("overhead"), bench.sandboxes.open("agent") as sandbox:
        sandbox.put(view.repository.workspace_tar(), "/work")
        if view.kept is not None:
            sandbox.keep(view.kept)
        with watch.span("agent"):
            agent = bench.agents[agent_key(cell.agent, cell.kind, cell.model)]
            done.report = agent.work(assignment, sandbox)
        # What was paid for is known before a failure is told.
        if done.report.failure is not None:
            raise done.report.failure
        tar = sandbox.get("/work", limit=WORKSPACE_BYTES)
    with watch.span("overhead"):
        workspace = read_workspace(tar, pair.spec.unpatched)
        log = "\n".join((done.report.log.rstrip("\n"), *workspace.notes)) + "\n"
        done.report = replace(done.report, log=log) if workspace.notes else done.report
        return view.whole(workspace.tree)


def _verify(
    cell: Cell,
    bench: Bench,
    watch: Stopwatch,
    done: Progress,
    worked: Tree | None,
    stored: bytes | None,
) -> None:
    """Turn the tree or the stored patch into evidence and a score."""
    task, pair = _task(cell, bench), _pair(cell, bench)
    base = bench.bases.repository(pair, cell.arm, task)
    with watch.span("overhead"):
        if worked is None:
            worked = apply_patch(base, stored) if stored else base.files
        done.patch = make_patch(base, worked)
        # Only the patch goes on: what is verified is the base plus the patch, never the workspace.
        tree = base.files if done.patch.is_empty else apply_patch(base, done.patch.text)
        if tree != worked:
            raise PatchRefused("the patch does not give the workspace back")
    subject = Subject(pair, cell.arm, base.files, tree, task, done.patch.changes.renamed)
    known = bench.references.known(pair, cell.arm)
    rules = bench.study.config.verification
    done.findings = verify(bench.sandboxes, subject, known, rules, watch)
    done.score = _score(done.findings, task, rules.sequences)
    reference = bench.references.effort(task, pair, cell.arm)
    counted = done.findings.inspect.counted
    done.effort = effort(counted, reference) if counted else None


def _score(found: Findings, task: Task, sequences: int) -> Score:
    if found.replay is None or found.contract is None:
        why = found.not_started or "the app did not start"
        predicates = task.spec.predicates
        return unstarted(found.inspect, why, predicates=predicates, starts=found.starts)
    return score(
        found.starts,
        found.replay,
        found.restart,
        found.inspect,
        found.contract,
        predicates=task.spec.predicates,
        least_sequences=sequences,
    )


def _task(cell: Cell, bench: Bench) -> Task:
    return next(task for task in bench.study.at(cell.dose).tasks if task.id == cell.task)


def _pair(cell: Cell, bench: Bench) -> Pair:
    return bench.study.at(cell.dose).pairs[cell.app]
