"""H1 to H7 of SCIENCE.md as one family: each is tested where its data exist, and says so if not.

H4 and H7 say two things each, which are two members of the family.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.analysis.estimate import cost
from harness.analysis.estimate.effects import (
    EffectRow,
    Question,
    effect,
    joined,
    without_flips,
)
from harness.analysis.estimate.families import holm
from harness.analysis.estimate.pairing import Contrast, Side, differences, only
from harness.analysis.estimate.parts import difference_in_differences, per_doubling
from harness.analysis.frame import to_frame
from harness.records import Column, Record

_TANGLED, _MODULES = Side("monolith"), Side("modular")
_SERVICES, _OWN = Side("microservices"), Side("microservices", "own")
_DISTRIBUTED = Contrast(_SERVICES, _TANGLED)
_BROKEN = "collateral_break_share"


@dataclass(frozen=True)
class Asked:
    """What a hypothesis compares, and of which trials: column -> its values."""

    contrast: Contrast
    of: Mapping[str, Sequence[str]] = field(default_factory=dict)
    across: str | None = None
    """the column of `of` whose values are compared within a task"""


ASKED = {
    "H1": Asked(Contrast(_OWN, _TANGLED), {"task_class": ["I"]}),
    "H2": Asked(_DISTRIBUTED, {"dose": ["0", "2"]}, "dose"),
    "H3": Asked(_DISTRIBUTED, {"task_class": ["X"]}),
    "H4": Asked(_DISTRIBUTED, {"context_budget": ["32k", "full"]}, "context_budget"),
    "H4 size": Asked(_DISTRIBUTED),
    "H5": Asked(Contrast(_SERVICES, _MODULES), {"task_class": ["L", "I"]}),
    "H6": Asked(_DISTRIBUTED, {"task_class": ["D"]}),
    "H7": Asked(_DISTRIBUTED, {"task_class": ["X"]}),
    "H7 own": Asked(Contrast(_OWN, _TANGLED), {"task_class": ["L", "I"]}),
}


class HypothesisRow(Record):
    """One hypothesis: what was measured, and what the family-wise test makes of it."""

    hypothesis: Annotated[str, Column("H1 to H7, with the second halves of H4 and H7")]
    claim: Annotated[str, Column("what it says")]
    measure: Annotated[str, Column("what is estimated, and its unit")]
    apps: Annotated[int, Column("clusters", "apps")] = 0
    estimate: Annotated[float | None, Column("of the measure")] = None
    low: Annotated[float | None, Column("lower end of the 95% interval (H5: 90%)")] = None
    high: Annotated[float | None, Column("upper end of it")] = None
    p: Annotated[
        float | None, Column("sign flips over apps (H5: equivalence, H7: arms swapped)")
    ] = None
    p_adjusted: Annotated[float | None, Column("Holm over the hypotheses with a p")] = None
    note: Annotated[str | None, Column("what to know before reading the numbers")] = None


def hypotheses(trials: pd.DataFrame, question: Question) -> pd.DataFrame:
    """One `HypothesisRow` each, in order; Holm's family is those that could be tested."""
    tests: tuple[Callable[[pd.DataFrame, Question], HypothesisRow], ...] = (
        _containment, _coupling, _tax, _context, _size, _modules, _diagnosis, _tokens, _own_tokens,
    )  # fmt: skip
    frame = to_frame([test(trials, question) for test in tests], HypothesisRow)
    return frame.assign(p_adjusted=holm(frame["p"]))


def counts(trials: pd.DataFrame, hypothesis: str) -> NDArray[np.bool_]:
    """Which trials a hypothesis can use, of those that it asks for."""
    if hypothesis == "H1":
        return (_broken_shares(trials).notna() & trials["status"].ne("lost")).to_numpy(bool)
    if hypothesis in {"H7", "H7 own"}:
        return cost.counts(_with_tokens(trials), "tokens")
    return np.ones(len(trials), bool)


def _broken_shares(trials: pd.DataFrame) -> pd.Series:
    """What each trial broke outside the target contexts; null: nothing can be said.

    Where the app did not start, no test could pass: all of them broke, though none was counted.
    """
    return trials[_BROKEN].mask(_never_started(trials), 1.0)


def _containment(trials: pd.DataFrame, question: Question) -> HypothesisRow:
    chosen = only(trials, **ASKED["H1"].of)
    row = _effect(chosen.assign(**{_BROKEN: _broken_shares(chosen)}), question, "H1", _BROKEN)
    claim = "on class I, less breaks outside the context in an own-scope service than in a monolith"
    measure = "tests broken outside the target context, own - monolith, pp"
    told = _told("H1", claim, measure, row)
    if not row.apps:
        return told
    started_not = _by_side(chosen[_never_started(chosen)], "all broke where the app did not start")
    left_out = _by_side(chosen[~counts(chosen, "H1")], "left out, since lost or not counted")
    return told.model_copy(update={"note": joined(row.note, started_not, left_out)})


def _never_started(trials: pd.DataFrame) -> pd.Series:
    return trials["failure_cause"].eq("app_did_not_start").fillna(value=False)


def _by_side(trials: pd.DataFrame, what: str) -> str | None:
    """How many of these trials stand on each side of H1; None where there is none."""
    sides = (ASKED["H1"].contrast.minuend, ASKED["H1"].contrast.subtrahend)
    numbers = {str(side): len(only(trials, arm=side.arm, scope=side.scope)) for side in sides}
    told = ", ".join(f"{side} {number}" for side, number in numbers.items())
    return f"{what}: {told}" if any(numbers.values()) else None


def _coupling(trials: pd.DataFrame, question: Question) -> HypothesisRow:
    """Linear in the dose, the slope of the contrast is half of what is estimated."""
    claim = "each dose of implicit coupling costs a monolith more than it costs services"
    measure = "Resolved, services - monolith, dose 2 - dose 0, pp"
    doses = trials.assign(dose=trials["dose"].astype("string"))
    if not {"0", "2"} <= set(doses["dose"].dropna()):
        note = "no trials at both doses of coupling, 0 and 2: not tested"
        return HypothesisRow(hypothesis="H2", claim=claim, measure=measure, note=note)
    asked = replace(question, contrast=_DISTRIBUTED)
    return _told("H2", claim, measure, difference_in_differences(doses, asked, "dose", "2", "0"))


def _tax(trials: pd.DataFrame, question: Question) -> HypothesisRow:
    row = _effect(trials, question, "H3")
    claim = "work across contexts is resolved less often in services"
    return _told("H3", claim, "Resolved on class X, services - monolith, pp", row)


def _context(trials: pd.DataFrame, question: Question) -> HypothesisRow:
    asked = replace(question, contrast=_DISTRIBUTED)
    row = difference_in_differences(trials, asked, "context_budget", "32k", "full")
    claim = "a small context budget favours services"
    return _told("H4", claim, "Resolved, services - monolith, 32k - full, pp", row)


def _size(trials: pd.DataFrame, question: Question) -> HypothesisRow:
    asked = replace(question, contrast=_DISTRIBUTED)
    claim = "the larger the app, the more services are favoured"
    measure = "Resolved, services - monolith, for each doubling of the monolith's lines, pp"
    return _told("H4 size", claim, measure, per_doubling(trials, asked))


def _modules(trials: pd.DataFrame, question: Question) -> HypothesisRow:
    row = _effect(trials, question, "H5")
    told = _told(
        "H5",
        "modules do as well as services inside a context",
        f"Resolved on classes L and I, services - modular, pp; equivalent within {row.margin:g} pp",
        row,
    )
    ends = {"low": row.low90, "high": row.high90}
    note = without_flips(row.note, row.apps)
    return told.model_copy(update={"p": row.p_equivalence, **ends, "note": note})


def _diagnosis(trials: pd.DataFrame, question: Question) -> HypothesisRow:
    row = _effect(trials, question, "H6")
    claim = "faults are found and mended less often in services"
    return _told("H6", claim, "Resolved on class D, services - monolith, pp", row)


def _tokens(trials: pd.DataFrame, question: Question) -> HypothesisRow:
    claim = "work across contexts takes more tokens in services"
    measure = "tokens per resolved task on class X, services over monolith, ratio"
    return _spent("H7", claim, measure, trials, question)


def _own_tokens(trials: pd.DataFrame, question: Question) -> HypothesisRow:
    claim = "work inside a context takes less tokens in an own-scope service than in a monolith"
    measure = "tokens per resolved task on classes L and I, own over monolith, ratio"
    return _spent("H7 own", claim, measure, trials, question)


def _spent(
    name: str, claim: str, measure: str, trials: pd.DataFrame, question: Question
) -> HypothesisRow:
    asked = ASKED[name]
    chosen = _with_tokens(only(trials, **asked.of))
    found = cost.cost(chosen, replace(question, contrast=asked.contrast), "tokens").iloc[-1:]
    told = HypothesisRow(hypothesis=name, claim=claim, measure=measure)
    if not found["apps"].sum():
        return told.model_copy(update={"note": "no task has trials on both sides: not tested"})
    row = found.astype(object).where(found.notna(), None).iloc[0]
    return told.model_copy(
        update={
            "apps": int(row["apps"]),
            "estimate": row["per_resolved_ratio"],
            "low": row["per_resolved_low"],
            "high": row["per_resolved_high"],
            "p": row["per_resolved_p"],
            "note": row["note"],
        }
    )


def _with_tokens(trials: pd.DataFrame) -> pd.DataFrame:
    """`tokens`, null where nobody counted them."""
    tokens = trials["input_tokens"] + trials["output_tokens"]
    return trials.assign(tokens=tokens.where(cost.tokens_counted(trials)))


def _effect(
    trials: pd.DataFrame,
    question: Question,
    hypothesis: str,
    outcome: str = "resolved",
) -> EffectRow:
    contrast = ASKED[hypothesis].contrast
    asked = replace(question, contrast=contrast, outcome=outcome)
    chosen = only(trials, **ASKED[hypothesis].of)
    return effect(differences(chosen, contrast, outcome, asked.missing), asked)


def _told(name: str, claim: str, measure: str, row: EffectRow) -> HypothesisRow:
    return HypothesisRow(
        hypothesis=name,
        claim=claim,
        measure=measure,
        apps=row.apps,
        estimate=row.difference,
        low=row.low,
        high=row.high,
        p=row.p_sign_flip,
        note=row.note,
    )
