"""What patches make of the code, side by side: paired differences of the changes in quality.

Exploratory. SCIENCE.md (b) asks for it over the trials whose hidden tests all pass, and again with
all trials kept, since passing comes after the change: what is compared then is not what was drawn.
"""

from collections.abc import Mapping
from typing import Annotated

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.analysis.estimate.effects import Question, infer
from harness.analysis.estimate.families import benjamini_hochberg
from harness.analysis.estimate.pairing import FACTORS, TASK, Side, by_app, clustered, only
from harness.analysis.frame import to_frame
from harness.records import Column, Record

MEASURES: Mapping[str, str] = {
    "propagation_cost_change": "share of pairs",
    "dependencies_change": "edges",
    "mutual_pairs_change": "pairs",
    "circular_contexts_change": "contexts",
    "afferent_change": "edges",
    "efferent_change": "edges",
    "instability_change": "share",
    "complexity_change": "cognitive complexity",
    "complexity_mean_change": "cognitive complexity",
    "complexity_max_change": "cognitive complexity",
    "cohesion_lack_change": "LCOM4",
    "repeated_lines_change": "lines",
}
"""column of the trials -> unit; docs/columns.md says what each is"""
KEPT = ("passing", "all")


class QualityRow(Record):
    """One measure on two sides."""

    measure: Annotated[str, Column("the column of the trials")]
    unit: Annotated[str, Column("of the means and their difference")]
    kept: Annotated[str, Column("passing: trials whose hidden tests all pass; all: every one")]
    contrast: Annotated[str, Column("the minuend less the subtrahend")]
    apps: Annotated[int, Column("clusters", "apps")]
    tasks: Annotated[int, Column("tasks with a known change on both sides", "tasks")]
    minuend: Annotated[float | None, Column("mean change, over tasks within apps, then apps")]
    subtrahend: Annotated[float | None, Column("the same on the subtrahend")]
    difference: Annotated[float | None, Column("mean over apps of within-task differences")]
    low: Annotated[float | None, Column("lower end of the 95% t interval over apps")]
    high: Annotated[float | None, Column("upper end of it")]
    p_sign_flip: Annotated[float | None, Column("two-sided, signs of the apps flipped")]
    p_adjusted: Annotated[
        float | None, Column("Benjamini-Hochberg over the rows of the same `kept`")
    ] = None
    note: Annotated[str | None, Column("what to know before reading the numbers")]


def quality(trials: pd.DataFrame, question: Question) -> pd.DataFrame:
    """`QualityRow`s of the measures that any trial has, `KEPT` rows each."""
    measures = [name for name in MEASURES if trials[name].notna().any()]
    key = [*FACTORS, *TASK, "behaviour_of", "arm", "scope", "status", "behaviour"]
    trials = trials[[*key, *measures]]
    rows = [
        _row(found, measure, kept, question)
        for kept in KEPT
        for found in [_paired(trials[_kept(trials, kept)], measures, question)]
        for measure in measures
    ]
    frame = to_frame(rows, QualityRow)
    # The second look at the same measures is no further hypothesis.
    adjusted = frame.groupby("kept")["p_sign_flip"].transform(benjamini_hochberg)
    return frame.assign(p_adjusted=adjusted)


def counts(trials: pd.DataFrame, measure: str, kept: str) -> NDArray[np.bool_]:
    """Which trials a row is made of, if their cell has such on both sides."""
    return _kept(trials, kept) & trials[measure].notna().to_numpy(bool)


def _kept(trials: pd.DataFrame, kept: str) -> NDArray[np.bool_]:
    # A trial can be lost after its tests have passed.
    is_known = (trials["status"] != "lost").to_numpy(bool)
    passes = trials["behaviour"].fillna(value=False).to_numpy(bool)
    return is_known & passes if kept == "passing" else is_known


def _paired(trials: pd.DataFrame, measures: list[str], question: Question) -> pd.DataFrame:
    """One row a task and combination of FACTORS: each measure's mean on both sides."""
    sides = (question.contrast.minuend, question.contrast.subtrahend)
    minuend, subtrahend = (_means(trials, measures, side) for side in sides)
    return minuend.merge(subtrahend, on=[*FACTORS, *TASK], suffixes=("_m", "_s"))


def _means(trials: pd.DataFrame, measures: list[str], side: Side) -> pd.DataFrame:
    # All measures at once: `pairing.differences` would group a million trials for each of them.
    of_side = clustered(only(trials, arm=side.arm, scope=side.scope))
    key = [*FACTORS, *TASK]
    groups = of_side.groupby(key, dropna=False, observed=True, sort=False)
    return groups[measures].mean().reset_index()


def _row(found: pd.DataFrame, measure: str, kept: str, question: Question) -> QualityRow:
    sides = found.rename(columns={f"{measure}_m": "minuend", f"{measure}_s": "subtrahend"})
    sides = sides.dropna(subset=["minuend", "subtrahend"])
    sides = sides.assign(difference=sides["minuend"] - sides["subtrahend"])
    means = by_app(sides)
    numbers, note = infer(means, question)
    return QualityRow(
        measure=measure,
        unit=MEASURES[measure],
        kept=kept,
        contrast=str(question.contrast),
        apps=len(means),
        tasks=len(sides.groupby(["app", "task"], observed=True)),
        minuend=float(by_app(sides, "minuend").mean()) if len(means) else None,
        subtrahend=float(by_app(sides, "subtrahend").mean()) if len(means) else None,
        difference=numbers["difference"],
        low=numbers.get("low"),
        high=numbers.get("high"),
        p_sign_flip=numbers.get("p_sign_flip"),
        note=note,
    )
