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

from harness.analysis.estimate.effects import MARGIN, POOLED, few_apps, level_name
from harness.analysis.estimate.pairing import Contrast, Missing, only, shares
from harness.analysis.frame import to_frame
from harness.records import Column, Record

Matrix = NDArray[np.float64]
FEWEST = 4
"""apps below which the covariance says nothing"""


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


def marginal_effects(
    trials: pd.DataFrame, contrast: Contrast, missing: Missing = Missing.fail
) -> pd.DataFrame:
    """One `MarginalRow` pooled, one a class and one a model: arm x class + arm x model."""
    cells = _cells(trials, contrast, missing)
    apps = cells["app"].nunique()
    problem = _problem(cells, apps)
    if problem:
        row = MarginalRow(
            contrast=str(contrast), stratum=POOLED, apps=apps, cells=len(cells), note=problem
        )
        return to_frame([row], MarginalRow)
    design = _design(cells)
    fit = _fit(design)
    strata = {POOLED: pd.Series(data=True, index=cells.index)}
    for column in ("task_class", "model"):
        names = cells[column].map(level_name)
        found = sorted(set(names))
        if len(found) > 1:
            strata |= {f"{column} {name}": names == name for name in found}
    rows = [_row(design, fit, contrast, name, mask.to_numpy()) for name, mask in strata.items()]
    return to_frame(rows, MarginalRow)


def _cells(trials: pd.DataFrame, contrast: Contrast, missing: Missing) -> pd.DataFrame:
    sides = [
        shares(only(trials, arm=side.arm, scope=side.scope), missing=missing).assign(arm_is=number)
        for number, side in enumerate((contrast.subtrahend, contrast.minuend))
    ]
    return pd.concat(sides, ignore_index=True).sort_values("app", kind="stable", ignore_index=True)


def _problem(cells: pd.DataFrame, apps: int) -> str | None:
    if cells["arm_is"].nunique() < 2:
        return "one arm is missing"
    if apps < FEWEST:
        return f"{apps} apps: a covariance over clusters needs at least {FEWEST}"
    if cells["share"].nunique() < 2:
        return "no variance: every cell ended alike"
    return None


def _design(cells: pd.DataFrame) -> _Design:
    """Intercept, arm, and each further level of class, model and budget with its arm term."""
    names = ("task_class", "model", "context_budget")
    levels = [pd.get_dummies(cells[n].map(level_name), prefix=n, drop_first=True) for n in names]
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
    apps = design.cells.loc[mask, "app"].nunique()
    effect, gradient = _effect(design, fit.params, mask)
    se = 100 * float(np.sqrt(gradient @ fit.covariance @ gradient))
    degrees = design.cells["app"].nunique() - 1
    half = float(stdtrit(degrees, 0.975)) * se
    inside = stdtr(degrees, (MARGIN - effect) / se) - stdtr(degrees, (-MARGIN - effect) / se)
    return MarginalRow(
        contrast=str(contrast),
        stratum=stratum,
        apps=apps,
        cells=int(mask.sum()),
        effect=effect,
        se=se,
        low=effect - half,
        high=effect + half,
        p=2 * float(stdtr(degrees, -abs(effect) / se)),
        within_margin=float(inside),
        note=few_apps(apps),
    )


def _effect(design: _Design, params: Matrix, mask: NDArray[np.bool_]) -> tuple[float, Matrix]:
    """The mean predicted gap in pp, and its gradient in the coefficients (as a share)."""
    on, off = design.as_minuend[mask], design.as_subtrahend[mask]
    p_on, p_off = expit(on @ params), expit(off @ params)
    slope_on, slope_off = p_on * (1 - p_on), p_off * (1 - p_off)
    gradient: Matrix = (slope_on @ on - slope_off @ off) / len(on)
    return 100 * float(np.mean(p_on - p_off)), gradient
