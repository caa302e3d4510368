"""What resolving costs: paired, in ratios, with apps as clusters.

A trial that ended at a cap spent less than it needed: it is right-censored, and the share of such
trials stands beside every ratio.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.analysis.estimate import clusters
from harness.analysis.estimate.clusters import Array
from harness.analysis.estimate.effects import (
    POOLED,
    SAME,
    Question,
    few_apps,
    joined,
    level_name,
    number,
)
from harness.analysis.estimate.families import benjamini_hochberg
from harness.analysis.estimate.pairing import FACTORS, TASK, Side, by_app, clustered, only
from harness.analysis.frame import to_frame
from harness.records import Column, Record

CAPPED = (
    "turns", "tokens", "output_tokens", "seconds", "wall_seconds", "usd", "context",
    "study_usd", "study_turns", "study_tokens", "study_output_tokens",
)  # fmt: skip
"""endings that say an agent was stopped before it was done; a study's are in older records only"""


TOKENS = ("input_tokens", "output_tokens")


class CostRow(Record):
    """One quantity on two sides, over the tasks that have both."""

    quantity: Annotated[str, Column("the column that is summed")]
    contrast: Annotated[str, Column("the minuend over the subtrahend")]
    factor: Annotated[str, Column("what the rows of the table differ in")]
    level: Annotated[str, Column("the level of the factor, or pooled")]
    apps: Annotated[int, Column("clusters", "apps")]
    tasks: Annotated[int, Column("tasks with a known quantity on both sides", "tasks")]
    ratio: Annotated[
        float | None,
        Column(
            "of geometric means, over models within tasks, then tasks, then apps, of trials above 0"
        ),
    ] = None
    ratio_low: Annotated[float | None, Column("lower end of its 95% t interval over apps")] = None
    ratio_high: Annotated[float | None, Column("upper end of it")] = None
    p_sign_flip: Annotated[
        float | None, Column("two-sided, signs of the apps' mean log ratios flipped")
    ] = None
    p_adjusted: Annotated[float | None, Column("Benjamini-Hochberg over the rows")] = None
    per_resolved_minuend: Annotated[
        float | None, Column("sum over trials by number of resolved ones", "of the quantity")
    ] = None
    per_resolved_subtrahend: Annotated[
        float | None, Column("the same on the subtrahend", "of the quantity")
    ] = None
    per_resolved_ratio: Annotated[float | None, Column("the one over the other")] = None
    per_resolved_low: Annotated[
        float | None, Column("lower end of its 95% t interval over apps, linearised")
    ] = None
    per_resolved_high: Annotated[float | None, Column("upper end of it")] = None
    per_resolved_bca_low: Annotated[
        float | None, Column("lower end of the 95% BCa interval, apps resampled")
    ] = None
    per_resolved_bca_high: Annotated[float | None, Column("upper end of it")] = None
    per_resolved_p: Annotated[float | None, Column("two-sided, arms swapped within apps")] = None
    per_resolved_p_adjusted: Annotated[float | None, Column("Benjamini-Hochberg over the rows")] = (
        None
    )
    capped_minuend: Annotated[float | None, Column("trials stopped at a cap (censored)", "%")] = (
        None
    )
    capped_subtrahend: Annotated[float | None, Column("the same on the subtrahend", "%")] = None
    note: Annotated[str | None, Column("what to know before reading the numbers")] = None
    ratio_note: Annotated[str | None, Column("the same, of the ratio of geometric means alone")] = (
        None
    )


@dataclass(frozen=True)
class _Sides:
    """The cells of the tasks that both sides have, in the same order."""

    minuend: pd.DataFrame
    subtrahend: pd.DataFrame


def cost(
    trials: pd.DataFrame, question: Question, quantity: str, by: str = "model"
) -> pd.DataFrame:
    """One `CostRow` for each level of `by`, and one pooled.

    Trials of unknown cost are left out, and so are lost ones: what they spent bought no answer to
    what a task costs. Of TOKENS those are unknown that nobody counted.
    """
    trials = clustered(trials)
    needed = [*FACTORS, *TASK, "arm", "scope", "resolved", "agent_ending", quantity]
    # A copy of these columns alone: of a million trials, all of them are a gigabyte.
    known = trials.loc[counts(trials, quantity), needed]
    sides = _Sides(
        _cells(known, question.contrast.minuend, quantity),
        _cells(known, question.contrast.subtrahend, quantity),
    )
    sides = _both(sides)
    levels = list(sides.minuend.groupby(by, dropna=False, observed=True).groups.items())
    rows = [
        _row(_take(sides, index), question, quantity, by, level_name(level))
        for level, index in levels
    ]
    if len(levels) != 1:
        rows.append(_row(sides, question, quantity, by, POOLED))
    return explored(to_frame(rows, CostRow))


def explored(rows: pd.DataFrame) -> pd.DataFrame:
    """With Benjamini-Hochberg over a table of `CostRow`s, of one quantity or of several."""
    return rows.assign(
        p_adjusted=benjamini_hochberg(rows["p_sign_flip"]),
        per_resolved_p_adjusted=benjamini_hochberg(rows["per_resolved_p"]),
    )


def counts(trials: pd.DataFrame, quantity: str) -> NDArray[np.bool_]:
    """Which trials a row is made of, if their cell has such on both sides."""
    is_known = (trials["status"] != "lost") & trials[quantity].notna()
    if quantity in TOKENS:
        is_known &= tokens_counted(trials)
    return is_known.to_numpy(bool)


def tokens_counted(trials: pd.DataFrame) -> pd.Series:
    """Whether somebody counted tokens: a patch made elsewhere has no ending of a model's work."""
    tokens = trials["input_tokens"] + trials["output_tokens"]
    counted: pd.Series = trials["agent_ending"].notna() | tokens.gt(0)
    return counted


def _cells(trials: pd.DataFrame, side: Side, quantity: str) -> pd.DataFrame:
    """One row a cell: total, resolved, capped, n, zeros and the mean logarithm of the others."""
    found = only(trials, arm=side.arm, scope=side.scope)
    total = found[quantity].astype(float)
    frame = found[[*FACTORS, *TASK]].assign(
        total=total,
        resolved=found["resolved"].astype(float),
        capped=found["agent_ending"].isin(CAPPED).astype(float),
        n=1.0,
        zeros=(total <= 0).astype(float),
        log=np.log(total.where(total > 0)),
    )
    groups = frame.groupby([*FACTORS, *TASK], dropna=False, observed=True)
    sums = groups[["total", "resolved", "capped", "n", "zeros"]].sum()
    return sums.assign(log=groups["log"].mean()).reset_index()


def _both(sides: _Sides) -> _Sides:
    key = [*FACTORS, *TASK]
    both = sides.minuend[key].merge(sides.subtrahend[key]).sort_values(key, ignore_index=True)
    return _Sides(both.merge(sides.minuend), both.merge(sides.subtrahend))


def _take(sides: _Sides, index: pd.Index) -> _Sides:
    return _Sides(sides.minuend.loc[index], sides.subtrahend.loc[index])


def _row(sides: _Sides, question: Question, quantity: str, factor: str, level: str) -> CostRow:
    """The row over these cells."""
    apps = sides.minuend["app"].nunique()
    return CostRow(
        quantity=quantity,
        contrast=str(question.contrast),
        factor=factor,
        level=level,
        apps=apps,
        tasks=len(sides.minuend[["app", "task"]].drop_duplicates()),
        **_geometric(sides, question.seed),
        **_per_resolved(sides, question),
        capped_minuend=_capped(sides.minuend),
        capped_subtrahend=_capped(sides.subtrahend),
        note=_note(sides, apps),
        ratio_note=_zeros(sides),
    )


def _note(sides: _Sides, apps: int) -> str | None:
    if not apps:
        return "no task has a known quantity on both sides"
    few = "1 app: no interval across apps" if apps == 1 else few_apps(apps)
    if sides.minuend["resolved"].sum() and sides.subtrahend["resolved"].sum():
        return few
    return joined(few, "a side resolved nothing: its cost of a resolved task has no value")


def _zeros(sides: _Sides) -> str | None:
    """What has no logarithm, and so no part in the ratio of geometric means."""
    zeros = int(sides.minuend["zeros"].sum() + sides.subtrahend["zeros"].sum())
    if not zeros:
        return None
    dropped = int(_gaps(sides)["gap"].isna().sum())
    cells = f"{dropped} of {len(sides.minuend)} pairs of cells"
    return f"trials of 0, which the ratio leaves out: {zeros}; with them {cells}"


def _geometric(sides: _Sides, seed: int) -> dict[str, float | None]:
    """The mean difference of logarithms, weighed as any other difference, transformed back."""
    means = by_app(_gaps(sides).dropna(subset="gap"), "gap").to_numpy(float)
    if not len(means):
        return {}
    if len(means) == 1 or np.ptp(means) < SAME:
        return {"ratio": float(np.exp(means.mean()))}
    found = clusters.estimate(means)
    low, high = np.exp(found.interval())
    return {
        "ratio": float(np.exp(found.value)),
        "ratio_low": float(low),
        "ratio_high": float(high),
        "p_sign_flip": float(clusters.sign_flip_p(means, seed)),
    }


def _gaps(sides: _Sides) -> pd.DataFrame:
    """The cells, with the `gap` between the mean logarithms of both sides."""
    return sides.minuend.assign(gap=sides.minuend["log"] - sides.subtrahend["log"])


def _per_resolved(sides: _Sides, question: Question) -> dict[str, float | None]:
    """Sum of the quantity over sum of resolved, on each side, and their ratio.

    The interval is by t: resampled apps cover too little where they are few (docs/analysis.md).
    """
    sums = [
        side.groupby("app", observed=True)[["total", "resolved"]].sum().to_numpy(float)
        for side in (sides.minuend, sides.subtrahend)
    ]
    (spent, resolved), (spent_s, resolved_s) = (side.sum(axis=0) for side in sums)
    found = {
        "per_resolved_minuend": spent / resolved if resolved else None,
        "per_resolved_subtrahend": spent_s / resolved_s if resolved_s else None,
    }
    if not (resolved and resolved_s and spent_s):
        return found
    found["per_resolved_ratio"] = (spent / resolved) / (spent_s / resolved_s)
    both = np.hstack(sums)
    if len(both) == 1 or not spent:
        return found
    ratio = clusters.log_ratio(both)
    if ratio.se < SAME:
        return found
    low, high = np.exp(ratio.interval())
    bca = clusters.bootstrap(both, _ratio, seed=question.seed, n_boot=question.n_boot)
    return found | {
        "per_resolved_low": float(low),
        "per_resolved_high": float(high),
        "per_resolved_bca_low": number(bca[0]),
        "per_resolved_bca_high": number(bca[1]),
        "per_resolved_p": clusters.swap_p(both, question.seed),
    }


def _ratio(sums: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios: Array = (sums[:, 0] / sums[:, 1]) / (sums[:, 2] / sums[:, 3])
    return ratios


def _capped(side: pd.DataFrame) -> float | None:
    return 100 * float(side["capped"].sum() / side["n"].sum()) if len(side) else None
