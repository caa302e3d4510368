"""Shares and means with intervals over apps: the numbers under most figures."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from harness.analysis.estimate import clusters
from harness.analysis.estimate.pairing import clustered
from harness.analysis.paper.styles import side_order


def with_side(trials: pd.DataFrame) -> pd.DataFrame:
    """The trials with `side`: the arm, and its scope in brackets where that is not `all`."""
    scope = trials["scope"].astype(str)
    brackets = (" (" + scope + ")").where(scope != "all", "")
    return trials.assign(side=trials["arm"].astype(str) + brackets)


def counted(trials: pd.DataFrame) -> pd.DataFrame:
    """The trials that were not lost to infrastructure."""
    return trials[trials["status"] != "lost"]


def studied(trials: pd.DataFrame) -> pd.DataFrame:
    """The counted trials of language models."""
    return counted(trials[trials["model"].notna()])


def sides(frame: pd.DataFrame) -> list[str]:
    """The sides in `frame`, from the most coupled to the most distributed."""
    return sorted(set(frame["side"]), key=side_order)


def over_apps(frame: pd.DataFrame, value: str, by: Sequence[str]) -> pd.DataFrame:
    """Mean of tasks within apps, then over apps: `by`, `value`, `low`, `high`, `apps`, `n`.

    The 95% t interval is over apps; null with one app, or where nothing varies.
    """
    known = clustered(frame[frame[value].notna()])
    number = known[value].astype(float)
    keyed = known[[*by, "app", "task"]].assign(number=number)
    per_task = keyed.groupby([*by, "app", "task"], observed=True)["number"].agg(["mean", "size"])
    per_app = per_task.groupby(level=[*by, "app"], observed=True).agg(
        mean=("mean", "mean"), n=("size", "sum")
    )
    groups = per_app.groupby(level=list(by), observed=True)
    found = groups.agg(
        value=("mean", "mean"), spread=("mean", "std"), apps=("mean", "size"), n=("n", "sum")
    )
    return _with_ends(found).reset_index().rename(columns={"value": value})


def _with_ends(found: pd.DataFrame) -> pd.DataFrame:
    apps = found["apps"].to_numpy(int)
    half = np.full(len(found), np.nan)
    for number in set(apps[apps > 1]):
        of_size = apps == number
        se = found["spread"].to_numpy(float)[of_size] / np.sqrt(number)
        value = found["value"].to_numpy(float)[of_size]
        half[of_size] = clusters.Estimate(value, se, int(number)).interval()[1] - value
    half[half == 0] = np.nan
    return found.drop(columns="spread").assign(
        low=found["value"] - half, high=found["value"] + half
    )
