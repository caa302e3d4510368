"""Effects made of effects: the decomposition, and how a contrast moves with a factor."""

from dataclasses import replace
from functools import reduce

import pandas as pd

from harness.analysis.estimate.effects import EffectRow, Question, effect
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


def decomposition(trials: pd.DataFrame, question: Question) -> pd.DataFrame:
    """One `EffectRow` a part and one of their sum, over the tasks that have every side.

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
    return to_frame(rows, EffectRow)


def difference_in_differences(
    trials: pd.DataFrame, question: Question, factor: str, high: str, low: str
) -> EffectRow:
    """How much larger the contrast is where `factor` is `high` than where it is `low`, in pp.

    Within tasks, with the cluster SE of any other effect (SCIENCE.md (c) 8). `minuend` and
    `subtrahend` of the row are null: four cells are compared, not two.
    """
    sides = [
        differences(
            only(trials, **{factor: level}), question.contrast, question.outcome, question.missing
        )
        for level in (high, low)
    ]
    key = [name for name in (*FACTORS, *TASK) if name != factor]
    both = sides[0].merge(sides[1], on=key, suffixes=("", "_low"))
    both["difference"] -= both["difference_low"]
    for side in ("minuend", "subtrahend"):  # at an end where all four cells are
        both[side] = (both[side] + both[f"{side}_low"]) / 2
    both["trials"] += both["trials_low"]
    both["lost"] += both["lost_low"]
    row = effect(both, question, factor, f"{high} - {low}")
    note = row.note if len(both) else f"no task has all four cells of {factor} {high} and {low}"
    return row.model_copy(update={"minuend": None, "subtrahend": None, "note": note})


def _common(frames: list[pd.DataFrame]) -> pd.DataFrame:
    keys = [frame[[*FACTORS, *TASK]] for frame in frames]
    return reduce(lambda left, right: left.merge(right), keys)
