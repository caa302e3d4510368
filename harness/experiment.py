"""One study: lock the plan, run the cells that are missing, keep every result."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from harness.agents.spend import STUDY, spent
from harness.errors import POLICY, BudgetSpent, SeamBenchError, is_retried
from harness.executors import Executor
from harness.llm.prices import Price
from harness.llm.settings import price_of
from harness.plan import Cell, Plan, save_plan
from harness.records import CallRecord, TrialRecord
from harness.rows import Result
from harness.store import Entry, Store
from harness.trial import Bench, check_patch, regrade_trial, run_trial

_AGENT_COLUMNS = (
    "agent_seconds",
    "waited_seconds",
    "agent_ending",
    "model_calls",
    "tool_calls",
    "input_tokens",
    "fresh_input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "compactions",
    "peak_context_tokens",
    "mean_context_tokens",
    "edits_applied",
    "edits_failed",
    "cost_usd",
)


_AGENT_FILES = frozenset({"agent.log", "trajectory.json"})
_BROKEN_OFF = POLICY[BudgetSpent].cause


class Watcher(Protocol):
    """Is told what happens while a sweep runs; called from several threads."""

    def planned(self, total: int, reused: int) -> None: ...

    def started(self, cell: Cell) -> None: ...

    def ended(self, trial: TrialRecord) -> None: ...

    def retried(self, cell: Cell, why: str) -> None: ...

    def broken_off(self, cell: Cell) -> None: ...


@dataclass(frozen=True)
class Sweep:
    """What a sweep needs: the bench, its plan, a place to write and somebody to tell."""

    bench: Bench
    plan: Plan
    store: Store
    executor: Executor
    watcher: Watcher


def run_sweep(sweep: Sweep, cells: Iterable[Cell]) -> int:
    """Run the cells that are not finished; how many of all stay lost to infrastructure.

    Stopping at any instant loses no finished trial.

    Raises EngineGone or DiskFull when nothing can go on; running again continues.
    """
    wanted = list(cells)
    todo = [cell for cell in wanted if not _is_finished(sweep.store, cell)]
    sweep.watcher.planned(len(wanted), len(wanted) - len(todo))
    _go_on_spending(sweep)
    _prepare(sweep, todo)
    left: list[Cell] = []

    def work(cell: Cell) -> None:
        # Trials wait for money that were not begun, and those that the hard stop broke off.
        is_spent = cell.kind.asks_a_model and sweep.bench.spend.reached is not None
        if is_spent or not _attempts(sweep, cell, run_trial):
            left.append(cell)

    _consume(sweep, todo, work)
    if left:
        reached = sweep.bench.spend.reached or ""
        told = f"{STUDY[reached]}={sweep.bench.spend.limits[reached]:g}"
        raise BudgetSpent(
            f"budget.{told} is spent: {len(left)} trials were not begun or not finished; "
            "raise it and run again to go on"
        )
    return sum(not _is_finished(sweep.store, cell) for cell in wanted)


def _go_on_spending(sweep: Sweep) -> None:
    """What earlier runs into the folder spent is spent, and so is what killed ones had in flight.

    The records lack that; what is kept beside them lacks what earlier versions spent.
    """
    models = sweep.bench.study.config.models
    prices = {name: price_of(model) for name, model in models.items()}
    recorded: Counter[str] = Counter()
    for taken in paid(sweep.store.calls(), sweep.plan, prices):
        recorded.update(taken)
    kept = Counter(sweep.store.spending().model_dump())
    sweep.bench.spend.go_on(recorded | kept, sweep.store.keep_spending)


def paid(
    calls: Iterable[CallRecord], plan: Plan, prices: Mapping[str, Price | None]
) -> Iterator[dict[str, float]]:
    """What each recorded call takes of what a study has.

    One that is only played again takes nothing. One without a known cost takes the most that its
    tokens can cost, where its model has prices.
    """
    cells = {cell.trial_id: cell for cell in plan.cells}
    for call in calls:
        cell, usd = cells.get(call.trial_id), call.cost_usd
        if cell is not None and cell.kind.plays:
            continue
        price = prices.get(cell.model or "") if cell is not None else None
        if usd is None and price is not None:
            usd = price.most(call.input_tokens, call.output_tokens)
        yield spent(usd, call.input_tokens, call.output_tokens)


def regrade(sweep: Sweep, patches: dict[str, bytes]) -> int:
    """Score stored patches again, by the trial_id of a trial that has a record.

    How many were lost to infrastructure: their scores of before stand. Nothing is written before
    it is known that every patch applies. Raises BadInput where one does not.
    """
    store, bench = sweep.store, sweep.bench
    cells = [cell for cell in sweep.plan.cells if cell.trial_id in patches]
    _consume(sweep, cells, lambda cell: check_patch(cell, bench, patches[cell.trial_id]))
    sweep.watcher.planned(len(cells), 0)
    _prepare(sweep, cells)
    lost: list[Cell] = []

    def again(cell: Cell, bench: Bench, plan: Plan, attempt: int) -> Result:
        graded = regrade_trial(cell, bench, plan, attempt, patches[cell.trial_id])
        if graded.entry.attempt.status != "lost":
            save_plan(store.paths, plan)  # before a row carries its digest
        return _as_worked(graded, store.finished[cell.trial_id])

    def work(cell: Cell) -> None:
        first = store.next_attempt(cell.trial_id)
        _attempts(sweep, cell, again)
        last = store.finished[cell.trial_id].attempt
        if last.status == "lost" or last.attempt < first:
            lost.append(cell)

    _consume(sweep, cells, work)
    return len(lost)


def _as_worked(graded: Result, before: Entry) -> Result:
    """What the agent did and spent is no part of a regrade: it stays as it was."""
    files = {name: content for name, content in graded.files.items() if name not in _AGENT_FILES}
    trial, worked = graded.entry.trial, before.trial
    if trial is not None and worked is not None:
        spent = {name: getattr(worked, name) for name in _AGENT_COLUMNS}
        took = worked.agent_seconds + (worked.waited_seconds or 0.0)
        trial = trial.model_copy(update=spent | {"wall_seconds": trial.wall_seconds + took})
    entry = graded.entry.model_copy(update={"trial": trial})
    return replace(graded, entry=entry, files=files, stays=_AGENT_FILES)


def _is_finished(store: Store, cell: Cell) -> bool:
    entry = store.finished.get(cell.trial_id)
    if entry is None or entry.trial is None:
        return False
    # Earlier versions scored what a study's limit broke off; a replay of that ends there, too.
    is_broken_off = entry.trial.agent_ending in STUDY.values() and not cell.kind.plays
    return entry.trial.status != "lost" and not is_broken_off


def _prepare(sweep: Sweep, cells: list[Cell]) -> None:
    """Record what the untouched arms answer before the first trial, so that no trial waits."""
    study = sweep.bench.study
    arms = {(cell.app, cell.arm, cell.dose): cell for cell in cells}
    efforts = {(cell.task, cell.arm, cell.dose): cell for cell in cells}
    references = sweep.bench.references

    def known(cell: Cell) -> None:
        references.known(study.at(cell.dose).pairs[cell.app], cell.arm)

    def effort(cell: Cell) -> None:
        at_dose = study.at(cell.dose)
        task = next(task for task in at_dose.tasks if task.id == cell.task)
        references.effort(task, at_dose.pairs[cell.app], cell.arm)

    for work, keys in ((known, arms.values()), (effort, efforts.values())):
        for _ in sweep.executor.map(work, keys):
            pass


def _consume(sweep: Sweep, cells: list[Cell], work: Callable[[Cell], object]) -> None:
    for _ in sweep.executor.map(work, cells):
        pass


def _attempts(sweep: Sweep, cell: Cell, run: Callable[[Cell, Bench, Plan, int], Result]) -> bool:
    """Attempt a cell until it ends in something that is not lost to infrastructure, or is given up.

    A retry repeats the cell as it is: nothing about it changes. False where the study's hard stop
    broke it off: the trial has no record then, and is run anew when the study goes on.
    """
    sweep.watcher.started(cell)
    most = sweep.bench.study.config.budget.attempts
    for number in range(1, most + 1):
        result = run(cell, sweep.bench, sweep.plan, sweep.store.next_attempt(cell.trial_id))
        trial = result.entry.trial
        if trial is None or trial.status != "lost":
            break
        _check(sweep, result)
        if trial.failure_cause == _BROKEN_OFF:
            _keep_calls(sweep, result)
            sweep.watcher.broken_off(cell)
            return False
        if number == most or not is_retried(trial.failure_cause):
            break
        _keep_attempt(sweep, result)
        sweep.watcher.retried(cell, trial.failure_detail or "")
    _keep(sweep, cell, result)
    return True


def _check(sweep: Sweep, result: Result) -> None:
    """Raises what ends the sweep. The trial is then as if it had not begun, but for its cost."""
    try:
        if result.stop is not None:
            raise result.stop
        sweep.bench.sandboxes.check()
    except SeamBenchError:
        _keep_calls(sweep, result)
        raise


def _keep_calls(sweep: Sweep, result: Result) -> None:
    """Keep an attempt that asked a model: what that cost is spent."""
    if result.entry.calls:
        _keep_attempt(sweep, result)


def _keep_attempt(sweep: Sweep, result: Result) -> None:
    """Keep what an attempt took, and no outcome of its trial."""
    sweep.store.append(result.entry.model_copy(update={"trial": None, "tests": ()}))


def _keep(sweep: Sweep, cell: Cell, result: Result) -> None:
    """Keep what ended a trial. What is lost takes no place of a score that is there."""
    trial, before = result.entry.trial, sweep.store.finished.get(cell.trial_id)
    is_lost = result.entry.attempt.status == "lost"
    if is_lost and before is not None and before.attempt.status != "lost":
        _keep_attempt(sweep, result)
    else:
        files = sweep.store.paths.trial(cell.trial_id)
        try:
            sweep.store.write_artefacts(files, result.files, result.stays)
        except SeamBenchError:  # a full disk, say: the trial is run again, and was paid for
            _keep_calls(sweep, result)
            raise
        sweep.store.append(result.entry)
    if trial is not None:
        sweep.watcher.ended(trial)
