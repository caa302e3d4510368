"""Differences become effects: an estimate with intervals, or a sentence where one would mislead."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pandas as pd

from harness.analysis.estimate import clusters
from harness.analysis.estimate.families import benjamini_hochberg
from harness.analysis.estimate.pairing import (
    FACTORS,
    Contrast,
    Missing,
    by_app,
    class_balanced,
    differences,
)
from harness.analysis.frame import to_frame
from harness.records import Column, Record

MARGIN = 10.0
"""pp; the margin of equivalence that SCIENCE.md registers"""
FEW = 5
"""apps; with so many or fewer no sign-flip p can be below .05"""
POOLED = "pooled"
PRIMARY = "primary"
"""the one named test (SCIENCE.md (c) 10): pooled, with each class of tasks at equal weight"""
SAME = 1e-9
"""pp; what differs by less differs by rounding"""


class EffectRow(Record):
    """One contrast, estimated over apps."""

    contrast: Annotated[str, Column("the minuend less the subtrahend")]
    factor: Annotated[str, Column("what the rows of the table differ in")]
    level: Annotated[str, Column("the level of the factor, or pooled, or primary")]
    outcome: Annotated[str, Column("the column whose mean is compared")]
    missing: Annotated[str, Column("what a lost trial counts as")]
    apps: Annotated[int, Column("clusters", "apps")]
    tasks: Annotated[int, Column("tasks with trials on both sides", "tasks")]
    trials: Annotated[int, Column("trials on both sides", "trials")]
    lost: Annotated[int, Column("of them lost to infrastructure", "trials")]
    minuend: Annotated[float | None, Column("mean outcome of the minuend", "%")]
    subtrahend: Annotated[float | None, Column("mean outcome of the subtrahend", "%")]
    difference: Annotated[float | None, Column("mean over apps of within-task differences", "pp")]
    se: Annotated[float | None, Column("standard error over apps", "pp")] = None
    low: Annotated[float | None, Column("lower end of the 95% t interval", "pp")] = None
    high: Annotated[float | None, Column("upper end of the 95% t interval", "pp")] = None
    bca_low: Annotated[
        float | None, Column("lower end of the 95% BCa interval, apps resampled", "pp")
    ] = None
    bca_high: Annotated[float | None, Column("upper end of it", "pp")] = None
    p_sign_flip: Annotated[float | None, Column("two-sided, signs of the apps flipped")] = None
    p_t: Annotated[float | None, Column("two-sided, t on apps - 1 degrees of freedom")] = None
    low90: Annotated[float | None, Column("lower end of the 90% t interval", "pp")] = None
    high90: Annotated[float | None, Column("upper end of it", "pp")] = None
    margin: Annotated[float, Column("margin of equivalence", "pp")] = MARGIN
    p_equivalence: Annotated[float | None, Column("the larger p of the one-sided tests")] = None
    p_adjusted: Annotated[
        float | None, Column("p_sign_flip, Benjamini-Hochberg over the rows but for primary")
    ] = None
    p_equivalence_adjusted: Annotated[
        float | None, Column("p_equivalence, Benjamini-Hochberg over the rows")
    ] = None
    note: Annotated[str | None, Column("what to know before reading the numbers")] = None


@dataclass(frozen=True)
class Question:
    """What is compared, and how."""

    contrast: Contrast
    outcome: str = "resolved"
    missing: Missing = Missing.fail
    margin: float = MARGIN
    seed: int = 20260101
    n_boot: int = 10_000


def effects(trials: pd.DataFrame, question: Question, by: str) -> pd.DataFrame:
    """One `EffectRow` for each level of the column `by`, and one pooled over them.

    Pooled, each level counts the same within a task; where a task lacks a level the note says so.
    """
    found = differences(trials, question.contrast, question.outcome, question.missing)
    return to_frame(list(at_levels(found, question, by)), EffectRow)


def at_levels(found: pd.DataFrame, question: Question, by: str) -> Iterator[EffectRow]:
    """The rows of `effects`, of a frame as `pairing.differences` gives."""
    levels = list(found.groupby(by, dropna=False, observed=True))
    for level, group in levels:
        yield effect(group, question, by, level_name(level))
    if len(levels) != 1:
        row = effect(found, question, by)
        # A task has one class; and a gap between models is told wherever they are pooled.
        gaps = _gaps(found, by) if by in FACTORS and by != "model" else None
        yield row.model_copy(update={"note": joined(row.note, gaps)})


def effect(
    found: pd.DataFrame, question: Question, factor: str = "all", level: str = POOLED
) -> EffectRow:
    """The effect over all differences in `found`, a frame as `pairing.differences` gives.

    At the level PRIMARY each class of an app's tasks has equal weight, else each task has.
    """
    weigh = class_balanced if level == PRIMARY else by_app
    means = weigh(found)
    ends = _ends(found) if question.outcome == "resolved" else None
    numbers, note = infer(means, question, ends)
    note = joined(note, _gaps(found, "model"), _lacking(found) if level == PRIMARY else None)
    return EffectRow(
        contrast=str(question.contrast),
        factor=factor,
        level=level,
        outcome=question.outcome,
        missing=question.missing,
        apps=len(means),
        tasks=len(found.groupby(["app", "task"], observed=True)),
        trials=int(found["trials"].sum()),
        lost=int(found["lost"].sum()),
        minuend=100 * float(weigh(found, "minuend").mean()) if len(found) else None,
        subtrahend=100 * float(weigh(found, "subtrahend").mean()) if len(found) else None,
        margin=question.margin,
        **numbers,
        note=note if len(found) else f"no task has trials on both sides of {question.contrast}",
    )


def infer(
    means: pd.Series, question: Question, ends: str | None = None
) -> tuple[dict[str, float | None], str | None]:
    """Numbers of the means of apps, and the sentence that belongs to them.

    `ends` says that every cell is at one end, where it is; then there are no intervals.
    """
    values = means.to_numpy(float)
    if not len(values):
        return {"difference": None}, "no pair of trials to compare"
    only_value: dict[str, float | None] = {"difference": float(values.mean())}
    if len(values) == 1:
        return only_value, "1 app: no interval across apps"
    if ends or np.ptp(values) < SAME:
        return only_value, ends or f"all {len(values)} apps differ by the same: no variance"
    found = clusters.estimate(values)
    (low, high), (low90, high90) = found.interval(), found.interval(0.90)
    bca_low, bca_high = clusters.bca_of_mean(values, question.seed, question.n_boot)
    numbers = {
        **only_value,
        "se": found.se,
        "low": low,
        "high": high,
        "bca_low": bca_low,
        "bca_high": bca_high,
        "p_sign_flip": clusters.sign_flip_p(values, question.seed),
        "p_t": found.p_value(),
        "low90": low90,
        "high90": high90,
        "p_equivalence": found.p_equivalence(question.margin),
    }
    return {name: number(value) for name, value in numbers.items()}, few_apps(len(values))


def explored(rows: pd.DataFrame) -> pd.DataFrame:
    """With Benjamini-Hochberg over a table of `EffectRow`s: all but the one named test explores."""
    tested = rows["p_sign_flip"].where(rows["level"] != PRIMARY)
    return rows.assign(
        p_adjusted=benjamini_hochberg(tested),
        p_equivalence_adjusted=benjamini_hochberg(rows["p_equivalence"]),
    )


def level_name(level: object) -> str:
    """A level of a factor as text; controls have no model, which is `none`."""
    return str(level) if isinstance(level, str) else "none"


def number(value: object) -> float | None:
    """A number of an array as a record holds it: what is none is null."""
    found = float(value)  # type: ignore[arg-type]
    return None if np.isnan(found) else found


def few_apps(number: int) -> str | None:
    """What flips of so few clusters can not show; None where there are enough."""
    if number > FEW:
        return None
    p = clusters.smallest_p(number)
    return f"with {number} apps the smallest possible two-sided p is {p:.4g}"


def without_flips(note: str | None, apps: int) -> str | None:
    """The note of an effect beside a p by t, which knows no smallest one."""
    return joined(*(one for one in (note or "").split("; ") if one != few_apps(apps)))


def joined(*notes: str | None) -> str | None:
    """The notes that there are, as one; None where there is none."""
    return "; ".join(filter(None, notes)) or None


def _gaps(found: pd.DataFrame, by: str) -> str | None:
    """How many tasks have not every level of `by`; None where all have."""
    levels = found[by].astype(object).fillna("none")
    counts = levels.groupby([found["app"], found["task"]], observed=True).nunique()
    lacking = int((counts < levels.nunique()).sum())
    return f"{lacking} of {len(counts)} tasks lack a {by}" if lacking else None


def _lacking(found: pd.DataFrame) -> str | None:
    """How many apps have not every class of tasks, which then weighs less over all of them."""
    counts = found.groupby("app", observed=True)["task_class"].nunique()
    lacking = int((counts < found["task_class"].nunique()).sum())
    return f"{lacking} of {len(counts)} apps lack a class of tasks" if lacking else None


def _ends(found: pd.DataFrame) -> str | None:
    """Why there is nothing to infer from, if so: every cell at the ceiling, or at the floor."""
    sides = found[["minuend", "subtrahend"]].to_numpy(float)
    if sides.size and (sides == 1).all():
        return "all resolved on both sides: a ceiling, not a sign of equality"
    if sides.size and (sides == 0).all():
        return "none resolved on either side: a floor, not a sign of equality"
    return None
