"""What a run shows at first sight: shares by task, agent and arm, and differences between arms.

A trial counts unless it was lost to infrastructure. A factor without evidence does not hold.
"""

from collections.abc import Iterator
from itertools import combinations
from math import sqrt
from statistics import NormalDist
from typing import Annotated, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.analysis.estimate import pairing
from harness.analysis.estimate.effects import Question, effect
from harness.analysis.estimate.pairing import Contrast, Missing, Side
from harness.analysis.frame import to_frame
from harness.analysis.order import ARMS, CALIBRATING, CLASSES, CONTROLS, FACTORS, rank, sort_arms
from harness.records import Column, Record

_EFFORTS = ("churn_ratio", "contexts_changed", "verify_seconds")
KEYS = ("pair", "app", "task_class", "family", "task", "scope", "agent", "model", "arm")


class SummaryRow(Record):
    """The trials of one task, agent and arm."""

    pair: Annotated[str, Column("the pair the app belongs to")]
    app: Annotated[str, Column("the app")]
    task_class: Annotated[str, Column("scope class: L, I, X or D")]
    family: Annotated[str, Column("refactoring family")]
    task: Annotated[str, Column("the task, as app/name")]
    scope: Annotated[str, Column("what the agent sees: all or own")]
    agent: Annotated[str, Column("the agent")]
    model: Annotated[str | None, Column("the language model; null for controls")]
    arm: Annotated[str, Column("the architecture")]
    n: Annotated[int, Column("trials that count: all but the lost ones", "trials")]
    lost: Annotated[int, Column("trials lost to infrastructure, not in n", "trials")]
    resolved: Annotated[int, Column("trials of n that are resolved", "trials")]
    resolved_share: Annotated[float | None, Column("resolved over n; null where n is 0")]
    resolved_low: Annotated[float | None, Column("lower end of the 95% Wilson interval")]
    resolved_high: Annotated[float | None, Column("upper end of the 95% Wilson interval")]
    behaviour_share: Annotated[float | None, Column("behaviour held, over n")]
    equivalence_share: Annotated[float | None, Column("equivalence held, over n")]
    structure_share: Annotated[float | None, Column("structure held, over n")]
    contract_share: Annotated[float | None, Column("contract held, over n")]
    integrity_share: Annotated[float | None, Column("integrity held, over n")]
    refused_by: Annotated[
        str | None, Column("factors or failure causes that refused a trial, joined by +")
    ]
    as_expected: Annotated[
        int | None, Column("trials of n that a control ended as it must; null for others", "trials")
    ]
    tests_passed_share: Annotated[float | None, Column("hidden tests passed, over those run")]
    churn_ratio: Annotated[float | None, Column("mean churn ratio of the scored trials")]
    contexts_changed: Annotated[float | None, Column("mean over the scored trials", "contexts")]
    verify_seconds: Annotated[float | None, Column("mean over the scored trials", "s")]


class DifferenceRow(Record):
    """Resolved on one arm minus resolved on another, within the same tasks."""

    agent: Annotated[str, Column("the agent")]
    model: Annotated[str | None, Column("the language model; null for controls")]
    scope: Annotated[str, Column("what the agent sees: all or own")]
    minuend: Annotated[str, Column("the arm that is subtracted from")]
    subtrahend: Annotated[str, Column("the arm that is subtracted")]
    apps: Annotated[int, Column("clusters with a task on both arms", "apps")]
    tasks: Annotated[int, Column("tasks with a counted trial on both arms", "tasks")]
    difference: Annotated[float, Column("mean over apps of the mean over tasks", "pp")]
    low: Annotated[float | None, Column("lower end of the 95% t interval across apps", "pp")]
    high: Annotated[float | None, Column("upper end of the 95% t interval across apps", "pp")]
    note: Annotated[str | None, Column("what to know before reading the numbers")]


def summary(trials: pd.DataFrame) -> pd.DataFrame:
    """One `SummaryRow` for each task, agent and arm among the trials."""
    keys = list(KEYS)
    is_counted = (trials["status"] != "lost").to_numpy(bool)
    is_scored = (trials["status"] == "scored").to_numpy(bool)
    numbers = pd.DataFrame(_numbers(trials, is_counted, is_scored), index=trials.index)
    effort = pd.DataFrame({name: trials[name].where(is_scored) for name in _EFFORTS})
    frame = pd.concat([trials[keys], numbers, effort], axis=1)
    groups = frame.groupby(keys, dropna=False, sort=False, observed=True)
    found = groups[list(numbers.columns)].sum().astype(int).join(groups[list(_EFFORTS)].mean())
    causes = _causes(trials[is_counted])
    rows = [
        _row(dict(zip(keys, key, strict=True)), values, causes.get(key, []))
        for key, values in zip(_keys(found), found.to_dict("records"), strict=True)
    ]
    rows.sort(key=_shown_order)
    return to_frame(rows, SummaryRow)


def as_expected(trials: pd.DataFrame) -> NDArray[np.bool_]:
    """Whether each trial ended as its control must: a sabotage, refused by the factor it breaks."""
    resolved = trials["resolved"].to_numpy(bool)
    refused = ~resolved
    for factor in FACTORS:
        is_wanted = _is(trials["expected_factor"], value=factor)
        refused &= ~is_wanted | _is(trials[factor], value=False)
    right: NDArray[np.bool_] = np.where(trials["agent"] == "oracle", resolved, refused)
    return right


def differences(trials: pd.DataFrame) -> pd.DataFrame:
    """One `DifferenceRow` for each agent and pair of arms that share at least one task."""
    groups = trials.groupby(["agent", "model", "scope"], dropna=False, sort=False)
    rows = [row for _, group in groups for row in _contrasts(group)]
    rows.sort(key=lambda r: (rank(CONTROLS, r.agent), r.model or "", r.scope))
    return to_frame(rows, DifferenceRow)


def wilson(successes: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """The Wilson score interval of a share (Wilson 1927, JASA 22:209), n > 0."""
    z = NormalDist().inv_cdf(0.5 + level / 2)
    share, spread = successes / n, z * z / n
    centre = (share + spread / 2) / (1 + spread)
    half = z * sqrt(share * (1 - share) / n + spread / (4 * n)) / (1 + spread)
    return max(0.0, centre - half), min(1.0, centre + half)


def _shown_order(row: SummaryRow) -> tuple[object, ...]:
    return (
        row.pair,
        rank(CLASSES, row.task_class),
        row.task,
        row.scope,
        rank(CONTROLS, row.agent),
        row.model or "",
        rank(ARMS, row.arm),
    )


def _numbers(
    trials: pd.DataFrame, is_counted: NDArray[np.bool_], is_scored: NDArray[np.bool_]
) -> dict[str, NDArray[np.generic]]:
    """What is counted of each trial, so that a group's row is a sum."""
    return {
        "n": is_counted,
        "lost": ~is_counted,
        "resolved": trials["resolved"].to_numpy(bool) & is_counted,
        "right": as_expected(trials) & is_counted,
        **{f"{f}_held": _is(trials[f], value=True) & is_counted for f in FACTORS},
        **{f"{f}_refused": _is(trials[f], value=False) & is_counted for f in FACTORS},
        "tests_run": trials["tests_total"].where(is_scored, 0).to_numpy(int),
        "tests_held": trials["tests_passed"].where(is_scored, 0).to_numpy(int),
    }


def _is(column: pd.Series, *, value: object) -> NDArray[np.bool_]:
    """Where a column is `value`; a null is nothing."""
    found: NDArray[np.bool_] = (column == value).fillna(value=False).to_numpy(bool)
    return found


def _keys(found: pd.DataFrame | pd.Series) -> list[tuple[str | None, ...]]:
    return [tuple(None if pd.isna(part) else part for part in key) for key in found.index]


def _causes(counted: pd.DataFrame) -> dict[tuple[str | None, ...], list[str]]:
    """The failure causes of each group that has some."""
    failed = counted[counted["failure_cause"].notna()]
    groups = failed.groupby(list(KEYS), dropna=False, sort=False, observed=True)["failure_cause"]
    found = groups.unique()
    return {key: sorted(causes) for key, causes in zip(_keys(found), found, strict=True)}


def _row(keys: dict[str, str | None], found: dict[Any, Any], causes: list[str]) -> SummaryRow:
    n, resolved = int(found["n"]), int(found["resolved"])
    low, high = wilson(resolved, n) if n else (None, None)
    # A null says that a factor was not looked at, so it did not refuse; the cause then did.
    refused = [name for name in FACTORS if found[f"{name}_refused"]] + causes
    values: dict[str, Any] = {
        **keys,
        **{f"{name}_share": found[f"{name}_held"] / n if n else None for name in FACTORS},
        **{name: None if pd.isna(found[name]) else float(found[name]) for name in _EFFORTS},
    }
    return SummaryRow(
        **values,
        n=n,
        lost=int(found["lost"]),
        resolved=resolved,
        resolved_share=resolved / n if n else None,
        resolved_low=low,
        resolved_high=high,
        refused_by="+".join(refused) or None,
        as_expected=int(found["right"]) if keys["agent"] in CALIBRATING else None,
        tests_passed_share=found["tests_held"] / found["tests_run"] if found["tests_run"] else None,
    )


def _contrasts(group: pd.DataFrame) -> Iterator[DifferenceRow]:
    first = group.iloc[0]
    model = None if pd.isna(first["model"]) else first["model"]
    # The more distributed arm comes first: microservices minus monolith, as in SCIENCE.md (c) 1.
    for minuend, subtrahend in combinations(reversed(sort_arms(group["arm"])), 2):
        contrast = Contrast(Side(minuend, first["scope"]), Side(subtrahend, first["scope"]))
        # The table has no place for the bootstrap, which is a cross-check.
        asked = Question(contrast, missing=Missing.exclude, n_boot=100)
        row = effect(pairing.differences(group, contrast, missing=asked.missing), asked)
        if row.tasks:
            yield DifferenceRow(
                agent=first["agent"],
                model=model,
                scope=first["scope"],
                minuend=minuend,
                subtrahend=subtrahend,
                apps=row.apps,
                tasks=row.tasks,
                difference=row.difference,
                low=row.low,
                high=row.high,
                note=row.note,
            )
