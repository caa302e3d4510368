"""The task's gate, on every arm: the base fails, nop fails, solutions resolve, sabotages do not."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from harness.config import CONTROLS, AgentConfig, AgentKind
from harness.errors import BadInput
from harness.executors import Executor
from harness.experiment import Sweep, Watcher, run_sweep
from harness.gates.pairs import differing
from harness.paths import RunPaths
from harness.plan import Cell, Plan, Study, View, make_cell
from harness.records import TrialRecord
from harness.specfile import choose
from harness.store import Store
from harness.tasks import Task
from harness.trial import Bench

FACTORS = ("behaviour", "equivalence", "structure", "contract", "integrity")
_FAULTS = frozenset({"behaviour", "equivalence"})
"""what a seeded fault may fail beside structure, and one of which it must"""
AGENTS = {kind.value: AgentConfig(kind) for kind in CONTROLS}


def validate_tasks(
    bench: Bench, executor: Executor, watcher: Watcher, console: Console, folder: Path
) -> bool:
    """Run every control on every task and arm and print what is not as it must be.

    Trials are kept in `folder` until all have ended, so that a gate that was broken off goes on.

    Raises BadInput where there is nothing to prove.
    """
    _check_arms(bench.study)
    cells = tuple(cell for task in bench.study.tasks for cell in _cells(bench, task))
    if not cells:
        raise BadInput("validate: nothing to prove: this dose changes no arm of these tasks")
    plan = Plan(name="validate", locks={}, cells=cells)
    with Store(RunPaths(folder)) as store:
        for evidence, some in _evidence(bench, cells):
            run_sweep(Sweep(evidence, plan, store, executor, watcher), some)
        problems = list(_problems(bench, store, cells))
    shutil.rmtree(folder)
    for task in bench.study.tasks:
        for told in _parts(task):
            console.print(f"  {told}", soft_wrap=True)
    for problem in problems:
        console.print(f"  {problem}", soft_wrap=True)
    good = len(cells) - len({problem.split(":")[0] for problem in problems})
    names = ", ".join(dict.fromkeys(cell.task for cell in cells))
    console.print(f"{good} of {len(cells)} controls as they must be, over {names}", soft_wrap=True)
    return not problems


def _parts(task: Task) -> Iterator[str]:
    """Which overlays have a part that is not woven, but written for an arm alone."""
    for folder in sorted({path.parent for path in task.folder.rglob("*.extra.patch")}):
        found = sorted(
            path.name.removesuffix(".extra.patch") for path in folder.glob("*.extra.patch")
        )
        arms = ", ".join(found).replace(".dose", " from dose ")
        yield f"{task.id}/{folder.relative_to(task.folder)}: with a part for {arms}"


def _cells(bench: Bench, task: Task) -> Iterator[Cell]:
    """Nop, every solution and every sabotage, on every arm."""
    plays: list[tuple[str, str | None]] = [("nop", None)]
    plays += [("oracle", name) for name in task.spec.solutions]
    plays += [("sabotage", name) for name in task.spec.sabotages]
    for dose, arm in _arms(bench, task):
        for agent, variant in plays:
            view = View(dose=dose)
            yield make_cell(bench.study, task, arm, agent, AGENTS[agent], variant, 0, view)


def _evidence(bench: Bench, cells: tuple[Cell, ...]) -> Iterator[tuple[Bench, list[Cell]]]:
    """How much evidence which cells take.

    Every fresh start must show a solution right. What must be refused is refused by one start, as
    in a trial, where a start that fails is the last.
    """
    study = bench.study
    once = replace(study.config, verification=replace(study.config.verification, starts=1))
    solutions = [cell for cell in cells if cell.kind is AgentKind.oracle]
    refused = [cell for cell in cells if cell.kind is not AgentKind.oracle]
    yield replace(bench, study=replace(study, config=once)), refused
    yield bench, solutions


def _check_arms(study: Study) -> None:
    """An arm that is asked for is one of some task; not every app has the same."""
    apps = {task.spec.app for task in study.tasks}
    known = sorted({arm for app in apps for arm in study.pairs[app].spec.arms})
    for arm in study.config.arms:
        choose("arm", arm, known, "config: arms")


def _arms(bench: Bench, task: Task) -> Iterator[tuple[int | None, str]]:
    """Every arm that is asked for and there; with doses, at each of them that changes the arm."""
    pair, wanted = bench.study.pairs[task.spec.app], bench.study.config.arms
    asked = [arm for arm in pair.spec.arms if arm in wanted or not wanted]
    if not bench.study.doses:
        yield from ((None, arm) for arm in asked)
    for dose, study in bench.study.doses.items():
        woven = study.pairs[task.spec.app]
        yield from ((dose, arm) for arm in differing(bench, pair, woven) if arm in asked)


def _problems(bench: Bench, store: Store, cells: tuple[Cell, ...]) -> Iterator[str]:
    tasks = {task.id: task for task in bench.study.tasks}
    for cell in cells:
        trial = store.finished[cell.trial_id].trial
        if trial is None or trial.status == "lost":
            yield f"{cell.trial_id}: lost to infrastructure: {trial and trial.failure_detail}"
            continue
        evidence = store.paths.trial(cell.trial_id).evidence
        for problem in _judge(tasks[cell.task], cell, trial, evidence):
            yield f"{cell.trial_id}: {problem}"


def _judge(task: Task, cell: Cell, trial: TrialRecord, evidence: Path) -> Iterator[str]:
    failing = {name for name in FACTORS if getattr(trial, name) is False}
    match cell.kind:
        case AgentKind.oracle:
            if not trial.resolved:
                yield f"the solution is not resolved: {trial.reason or trial.failure_detail}"
        case AgentKind.nop:
            yield from _judge_nop(task, failing, trial, evidence)
        case AgentKind.sabotage:
            yield from _judge_sabotage(task, cell, failing, trial)


def _judge_nop(task: Task, failing: set[str], trial: TrialRecord, evidence: Path) -> Iterator[str]:
    if trial.resolved:
        yield "nop is resolved"
    for predicate in json.loads(evidence.read_bytes())["inspect"]["structure"]:
        if predicate["holds"]:
            yield f"the predicate {predicate['name']} holds on the untouched base"
    # A seeded fault is meant to be seen; in all else, and in any other task, the base is sound.
    faults = _FAULTS if task.spec.task_class == "D" else frozenset[str]()
    if faults and not failing & faults:
        yield "no test and no sequence sees the fault of the untouched base"
    if failing - faults != {"structure"}:
        yield f"the untouched base fails {', '.join(sorted(failing))}: {trial.reason}"


def _judge_sabotage(task: Task, cell: Cell, failing: set[str], trial: TrialRecord) -> Iterator[str]:
    sabotage = task.spec.sabotages[cell.variant or ""]
    if sabotage.fails not in failing:
        seen = ", ".join(sorted(failing)) or "nothing"
        yield f"must fail {sabotage.fails}, fails {seen}: {trial.reason or trial.failure_detail}"
    unstated = failing - {sabotage.fails, *sabotage.also}
    if unstated:
        yield f"also fails {', '.join(sorted(unstated))}, which task.yaml does not state"
