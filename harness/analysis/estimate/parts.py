"""Effects made of effects: the decomposition, and how a contrast moves with a factor."""

from dataclasses import replace
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd

from harness.analysis.estimate.effects import SAME, EffectRow, Question, effect, explored
from harness.analysis.estimate.pairing import FACTORS, TASK, Contrast, Side, differences, only
from harness.analysis.frame import to_frame

_TANGLED, _MODULES, _SERVICES = Side("monolith"), Side("modular"), Side("microservices")
_OWN = Side("microservices", "own")

PARTS = {
    "boundary": Contrast(_MODULES, _TANGLED),
    "distribution": Contrast(_SERVICES, _MODULES),
    "scope": Contrast(_OWN, _SERVICES),
}
"""the three parts, which sum to the essay's contrast (SCIENCE.md (c) 7)"""
MODULES_SCOPE = Contrast(Side("modular", "own"), _MODULES)
"""scope without distribution, which is no part of the sum"""
ESSAY = Contrast(_OWN, _TANGLED)
WITHOUT_SCOPE = Contrast(_SERVICES, _TANGLED)
"""what the parts sum to where nobody worked with scope=own"""
_ALL: Any = {"dropna": False, "observed": True}
"""groups of keys that may be null, and no others than there are"""


def decomposition(trials: pd.DataFrame, question: Question) -> pd.DataFrame:
    """One `EffectRow` a part and one of their sum, over the tasks that have every side.

    All of them explore: p is adjusted over the rows.
    Only common tasks (with the same agent, model and budget) are used, so that the parts sum to
    the whole exactly. `level` is the part's name, or `sum`; `modules scope` stands behind it, over
    its own tasks, where somebody worked so.
    """
    has_own = len(only(trials, arm=_OWN.arm, scope=_OWN.scope)) > 0
    wanted = {name: part for name, part in PARTS.items() if has_own or name != "scope"}
    wanted["sum"] = ESSAY if has_own else WITHOUT_SCOPE
    found = {
        name: differences(trials, part, question.outcome, question.missing)
        for name, part in wanted.items()
    }
    common = _common(list(found.values()))
    rows = [
        effect(frame.merge(common), replace(question, contrast=wanted[name]), "part", name)
        for name, frame in found.items()
    ]
    apart = differences(trials, MODULES_SCOPE, question.outcome, question.missing)
    if len(apart):
        asked = replace(question, contrast=MODULES_SCOPE)
        rows.append(effect(apart, asked, "part", "modules scope"))
    return explored(to_frame(rows, EffectRow))


def difference_in_differences(
    trials: pd.DataFrame, question: Question, factor: str, high: str, low: str
) -> EffectRow:
    """How much larger the contrast is where `factor` is `high` than where it is `low`, in pp.

    Within tasks, with the cluster SE of any other effect (SCIENCE.md (c) 8). `minuend` and
    `subtrahend` of the row are null: four cells are compared, not two.
    """
    found = gaps_between(trials, question, factor, high, low)
    none = f"no task has all four cells of {factor} {high} and {low}"
    return _without_sides(found, question, factor, f"{high} - {low}", none)


def gaps_between(
    trials: pd.DataFrame, question: Question, factor: str, high: str, low: str
) -> pd.DataFrame:
    """As `pairing.differences`, of the contrast at one level of `factor` less that at another."""
    sides = [
        differences(only(trials, **{factor: level}), question.contrast, question.outcome, missing)
        # What is subtracted is at its highest where the whole is at its lowest.
        for level, missing in ((high, question.missing), (low, question.missing.opposite))
    ]
    key = [name for name in (*FACTORS, *TASK) if name != factor]
    both = sides[0].merge(sides[1], on=key, suffixes=("", "_low"))
    both["difference"] -= both["difference_low"]
    for side in ("minuend", "subtrahend"):  # at an end where all four cells are
        both[side] = (both[side] + both[f"{side}_low"]) / 2
    both["trials"] += both["trials_low"]
    both["lost"] += both["lost_low"]
    return both


def per_doubling(trials: pd.DataFrame, question: Question) -> EffectRow:
    """How the contrast moves with the size of an app: its slope in log2 of the app's lines, in pp.

    Within a behaviour that the study holds at several sizes, and within a task of it by its name;
    the lines are those of the subtrahend's arm. `minuend` and `subtrahend` of the row are null.
    """
    side = only(trials, arm=question.contrast.subtrahend.arm)
    lines = side.groupby("task", observed=True)["app_code_lines"].max().astype(float)
    found = differences(trials, question.contrast, question.outcome, question.missing)
    found["size"] = np.log2(found["task"].map(lines).astype(float))
    found["task"] = found["task"].str.replace("^[^/]*/", "", regex=True)
    key = [*FACTORS, *TASK]
    around = found["size"] - found.groupby(key, **_ALL)["size"].transform("mean")
    # Of centred sizes: their products with the differences over their squares are the slope.
    found["product"], found["square"] = around * found["difference"], around**2
    groups = found.groupby(key, **_ALL)
    sums = groups[["product", "square", "trials", "lost"]].sum()
    rows = sums.join(groups[["minuend", "subtrahend"]].mean()).reset_index()
    rows = rows[rows["square"] > SAME]
    rows["difference"] = rows["product"] / rows["square"]
    none = "no task was set at two sizes of one app: not tested"
    return _without_sides(rows, question, "size", "doubling", none)


def _without_sides(
    found: pd.DataFrame, question: Question, factor: str, level: str, none: str
) -> EffectRow:
    """The effect of what compares more than two sides; `none` is said where there is nothing."""
    row = effect(found, question, factor, level)
    note = row.note if len(found) else none
    return row.model_copy(update={"minuend": None, "subtrahend": None, "note": note})


def _common(frames: list[pd.DataFrame]) -> pd.DataFrame:
    keys = [frame[[*FACTORS, *TASK]] for frame in frames]
    return reduce(lambda left, right: left.merge(right), keys)
