"""One number of a text, with what it was made of."""

from collections.abc import Mapping
from typing import Annotated, Any

import pandas as pd

from harness.analysis.estimate.used import Used
from harness.records import Column, Record

FLIPPED, SWAPPED = "sign flips over apps", "arms swapped within apps"
_USUAL = {
    "value": "difference", "low": "low", "high": "high", "p": "p_sign_flip",
    "p_adjusted": "p_adjusted", "note": "note",
}  # fmt: skip
"""field of a claim -> column of its table"""
ALONE = dict.fromkeys(("low", "high", "p", "p_adjusted"), "")
"""where a value has neither interval nor test"""


class Claim(Record):
    """One number of the text."""

    id: Annotated[str, Column("which number; stays the same from run to run")]
    value: Annotated[float | None, Column("the number; null where the note says why")]
    low: Annotated[float | None, Column("lower end of its interval")]
    high: Annotated[float | None, Column("upper end of it")]
    interval: Annotated[int, Column("of the interval", "%")]
    p: Annotated[float | None, Column("two-sided; for TOST the larger of the one-sided")]
    p_adjusted: Annotated[float | None, Column("over the family that it belongs to")]
    test: Annotated[str | None, Column("what gave the p; null where there is none")]
    unit: Annotated[str, Column("of value and interval")]
    trials: Annotated[
        int,
        Column(
            "rows it was made of, on every side; marginal/ and H4 size: those of all cells that "
            "both sides have, of which some may be left out",
            "trials",
        ),
    ]
    rows_sha256: Annotated[str, Column("digest of those rows, see `digest`")]
    note: Annotated[str | None, Column("what to know before quoting it")]


def claim(
    name: str, row: pd.Series, unit: str, used: Used, columns: Mapping[str, str] | None = None,
    *, interval: int = 95, test: str = FLIPPED,
) -> Claim:  # fmt: skip
    """A claim of a row; `columns` are those of the row that have not the usual name."""
    known: dict[str, Any] = {
        field: None if pd.isna(row.get(column)) else row[column]
        for field, column in {**_USUAL, **(columns or {})}.items()
    }
    return Claim(
        id=name,
        interval=interval,
        test=None if known["p"] is None else test,
        unit=unit,
        trials=used.trials,
        rows_sha256=used.sha256,
        **known,
    )
