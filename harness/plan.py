"""Cells, and the lock: everything that can change a result, written down before the first trial."""

import hashlib
import json
import random
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from harness.config import (
    CONTEXT_BUDGETS,
    AgentConfig,
    AgentKind,
    RunConfig,
)
from harness.errors import BadInput
from harness.pairs import Pair
from harness.paths import RunPaths
from harness.predictions import read_predictions
from harness.records import Record, TrialId, TrialRecord
from harness.specfile import choose
from harness.store import dump_json, opening, write_atomically
from harness.tasks import Task

LABEL_BYTES = 200
"""of what a trial's id says for people; it names a folder, and the digest in it tells it apart"""
ALWAYS = frozenset({"verifier", "scoring"})
"""Locks that every plan has, whatever it is of; those of earlier versions lack them.

No agent works under them (`locks` has apart what some do), so where they change a regrade is all
that it takes to go on."""
FORMAT: Literal[1] = 1
"""Version of plan.json; a plan of another version is refused."""


class Cell(Record):
    """One combination of factors with one repeat: what a trial attempts."""

    trial_id: TrialId
    cell_id: str
    app: str
    behaviour_of: str | None = None
    """the app whose behaviour it has: what estimates take as a cluster"""
    arm: str
    task: str
    scope: str
    context_budget: str = "full"
    dose: int | None = None
    """of couplings; null: the app as it is"""
    agent: str
    kind: AgentKind
    variant: str | None
    model: str | None
    repeat: int
    seed: int


class Plan(Record):
    """The cells in the order they run, and the digests of everything they depend on."""

    format: Literal[1] = FORMAT
    name: str
    locks: dict[str, str]
    """what can change a result -> its digest or value"""
    cells: tuple[Cell, ...]
    judged: dict[str, str] = Field(default_factory=dict)
    """the locks that were others when the patches were last scored again"""
    earlier: dict[str, dict[str, str]] = Field(default_factory=dict)
    """digests that rows of before carry -> the locks that they were made under"""

    @property
    def in_force(self) -> dict[str, str]:
        """The locks that a verdict is made under now."""
        return self.locks | self.judged

    @property
    def digest(self) -> str:
        """Digest of what can change a result. Cells are left out: adding some changes no other."""
        return digest(self.in_force)

    def judged_otherwise(self, row_digest: str) -> bool:
        """Whether a row's verdict was made under locks that are others than those in force."""
        if row_digest == self.digest:
            return False
        made_under = self.earlier.get(row_digest)
        return made_under is None or bool(differing(made_under, self.in_force))


@dataclass(frozen=True)
class Study:
    """The loaded inputs of a run."""

    config: RunConfig
    pairs: Mapping[str, Pair]
    tasks: tuple[Task, ...]
    doses: Mapping[int, "Study"] = field(default_factory=dict)
    """the same pairs and tasks, woven at each dose that the config names"""

    def at(self, dose: int | None) -> "Study":
        """The inputs at a dose; null: as they are. Raises BadInput for a dose that is not there."""
        if dose is None:
            return self
        choose("dose", str(dose), [str(each) for each in self.doses], "config: doses")
        return self.doses[dose]


def digest(value: Any) -> str:
    """SHA-256 of a value's canonical JSON."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


def expand(study: Study) -> tuple[Cell, ...]:
    """Every cell, in a seeded random order that interleaves arms.

    The blocks of (task, agent, repeat) are shuffled, and within a block the arms; so both arms of
    a task run close together in time and neither is always first.
    """
    rng = random.Random(study.config.seed)  # noqa: S311 - an order, not a secret
    blocks = [
        (task, name, agent, view, repeat)
        for task in study.tasks
        for name, agent in study.config.agents.items()
        if not agent.kind.plays
        for view in _views(study.config, agent)
        for repeat in range(study.config.repeats)
    ]
    rng.shuffle(blocks)
    cells: list[Cell] = []
    for task, name, agent, view, repeat in blocks:
        variant = _variant(task, agent, repeat)
        arms = asked_arms(study, task)
        rng.shuffle(arms)
        cells += [make_cell(study, task, arm, name, agent, variant, repeat, view) for arm in arms]
    return (*cells, *_replays(study), *_predicted(study))


@dataclass(frozen=True)
class View:
    """The factors that only an agent with a model has, and the dose of couplings."""

    model: str | None = None
    scope: str = "all"
    context_budget: str = "full"
    dose: int | None = None


def _views(config: RunConfig, agent: AgentConfig) -> list[View]:
    doses: list[int | None] = [*config.doses] or [None]
    if not agent.kind.asks_a_model:
        return [View(dose=dose) for dose in doses]
    factors = product(config.models, config.scopes, config.context_budgets, doses)
    return [View(*each) for each in factors]


def _replays(study: Study) -> Iterator[Cell]:
    """One cell for each recorded trial of a model, in the recorded order."""
    names = [n for n, agent in study.config.agents.items() if agent.kind is AgentKind.replay]
    if not names or study.config.replay_from is None:
        return
    paths = RunPaths(Path(study.config.replay_from))
    plan = read_plan(paths)
    if plan is None:
        raise BadInput(f"{paths.plan}: no plan there; is from= a results folder?")
    tasks = {task.id: task for task in study.tasks}
    for cell in plan.cells:
        task = tasks.get(cell.task)
        is_played = cell.model is not None and paths.trial(cell.trial_id).trajectory.exists()
        if task is not None and is_played and cell.arm in asked_arms(study, task):
            study.at(cell.dose)
            view = View(cell.model, cell.scope, cell.context_budget, cell.dose)
            yield make_cell(study, task, cell.arm, names[0], study.config.agents[names[0]],
                            cell.trial_id, cell.repeat, view)  # fmt: skip


def _predicted(study: Study) -> Iterator[Cell]:
    """One cell for each patch made elsewhere, in the order of the file."""
    names = [n for n, a in study.config.agents.items() if a.kind is AgentKind.predictions]
    if not names or study.config.replay_from is None:
        return
    path = Path(study.config.replay_from)
    tasks = {task.id: task for task in study.tasks}
    for (model, instance), prediction in read_predictions(path).items():
        where = f"{path}: instance_id {prediction.instance_id}"
        task = tasks[choose("task", instance.task, list(tasks), where)]
        choose("arm", instance.arm, list(study.pairs[task.spec.app].spec.arms), where)
        choose("scope", instance.scope, ["all", "own"], where)
        choose("budget", instance.context_budget, list(CONTEXT_BUDGETS), where)
        dose = _dose(study, task, instance.dose)
        view = View(model, instance.scope, instance.context_budget, dose)
        yield make_cell(study, task, instance.arm, names[0], study.config.agents[names[0]],
                        prediction.key, instance.repeat, view)  # fmt: skip


def _dose(study: Study, task: Task, dose: int | None) -> int | None:
    """A recorded dose as a factor: null where it is that of the app as it is."""
    if dose == study.pairs[task.spec.app].spec.dose and dose not in study.doses:
        return None
    study.at(dose)
    return dose


def asked_arms(study: Study, task: Task) -> list[str]:
    """The arms of a task that the config asks for, all without. Raises BadInput."""
    known = list(study.pairs[task.spec.app].spec.arms)
    return [choose("arm", arm, known, "config: arms") for arm in study.config.arms] or known


def _variant(task: Task, agent: AgentConfig, repeat: int) -> str | None:
    """Which patch a control plays: as configured, else the first solution, sabotages in turn.

    The task's name says whose turn is first: what else is chosen must not change a trial.
    """
    if agent.kind not in {AgentKind.oracle, AgentKind.sabotage}:
        return None
    is_oracle = agent.kind is AgentKind.oracle
    known = list(task.spec.solutions if is_oracle else task.spec.sabotages)
    if agent.variant is not None:
        return choose(f"{agent.kind} variant", agent.variant, known, f"{task.id}")
    first = int(digest(task.id)[:8], 16)
    return known[0] if is_oracle else known[(first + repeat) % len(known)]


def make_cell(
    study: Study,
    task: Task,
    arm: str,
    name: str,
    agent: AgentConfig,
    variant: str | None,
    repeat: int,
    view: View | None = None,
) -> Cell:
    """One cell; its ids depend on its factors, the study's seed and the repeat alone."""
    view = view or View()
    if view.scope == "own":
        study.pairs[task.spec.app].refuse_own_without_contracts(arm)
    factors: dict[str, Any] = {
        "app": task.spec.app,
        "arm": arm,
        "task": task.id,
        "scope": view.scope,
        "context_budget": view.context_budget,
        "agent": name,
        "kind": agent.kind.value,
        "variant": variant,
        "model": view.model,
    }
    factors |= {} if view.dose is None else {"dose": view.dose}
    cell_id = digest(factors)[:16]
    # The same seed on every arm of a pair: what is random must not differ between arms.
    shared = {key: value for key, value in factors.items() if key != "arm"}
    seed = int(digest([shared, study.config.seed, repeat])[:8], 16)
    parts = [task.folder.name, arm, name, view.model, variant]
    parts += [v for v, usual in ((view.scope, "all"), (view.context_budget, "full")) if v != usual]
    parts += [] if view.dose is None else [f"dose{view.dose}"]
    if agent.kind.plays:
        parts = [name, variant]  # the recorded trial's own id says the rest
    label = _label(*parts).encode()[:LABEL_BYTES].decode(errors="ignore")
    trial_id = f"{label}-r{repeat}-{digest([cell_id, study.config.seed, repeat])[:8]}"
    return Cell(
        trial_id=trial_id,
        cell_id=cell_id,
        behaviour_of=study.pairs[task.spec.app].spec.behaviour_of,
        repeat=repeat,
        seed=seed,
        **factors,
    )


def played_agent(trial: TrialRecord) -> str | None:
    """The agent whose trial a replay plays again; null where nothing is, or a long id was cut.

    A replay's variant is that trial's id, in which the agent stands between arm and model.
    """
    if trial.model is None or trial.variant is None:
        return None
    task = trial.task.partition("/")[2]
    before, after = re.escape(_label(task, trial.arm)), re.escape(_label(trial.model))
    found = re.search(f"{before}-(.+)-{after}-", trial.variant)
    return found and found.group(1)


def _label(*parts: str | None) -> str:
    """What a trial's id says for people, fit for the name of a folder."""
    return re.sub(r"[/\\\0]", "-", "-".join(part for part in parts if part))


def write_plan(paths: RunPaths, name: str, locks: dict[str, str], cells: Iterable[Cell]) -> Plan:
    """Lock the plan, or extend the one that is there with new cells.

    Raises BadInput when something the existing trials depend on has changed since: results of
    two kinds must not end in one table.
    """
    old = read_plan(paths)
    if old is None:
        plan = Plan(name=name, locks=locks, cells=tuple(cells))
    else:
        _refuse_changes(paths, old, locks)
        known = {cell.trial_id for cell in old.cells}
        new = tuple(cell for cell in cells if cell.trial_id not in known)
        # What was locked by a regrade first stays there: nobody knows what the agents had.
        added = {key: value for key, value in locks.items() if key not in old.judged}
        grown = {"name": name, "locks": added | old.locks, "cells": old.cells + new}
        plan = _succeed(old, old.model_copy(update=grown))
    save_plan(paths, plan)
    return plan


def judge_anew(plan: Plan, judging: dict[str, str]) -> Plan:
    """The plan of a regrade under other locks; what the agents worked under stays."""
    judged = {key: value for key, value in judging.items() if plan.locks.get(key) != value}
    return _succeed(plan, plan.model_copy(update={"judged": judged}))


def _succeed(old: Plan, new: Plan) -> Plan:
    """Keep the locks of before by the digest that rows carry."""
    earlier = old.earlier | {old.digest: old.in_force}
    earlier.pop(new.digest, None)
    return new.model_copy(update={"earlier": earlier})


def save_plan(paths: RunPaths, plan: Plan) -> None:
    """Write a plan into its results folder. Raises as `write_atomically` does."""
    write_atomically(paths.plan, dump_plan(plan).encode())


def dump_plan(plan: Plan) -> str:
    """The content of its file."""
    return dump_json(plan.model_dump(mode="json"))


def read_plan(paths: RunPaths) -> Plan | None:
    """The plan of a results folder, or None where there is none. Raises BadInput."""
    with opening(paths.plan):
        return _read(paths.plan) if paths.plan.exists() else None


def read_plans(paths: RunPaths) -> list[Plan]:
    """The plan of each study in a results folder: its own, and those of a release that joins some.

    Raises BadInput.
    """
    own = read_plan(paths)
    with opening(paths.joined_plans):
        joined = [_read(path) for path in sorted(paths.joined_plans.glob("*.json"))]
    return [*([own] if own else []), *joined]


def _read(path: Path) -> Plan:
    try:
        return Plan.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "file"
        if any(each["loc"] == ("format",) for each in error.errors()):
            raise BadInput(f"{path}: made by another version of SeamBench") from None
        raise BadInput(f"{path}: {field}: {first['msg']}") from None


def differing(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """The names of locks that are not the same in both; one may name more inputs than the other."""
    return sorted({*_changed(old, new), *(ALWAYS & new.keys() - old.keys())})


def _changed(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    return sorted(key for key in old.keys() & new.keys() if _plain(old[key]) != _plain(new[key]))


def _plain(value: str) -> str:
    """A lock's value; of the settings of something, in whatever order they were named."""
    try:
        return json.dumps(json.loads(value), sort_keys=True) if value.startswith("{") else value
    except ValueError:
        return value


def _refuse_changes(paths: RunPaths, plan: Plan, new: dict[str, str]) -> None:
    # A regrade says anew what judges; what the agents worked under, nothing says anew.
    if changed := [name for name in _changed(plan.locks, new) if name not in ALWAYS]:
        raise BadInput(
            f"{paths.plan}: changed since these results were made: {', '.join(changed)}; "
            "choose another name=... or remove the folder"
        )
    if changed := differing(plan.in_force, new):
        raise BadInput(
            f"{paths.plan}: these results were judged under other locks: {', '.join(changed)}; "
            "regrade them or choose another name=..."
        )
