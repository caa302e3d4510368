"""What a run shows at first sight: shares by task, agent and arm, and differences between arms.

A trial counts unless it was lost to infrastructure. A factor without evidence does not hold.
"""

from collections.abc import Iterator
from itertools import combinations
from math import sqrt
from statistics import NormalDist, mean, stdev
from typing import Annotated

import pandas as pd

from harness.analysis.frame import to_frame
from harness.analysis.order import ARMS, CALIBRATING, CLASSES, CONTROLS, FACTORS, rank, sort_arms
from harness.records import Column, Record

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
    apps: Annotated[int, Column("apps with a task on both arms", "apps")]
    tasks: Annotated[int, Column("tasks with a counted trial on both arms", "tasks")]
    difference: Annotated[float, Column("mean over apps of the mean over tasks", "pp")]
    low: Annotated[float | None, Column("lower end of the 95% t interval across apps", "pp")]
    high: Annotated[float | None, Column("upper end of the 95% t interval across apps", "pp")]
    note: Annotated[str | None, Column("what the interval is not; null where there is one")]


def summary(trials: pd.DataFrame) -> pd.DataFrame:
    """One `SummaryRow` for each task, agent and arm among the trials."""
    groups = trials.groupby(list(KEYS), dropna=False, sort=False)
    rows = sorted((_summarise(group) for _, group in groups), key=_shown_order)
    return to_frame(rows, SummaryRow)


def differences(trials: pd.DataFrame) -> pd.DataFrame:
    """One `DifferenceRow` for each agent and pair of arms that share at least one task."""
    counted = trials[trials["status"] != "lost"]
    groups = counted.groupby(["agent", "model", "scope"], dropna=False, sort=False)
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


def _summarise(group: pd.DataFrame) -> SummaryRow:
    first = group.iloc[0]
    counted = group[group["status"] != "lost"]
    keys = {key: None if pd.isna(first[key]) else first[key] for key in KEYS}
    return SummaryRow(
        **keys,
        n=len(counted),
        lost=len(group) - len(counted),
        **_shares(counted),
        refused_by=_refused_by(counted),
        as_expected=_as_expected(counted) if first["agent"] in CALIBRATING else None,
        **_efforts(counted[counted["status"] == "scored"]),
    )


def _shares(counted: pd.DataFrame) -> dict[str, int | float | None]:
    n, resolved = len(counted), int(counted["resolved"].sum())
    low, high = wilson(resolved, n) if n else (None, None)
    shares = {f"{name}_share": _held(counted, name) for name in FACTORS}
    share = resolved / n if n else None
    interval = {"resolved_share": share, "resolved_low": low, "resolved_high": high}
    return {"resolved": resolved, **interval, **shares}


def _held(counted: pd.DataFrame, factor: str) -> float | None:
    return float(counted[factor].fillna(value=False).mean()) if len(counted) else None


def _refused_by(counted: pd.DataFrame) -> str | None:
    # A null says that a factor was not looked at, so it did not refuse; the cause then did.
    names = [name for name in FACTORS if (counted[name] == False).any()]  # noqa: E712
    names += sorted(counted["failure_cause"].dropna().unique())
    return "+".join(names) or None


def _as_expected(counted: pd.DataFrame) -> int:
    return sum(_is_as_expected(trial) for _, trial in counted.iterrows())


def _is_as_expected(trial: pd.Series) -> bool:
    if trial["agent"] == "oracle":
        return bool(trial["resolved"])
    factor = trial["expected_factor"]
    if pd.isna(factor):
        return not trial["resolved"]
    held = trial[factor]
    return not trial["resolved"] and not pd.isna(held) and not held


def _efforts(scored: pd.DataFrame) -> dict[str, float | None]:
    total = scored["tests_total"].sum()
    passed = float(scored["tests_passed"].sum() / total) if total else None
    names = ("churn_ratio", "contexts_changed", "verify_seconds")
    return {"tests_passed_share": passed, **{name: _mean(scored[name]) for name in names}}


def _mean(values: pd.Series) -> float | None:
    known = values.dropna()
    return float(known.mean()) if len(known) else None


def _contrasts(group: pd.DataFrame) -> Iterator[DifferenceRow]:
    first = group.iloc[0]
    model = None if pd.isna(first["model"]) else first["model"]
    # The more distributed arm comes first: microservices minus monolith, as in SCIENCE.md (c) 1.
    for minuend, subtrahend in combinations(reversed(sort_arms(group["arm"])), 2):
        by_app = _task_differences(group, minuend, subtrahend)
        if by_app:
            yield DifferenceRow(
                agent=first["agent"],
                model=model,
                scope=first["scope"],
                minuend=minuend,
                subtrahend=subtrahend,
                **_across_apps(by_app),
            )


def _task_differences(group: pd.DataFrame, minuend: str, subtrahend: str) -> dict[str, list[float]]:
    """The difference of each task with both arms, in percentage points, by app."""
    by_task = ["app", "task"]
    on_one = group[group["arm"] == minuend].groupby(by_task)["resolved"].mean()
    on_other = group[group["arm"] == subtrahend].groupby(by_task)["resolved"].mean()
    # Subtraction aligns the tasks; one that lacks an arm becomes null and is left out.
    paired = (100 * (on_one - on_other)).dropna().astype(float)
    return {str(app): list(tasks) for app, tasks in paired.groupby(level="app")}


def _across_apps(by_app: dict[str, list[float]]) -> dict[str, float | int | str | None]:
    means = [mean(tasks) for tasks in by_app.values()]
    low, high = _t_interval(means) if len(means) > 1 else (None, None)
    return {
        "apps": len(means),
        "tasks": sum(len(tasks) for tasks in by_app.values()),
        "difference": mean(means),
        "low": low,
        "high": high,
        "note": None if len(means) > 1 else "1 app: no interval across apps",
    }


def _t_interval(values: list[float]) -> tuple[float, float]:
    """Mean -/+ t_{.975,D-1} SE over D clusters (SCIENCE.md (c) 2)."""
    from scipy.special import stdtrit  # noqa: PLC0415  only studies of several apps need it

    half = float(stdtrit(len(values) - 1, 0.975)) * stdev(values) / sqrt(len(values))
    return mean(values) - half, mean(values) + half
