"""From trials to within-task differences: the only place where two arms meet."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

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


def clustered(trials: pd.DataFrame) -> pd.DataFrame:
    """The trials with `app` naming the behaviour: apps of one behaviour are one cluster.

    What two apps of one behaviour have in common is not chance, so they are no two observations.
    """
    if "behaviour_of" not in trials:
        return trials
    return trials.assign(app=trials["behaviour_of"].fillna(trials["app"]))


def shares(
    trials: pd.DataFrame, outcome: str = "resolved", missing: Missing = Missing.exclude
) -> pd.DataFrame:
    """One row a cell: its key, `share` (mean outcome), `n` counted and `lost` trials.

    `outcome` is a column of truth values or of numbers. A null truth value of a trial that was not
    lost is 0: no evidence is not a pass. A number that is null, or of a lost trial, is left out:
    nothing can be said for it. Apps are those of `clustered`.
    """
    trials = clustered(trials)
    is_truth = trials[outcome].dtype == pd.BooleanDtype()
    is_lost = (trials["status"] == "lost").to_numpy(bool)
    if not is_truth:
        known = trials[~is_lost & trials[outcome].notna().to_numpy(bool)]
        values = known[outcome].to_numpy(float)
    elif missing is Missing.fail:
        known = trials
        values = (known[outcome].fillna(value=False).to_numpy(bool) & ~is_lost).astype(float)
    else:
        known = trials[~is_lost]
        values = known[outcome].fillna(value=False).to_numpy(float)
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
    sides = {
        "minuend": _side(trials, contrast.minuend),
        "subtrahend": _side(trials, contrast.subtrahend),
    }
    is_truth = trials[outcome].dtype == pd.BooleanDtype()
    if is_truth and missing in {Missing.worst_low, Missing.worst_high}:
        sides = _assume_the_worst(sides, outcome, low=missing is Missing.worst_low)
        missing = Missing.exclude
    found = {name: shares(side, outcome, missing) for name, side in sides.items()}
    key = [*FACTORS, *TASK]
    both = found["minuend"].merge(found["subtrahend"], on=key, suffixes=("_m", "_s"))
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


def _side(trials: pd.DataFrame, side: Side) -> pd.DataFrame:
    return only(trials, arm=side.arm, scope=side.scope)


def _assume_the_worst(
    sides: dict[str, pd.DataFrame], outcome: str, *, low: bool
) -> dict[str, pd.DataFrame]:
    """Lost trials become scored ones that make the difference as low (or high) as it can be."""
    good = {"minuend": not low, "subtrahend": low}
    assumed = {}
    for name, side in sides.items():
        lost = side["status"] == "lost"
        assumed[name] = side.assign(
            **{outcome: side[outcome].mask(lost, good[name])},
            status=side["status"].mask(lost, "scored"),
        )
    return assumed


def _check(trials: pd.DataFrame, outcome: str) -> None:
    if outcome not in trials:
        raise BadInput(f"outcome {outcome}: no such column in the trials")
