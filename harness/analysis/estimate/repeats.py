"""Reliability over repeats of one cell."""

import numpy as np
import pandas as pd
from scipy.special import gammaln

from harness.analysis.estimate.pairing import FACTORS, TASK, clustered
from harness.errors import BadInput


def pass_at_k(n: pd.Series, c: pd.Series, k: int) -> pd.Series:
    """1 - C(n-c, k)/C(n, k): at least one of k repeats is resolved (Chen et al. 2021, 2107.03374).

    `n` repeats and `c` resolved ones a cell; null where n < k.
    """
    return 1 - _share_of_subsets(n - c, n, k)


def pass_hat_k(n: pd.Series, c: pd.Series, k: int) -> pd.Series:
    """C(c, k)/C(n, k): all of k repeats are resolved (tau-bench, Yao et al. 2024, 2406.12045)."""
    return _share_of_subsets(c, n, k)


def reliability(trials: pd.DataFrame, *ks: int) -> pd.DataFrame:
    """`pass_at_k` and `pass_hat_k` by arm, scope and FACTORS: mean over tasks, then over apps.

    Without `ks`: 1, 2, 4 and so on, up to the repeats that half of the cells have.

    Columns: FACTORS, `arm`, `scope`, `k`, `cells`, `pass_at_k`, `pass_hat_k`; a cell with fewer
    than k counted repeats is left out, and `cells` says how many there were.
    """
    if ks and min(ks) < 1:
        raise BadInput(f"k={min(ks)}: pass@k needs k of 1 or more")
    trials = clustered(trials)
    counted = trials[trials["status"] != "lost"]
    key = [*FACTORS, "arm", "scope", *TASK]
    resolved = counted[key].assign(resolved=counted["resolved"].astype(int))
    cells = resolved.groupby(key, dropna=False, observed=True)["resolved"].agg(["size", "sum"])
    return pd.concat([_at(cells, k) for k in ks or _usual(cells["size"])], ignore_index=True)


def _usual(repeats: pd.Series) -> list[int]:
    most = int(repeats.quantile(0.5, interpolation="lower")) if len(repeats) else 1
    return sorted({1, *(2**power for power in range(most.bit_length())), most})


def _at(cells: pd.DataFrame, k: int) -> pd.DataFrame:
    cells = cells[cells["size"] >= k]
    cells = cells.assign(
        pass_at_k=pass_at_k(cells["size"], cells["sum"], k),
        pass_hat_k=pass_hat_k(cells["size"], cells["sum"], k),
    )
    values, groups = ["pass_at_k", "pass_hat_k"], [*FACTORS, "arm", "scope"]
    per_app = cells.groupby([*groups, "app"], dropna=False, observed=True)[values].mean()
    found = per_app.groupby(level=groups, dropna=False, observed=True).mean()
    number = cells.groupby(level=groups, dropna=False, observed=True).size()
    return found.assign(cells=number, k=k).reset_index()[[*groups, "k", "cells", *values]]


def _share_of_subsets(part: pd.Series, whole: pd.Series, k: int) -> pd.Series:
    """C(part, k)/C(whole, k) without overflow; 0 where part < k, null where whole < k."""
    safe = part.clip(lower=k).astype(float)
    base = whole.clip(lower=k).astype(float)
    logs = gammaln(safe + 1) - gammaln(safe - k + 1) - gammaln(base + 1) + gammaln(base - k + 1)
    shares = pd.Series(np.exp(logs), index=part.index).where(part >= k, 0.0)
    return shares.where(whole >= k)
