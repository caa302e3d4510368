"""Inference over clusters: every function takes the clusters' means or sums, and nothing else.

An array of means has the clusters on its last axis; leading axes are studies that are worked out
at once. Nothing here knows what a trial is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtr, stdtrit

Array = NDArray[np.float64]

EXACT_UP_TO = 20
"""clusters for which every one of the 2^D sign flips is tried"""
_RATIO = np.array([1.0, -1.0, -1.0, 1.0])
"""of the logarithms of a, b, c and d: that of (a / b) / (c / d)"""
_TIE = 1e-9
"""sums this close, relative to the observed one, are equal: they differ by rounding only"""


@dataclass(frozen=True)
class Estimate:
    """A mean over clusters with its standard error, in the unit of the means."""

    value: Array
    se: Array
    clusters: int

    def interval(self, level: float = 0.95) -> tuple[Array, Array]:
        """Value -/+ t_{D-1} SE (SCIENCE.md (c) 2)."""
        half = stdtrit(self.clusters - 1, 0.5 + level / 2) * self.se
        return self.value - half, self.value + half

    def p_value(self) -> Array:
        """Two-sided p of no difference, by t on D-1 degrees of freedom."""
        p: Array = 2 * stdtr(self.clusters - 1, -np.abs(self.value / self.se))
        return p

    def p_equivalence(self, margin: float) -> Array:
        """The larger p of the two one-sided tests against -/+ `margin` (Schuirmann 1987)."""
        nearest = (margin - np.abs(self.value)) / self.se
        p: Array = stdtr(self.clusters - 1, -nearest)
        return p


def estimate(means: Array) -> Estimate:
    """The mean of the clusters' means, each cluster with equal weight; needs two clusters."""
    clusters = means.shape[-1]
    se = np.std(means, axis=-1, ddof=1) / np.sqrt(clusters)
    return Estimate(np.mean(means, axis=-1), se, clusters)


def log_ratio(sums: Array) -> Estimate:
    """The logarithm of (a / b) / (c / d), whose columns are summed over clusters (the rows).

    Its standard error is linearised: of the sum over clusters of what each adds to the logarithm
    (Cochran 1977, 6.3). Needs two clusters, and four sums above 0.
    """
    clusters = len(sums)
    influence = (sums / sums.sum(axis=0)) @ _RATIO
    se = np.sqrt(clusters / (clusters - 1) * np.sum(influence**2))
    return Estimate(np.log(sums.sum(axis=0)) @ _RATIO, se, clusters)


def swap_p(sums: Array, seed: int = 0, draws: int = 100_000) -> float:
    """Two-sided p of such a ratio by swapping its sides, (a, b) and (c, d), within clusters.

    The same test as `sign_flip_p`, for a statistic that is no sum over clusters.
    """
    whole, gap = sums[:, :2] + sums[:, 2:], sums[:, :2] - sums[:, 2:]
    if len(sums) <= EXACT_UP_TO:
        flipped = _all_sums(gap.T)
    else:
        signs = np.random.default_rng(seed).choice((-1.0, 1.0), size=(len(sums), draws))
        flipped = np.column_stack([gap.sum(axis=0), gap.T @ signs])
    swapped = np.hstack([whole.sum(axis=0) + flipped.T, whole.sum(axis=0) - flipped.T])
    with np.errstate(divide="ignore"):  # a side that resolves nothing costs more than any
        reached = np.abs(np.log(swapped) @ _RATIO)
    return float(np.mean(_reaches(reached, reached[0])))


def smallest_p(clusters: int) -> float:
    """The smallest two-sided p that flipping the signs of so many clusters can give."""
    return min(1.0, 2.0 / 2.0**clusters)


def sign_flip_p(means: Array, seed: int = 0, draws: int = 100_000) -> Array:
    """Two-sided p by flipping the signs of the clusters' means (Fisher 1935, chapter 3).

    Exact up to `EXACT_UP_TO` clusters; beyond, from `draws` random flips and the observed one.
    """
    observed = np.abs(means.sum(axis=-1, keepdims=True))
    if means.shape[-1] <= EXACT_UP_TO:
        flipped = _all_sums(means)
        exact: Array = np.mean(_reaches(flipped, observed), axis=-1)
        return exact
    signs = np.random.default_rng(seed).choice((-1.0, 1.0), size=(means.shape[-1], draws))
    hits = _reaches(means @ signs, observed).sum(axis=-1)
    p: Array = (hits + 1) / (draws + 1)
    return p


def _all_sums(means: Array) -> Array:
    """The sum of each half of the flips; the others are their negatives and reach as far."""
    sums = means[..., :1]
    for index in range(1, means.shape[-1]):
        next_one = means[..., index : index + 1]
        sums = np.concatenate([sums + next_one, sums - next_one], axis=-1)
    return sums


def _reaches(sums: Array, observed: Array) -> NDArray[np.bool_]:
    reaches: NDArray[np.bool_] = np.abs(sums) >= observed * (1 - _TIE) - np.finfo(float).tiny
    return reaches


def bootstrap(
    sums: Array, statistic: Callable[[Array], Array], *, seed: int = 0, n_boot: int = 10_000,
    level: float = 0.95,
) -> tuple[float, float]:  # fmt: skip
    """A BCa interval (Efron 1987) of a statistic of sums over resampled clusters.

    Whole clusters are drawn: what lies inside one comes along, so that its variance is counted
    once (Davison and Hinkley 1997, 3.8).

    Args:
        sums: one row a cluster, one column a quantity that adds up over clusters.
        statistic: from rows of summed quantities to one number a row.
        seed: of the resampling.
        n_boot: resamples.
        level: of the interval.

    Returns:
        The interval; both ends NaN where the resamples do not vary.
    """
    clusters = len(sums)
    drawn = np.random.default_rng(seed).multinomial(
        clusters, np.full(clusters, 1 / clusters), size=n_boot
    )
    values = statistic(drawn @ sums)
    values = values[np.isfinite(values)]
    whole = statistic(sums.sum(axis=0, keepdims=True))[0]
    left_out = statistic(sums.sum(axis=0) - sums)
    if len(values) < n_boot / 2 or np.ptp(values) == 0 or not np.isfinite(left_out).all():
        return float("nan"), float("nan")
    low, high = np.quantile(values, _bca_levels(values, float(whole), left_out, level))
    return float(low), float(high)


def mean_of(sums: Array) -> Array:
    """The statistic of a plain mean: the first column over the second, which counts."""
    means: Array = sums[:, 0] / sums[:, 1]
    return means


def bca_of_mean(means: Array, seed: int = 0, n_boot: int = 10_000) -> tuple[float, float]:
    """The BCa interval of a mean over clusters."""
    sums = np.column_stack([means, np.ones_like(means)])
    return bootstrap(sums, mean_of, seed=seed, n_boot=n_boot)


def _bca_levels(values: Array, whole: float, left_out: Array, level: float) -> Array:
    """Which quantiles of the resamples are the ends (Efron 1987, equation 6.8)."""
    # Ties count half, so that a symmetric discrete distribution has no bias.
    below = np.mean(values < whole) + np.mean(values == whole) / 2
    inside = 0.5 / len(values)
    bias = ndtri(np.clip(below, inside, 1 - inside))
    gaps = left_out.mean() - left_out
    spread = (gaps**2).sum() ** 1.5
    acceleration = (gaps**3).sum() / (6 * spread) if spread else 0.0
    z = bias + np.array([-1.0, 1.0]) * NormalDist().inv_cdf(0.5 + level / 2)
    levels: Array = ndtr(bias + z / (1 - acceleration * z))
    return levels
