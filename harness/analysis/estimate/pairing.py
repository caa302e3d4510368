"""From trials to within-task differences: the only place where two arms meet."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import pandas as pd

from harness.errors import BadInput

TASK = ("app", "task_class", "family", "task")
"""what names a task; apps are the clusters"""
FACTORS = ("agent", "model", "context_budget", "dose")
"""what may differ between pairs, never within one"""


@dataclass(frozen=True)
class Side:
    """What stands on one side of a contrast."""

    arm: str
    scope: str = "all"

    def __str__(self) -> str:
        return self.arm if self.scope == "all" else f"{self.arm} ({self.scope})"


@dataclass(frozen=True)
class Contrast:
    """The minuend less the subtrahend; the more distributed arm comes first."""

    minuend: Side
    subtrahend: Side

    def __str__(self) -> str:
        return f"{self.minuend} - {self.subtrahend}"

    def within(self, scope: str) -> "Contrast":
        """The same two arms, both seen with `scope`."""
        return Contrast(replace(self.minuend, scope=scope), replace(self.subtrahend, scope=scope))


class Missing(StrEnum):
    """What a trial that infrastructure lost counts as (SCIENCE.md (c) 12)."""

    fail = "fail"
    """unresolved: the primary rule"""
    exclude = "exclude"
    """left out"""
    worst_low = "worst_low"
    """unresolved on the minuend and resolved on the subtrahend: the difference at its lowest"""
    worst_high = "worst_high"
    """the other way round: the difference at its highest"""

    @property
    def opposite(self) -> "Missing":
        """The rule of what is subtracted, so that the whole is at the end that this one names."""
        ends = {Missing.worst_low: Missing.worst_high, Missing.worst_high: Missing.worst_low}
        return ends.get(self, self)


_COUNTS_AS: dict[Missing, tuple[bool | None, bool | None]] = {
    Missing.fail: (False, False),
    Missing.exclude: (None, None),
    Missing.worst_low: (False, True),
    Missing.worst_high: (True, False),
}
"""a lost trial of the minuend, and one of the subtrahend; None: it is left out"""


def clustered(trials: pd.DataFrame) -> pd.DataFrame:
    """The trials with `app` naming the behaviour: apps of one behaviour are one cluster.

    What two apps of one behaviour have in common is not chance, so they are no two observations.
    """
    if "behaviour_of" not in trials:
        return trials
    return trials.assign(app=trials["behaviour_of"].fillna(trials["app"]))


def shares(
    trials: pd.DataFrame, outcome: str = "resolved", lost_as: bool | None = None
) -> pd.DataFrame:
    """One row a cell: its key, `share` (mean outcome), `n` counted and `lost` ones of them.

    `outcome` is a column of truth values or of numbers. Of truth values a lost trial counts as
    `lost_as`, or is left out (None); a null of another trial is 0: no evidence is not a pass. A
    number that is null, or of a lost trial, is left out: nothing can be said for it. Apps are those
    of `clustered`.
    """
    trials = clustered(trials)
    is_truth = trials[outcome].dtype == pd.BooleanDtype()
    is_lost = (trials["status"] == "lost").to_numpy(bool)
    if not is_truth:
        known = trials[~is_lost & trials[outcome].notna().to_numpy(bool)]
        values = known[outcome].to_numpy(float)
    elif lost_as is None:
        known = trials[~is_lost]
        values = known[outcome].fillna(value=False).to_numpy(float)
    else:
        known = trials
        told = known[outcome].fillna(value=False).to_numpy(bool)
        values = np.where(is_lost, lost_as, told).astype(float)
    key = [*FACTORS, *TASK, "arm", "scope"]
    frame = known[key].assign(share=values, lost=known["status"].eq("lost").to_numpy())
    groups = frame.groupby(key, dropna=False, observed=True, sort=False)
    return groups.agg(
        share=("share", "mean"), n=("share", "size"), lost=("lost", "sum")
    ).reset_index()


def differences(
    trials: pd.DataFrame,
    contrast: Contrast,
    outcome: str = "resolved",
    missing: Missing = Missing.fail,
) -> pd.DataFrame:
    """One row a task and combination of FACTORS that has trials on both sides.

    Columns: FACTORS, TASK, `minuend`, `subtrahend` (mean outcomes), `difference` (pp where the
    outcome is a truth value: 100 times the gap), `trials`, `lost`.
    """
    _check(trials, outcome)
    # Of a million trials, all columns would be copied for each side.
    trials = trials.filter([*FACTORS, *TASK, "behaviour_of", "arm", "scope", "status", outcome])
    minuend, subtrahend = (
        shares(only(trials, arm=side.arm, scope=side.scope), outcome, lost_as)
        for side, lost_as in zip(
            (contrast.minuend, contrast.subtrahend), _COUNTS_AS[missing], strict=True
        )
    )
    key = [*FACTORS, *TASK]
    both = minuend.merge(subtrahend, on=key, suffixes=("_m", "_s"))
    both = both.rename(columns={"share_m": "minuend", "share_s": "subtrahend"})
    both["difference"] = 100 * (both["minuend"] - both["subtrahend"])
    both["trials"] = both["n_m"] + both["n_s"]
    both["lost"] = both["lost_m"] + both["lost_s"]
    columns = [*key, "minuend", "subtrahend", "difference", "trials", "lost"]
    return both[columns].sort_values(key, ignore_index=True)


def by_app(differences: pd.DataFrame, value: str = "difference") -> pd.Series:
    """The clusters' means: within a model, then over models, over tasks, and so for each app.

    So each model, each task of an app and each app has equal weight (SCIENCE.md (c) 1).
    """
    per_task = _per_task(differences, value)
    return per_task.groupby(level="app", observed=True).mean()


def class_balanced(differences: pd.DataFrame, value: str = "difference") -> pd.Series:
    """As `by_app`, with each class of an app's tasks at equal weight (SCIENCE.md (c) 10)."""
    per_task = _per_task(differences, value)
    per_class = per_task.groupby(level=["app", "task_class"], observed=True).mean()
    return per_class.groupby(level="app", observed=True).mean()


def _per_task(differences: pd.DataFrame, value: str) -> pd.Series:
    task = ["app", "task_class", "task"]
    groups = differences.groupby([*task, "model"], dropna=False, observed=True)
    return groups[value].mean().groupby(level=task, observed=True).mean()


def only(trials: pd.DataFrame, **wanted: str | Sequence[str]) -> pd.DataFrame:
    """The trials whose columns have the wanted value, or one of them."""
    for column, values in wanted.items():
        chosen = [values] if isinstance(values, str) else list(values)
        trials = trials[trials[column].isin(chosen)]
    return trials


def _check(trials: pd.DataFrame, outcome: str) -> None:
    if outcome not in trials:
        raise BadInput(f"outcome {outcome}: no such column in the trials")
