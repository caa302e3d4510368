"""The secondary analysis: a logistic model by estimating equations, told in percentage points.

Each cell's share of resolved trials is one observation, so that a task with more repeats does not
weigh more; apps are the clusters; the covariance is Mancl and DeRouen's (2001), which small
numbers of clusters need. Working independence: the marginal means are what is asked for.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, stdtr, stdtrit

from harness.analysis.estimate.effects import MARGIN, POOLED, SAME, joined, level_name
from harness.analysis.estimate.families import benjamini_hochberg
from harness.analysis.estimate.pairing import FACTORS, TASK, Contrast, only, shares
from harness.analysis.frame import to_frame
from harness.records import Column, Record

Matrix = NDArray[np.float64]
_DESIGNED = ("task_class", "model", "context_budget")
"""the columns whose levels have terms of their own"""
FEWEST = 4
"""apps below which the covariance says nothing; of one app it is the rounding of a division by 0"""


class MarginalRow(Record):
    """An average marginal effect of the arm: predicted on one side less on the other."""

    contrast: Annotated[str, Column("the minuend less the subtrahend")]
    stratum: Annotated[str, Column("the class or model averaged over, or pooled")]
    apps: Annotated[int, Column("clusters", "apps")]
    cells: Annotated[int, Column("observations: shares of resolved trials", "cells")]
    effect: Annotated[float | None, Column("average marginal effect", "pp")] = None
    se: Annotated[float | None, Column("bias-reduced, by the delta method", "pp")] = None
    low: Annotated[float | None, Column("lower end of the 95% t interval", "pp")] = None
    high: Annotated[float | None, Column("upper end of it", "pp")] = None
    p: Annotated[float | None, Column("two-sided, t on apps - 1 degrees of freedom")] = None
    p_adjusted: Annotated[float | None, Column("Benjamini-Hochberg over the rows")] = None
    within_margin: Annotated[
        float | None, Column("weight of the t distribution inside -/+ 10 pp")
    ] = None
    note: Annotated[str | None, Column("what to know before reading the numbers")] = None


@dataclass(frozen=True)
class _Design:
    """Cells and their design matrix, with the arm set to either side for every cell."""

    cells: pd.DataFrame
    as_seen: Matrix
    as_minuend: Matrix
    as_subtrahend: Matrix


@dataclass(frozen=True)
class _Fit:
    """Coefficients and their bias-reduced covariance."""

    params: Matrix
    covariance: Matrix


def marginal_effects(trials: pd.DataFrame, contrast: Contrast) -> pd.DataFrame:
    """One `MarginalRow` pooled, one a class and one a model: arm x class + arm x model.

    Lost trials count as unresolved.
    """
    cells = _cells(trials, contrast)
    problem = _problem(cells)
    if problem:
        return to_frame([_untold(cells, contrast, POOLED, problem)], MarginalRow)
    cells, rare = _without_rare(cells)
    if cells.empty:
        told = f"no class, model and budget has {FEWEST} apps: not fitted"
        return to_frame([_untold(cells, contrast, POOLED, told)], MarginalRow)
    design = _design(cells)
    if np.linalg.matrix_rank(design.as_seen) < design.as_seen.shape[1]:
        told = "classes, models and budgets do not vary apart from each other: not fitted"
        return to_frame([_untold(cells, contrast, POOLED, told)], MarginalRow)
    fit = _fit(design)
    strata = {POOLED: pd.Series(data=True, index=cells.index)}
    for column in ("task_class", "model"):
        names = cells[column].map(level_name)
        found = sorted(set(names))
        if len(found) > 1:
            strata |= {f"{column} {name}": names == name for name in found}
    rows = [_row(design, fit, contrast, name, mask.to_numpy()) for name, mask in strata.items()]
    if rare:
        note = joined(rows[0].note, f"without {', '.join(rare)}")
        rows[0] = rows[0].model_copy(update={"note": note})
    rows += [_untold(held, contrast, name, _too_few(held)) for name, held in rare.items()]
    effects = to_frame(rows, MarginalRow)
    return effects.assign(p_adjusted=benjamini_hochberg(effects["p"]))


def _untold(cells: pd.DataFrame, contrast: Contrast, stratum: str, why: str | None) -> MarginalRow:
    """A row that has a sentence instead of numbers."""
    apps = cells["app"].nunique()
    return MarginalRow(
        contrast=str(contrast), stratum=stratum, apps=apps, cells=len(cells), note=why
    )


def _cells(trials: pd.DataFrame, contrast: Contrast) -> pd.DataFrame:
    """The cells that both sides have."""
    sides = [
        shares(only(trials, arm=side.arm, scope=side.scope), lost_as=False).assign(arm_is=number)
        for number, side in enumerate((contrast.subtrahend, contrast.minuend))
    ]
    key = [*FACTORS, *TASK]
    common = sides[0][key].merge(sides[1][key])
    both = pd.concat([side.merge(common) for side in sides], ignore_index=True)
    return both.sort_values("app", kind="stable", ignore_index=True)


def _without_rare(cells: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """The cells without levels of too few apps, whose terms could not be told; and those levels.

    What leaves with a level can make another one rare.
    """
    rare: dict[str, pd.DataFrame] = {}
    while True:
        levels = {column: cells[column].map(level_name) for column in _DESIGNED}
        found = {
            f"{column} {level}": names == level
            for column, names in levels.items()
            for level in sorted(set(names))
            if _too_few(cells[names == level])
        }
        if not found:
            return cells, rare
        rare |= {name: cells[mask] for name, mask in found.items()}
        cells = cells[~np.logical_or.reduce(list(found.values()))].reset_index(drop=True)


def _too_few(cells: pd.DataFrame) -> str | None:
    apps = cells["app"].nunique()
    if apps >= FEWEST:
        return None
    return f"{apps} app{'s' * (apps != 1)}: a covariance over clusters needs at least {FEWEST}"


def _problem(cells: pd.DataFrame) -> str | None:
    if cells.empty:
        return "no cell has trials on both sides"
    if few := _too_few(cells):
        return few
    alike = ["arm_is", *_DESIGNED]
    if (cells.groupby(alike, dropna=False, observed=True)["share"].nunique() < 2).all():
        return "no variance: the cells of a side ended alike"
    return None


def _design(cells: pd.DataFrame) -> _Design:
    """Intercept, arm, and each further level of class, model and budget with its arm term."""
    levels = [
        pd.get_dummies(cells[n].map(level_name), prefix=n, drop_first=True) for n in _DESIGNED
    ]
    dummies = np.hstack([level.to_numpy(float) for level in levels])
    arm = cells["arm_is"].to_numpy(float)
    return _Design(
        cells, *(_columns(arm_is, dummies) for arm_is in (arm, np.ones_like(arm), 0 * arm))
    )


def _columns(arm: Matrix, dummies: Matrix) -> Matrix:
    return np.column_stack([np.ones_like(arm), arm, dummies, dummies * arm[:, None]])


def _fit(design: _Design) -> _Fit:
    # statsmodels takes 0.6 s to import, and only this analysis needs it.
    from statsmodels.genmod.cov_struct import Independence  # noqa: PLC0415
    from statsmodels.genmod.families import Binomial  # noqa: PLC0415
    from statsmodels.genmod.generalized_estimating_equations import GEE  # noqa: PLC0415

    model = GEE(
        design.cells["share"].to_numpy(float),
        design.as_seen,
        groups=design.cells["app"].astype("category").cat.codes.to_numpy(),
        family=Binomial(),
        cov_struct=Independence(),
    )
    found = model.fit(cov_type="bias_reduced")
    return _Fit(np.asarray(found.params), np.asarray(found.cov_params()))


def _row(
    design: _Design, fit: _Fit, contrast: Contrast, stratum: str, mask: NDArray[np.bool_]
) -> MarginalRow:
    cells = design.cells[mask]
    apps = cells["app"].nunique()
    if separated := _separated(cells):
        return _untold(cells, contrast, stratum, separated)
    effect, gradient = _effect(design, fit.params, mask)
    # Rounding may leave a variance of nothing a little below nothing.
    se = 100 * max(0.0, float(gradient @ fit.covariance @ gradient)) ** 0.5
    if se < SAME:
        same = f"all {apps} apps differ by the same: no variance"
        return _untold(cells, contrast, stratum, same).model_copy(update={"effect": effect})
    degrees = apps - 1
    half = float(stdtrit(degrees, 0.975)) * se
    inside = stdtr(degrees, (MARGIN - effect) / se) - stdtr(degrees, (-MARGIN - effect) / se)
    return MarginalRow(
        contrast=str(contrast),
        stratum=stratum,
        apps=apps,
        cells=len(cells),
        effect=effect,
        se=se,
        low=effect - half,
        high=effect + half,
        p=2 * float(stdtr(degrees, -abs(effect) / se)),
        within_margin=float(inside),
    )


def _separated(cells: pd.DataFrame) -> str | None:
    """Why a logistic model has no finite estimate for these cells, if so."""
    for _, side in cells.groupby("arm_is"):
        if (side["share"] == side["share"].iloc[0]).all() and side["share"].iloc[0] in {0, 1}:
            return "a side resolved all or none: a logistic model has no finite estimate"
    return None


def _effect(design: _Design, params: Matrix, mask: NDArray[np.bool_]) -> tuple[float, Matrix]:
    """The mean predicted gap in pp, and its gradient in the coefficients (as a share)."""
    on, off = design.as_minuend[mask], design.as_subtrahend[mask]
    p_on, p_off = expit(on @ params), expit(off @ params)
    slope_on, slope_off = p_on * (1 - p_on), p_off * (1 - p_off)
    gradient: Matrix = (slope_on @ on - slope_off @ off) / len(on)
    return 100 * float(np.mean(p_on - p_off)), gradient
