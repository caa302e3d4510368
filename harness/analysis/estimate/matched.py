"""Matched pairs as counts: description beside the primary estimate, since it ignores clusters."""

from typing import Annotated

import pandas as pd
from scipy.stats import binom

from harness.analysis.estimate.effects import level_name
from harness.analysis.frame import to_frame
from harness.records import Column, Record


class MatchedRow(Record):
    """Tasks that ended differently on two arms, by majority over repeats."""

    level: Annotated[str, Column("the level of the factor that the rows differ in")]
    both: Annotated[int, Column("tasks resolved on both sides", "tasks")]
    only_minuend: Annotated[int, Column("tasks resolved on the minuend only", "tasks")]
    only_subtrahend: Annotated[int, Column("tasks resolved on the subtrahend only", "tasks")]
    neither: Annotated[int, Column("tasks resolved on neither side", "tasks")]
    tied: Annotated[int, Column("tasks without a majority on a side, left out", "tasks")]
    odds_ratio: Annotated[
        float | None, Column("only_minuend over only_subtrahend; null where that divides by 0")
    ]
    p_exact: Annotated[float | None, Column("McNemar's exact p; null without discordant tasks")]


def matched(differences: pd.DataFrame, by: str) -> pd.DataFrame:
    """One `MatchedRow` for each level of the column `by` (of FACTORS or a task's class).

    A task counts once a level, by the mean over agents, models, budgets and doses.
    """
    groups = differences.groupby(by, dropna=False, observed=True)
    rows = [_row(level_name(level), group) for level, group in groups]
    return to_frame(rows, MatchedRow)


def exact_p(b: int, c: int) -> float | None:
    """min(1, 2 P[Bin(b+c, 1/2) >= max(b, c)]) (SCIENCE.md (c) 5)."""
    if b + c == 0:
        return None
    return min(1.0, 2 * float(binom.sf(max(b, c) - 1, b + c, 0.5)))


def _row(level: str, group: pd.DataFrame) -> MatchedRow:
    tasks = group.groupby(["app", "task"], observed=True)
    sides = tasks[["minuend", "subtrahend"]].mean()
    tied = (sides == 0.5).any(axis=1)
    wins = sides[~tied] > 0.5
    b = int((wins["minuend"] & ~wins["subtrahend"]).sum())
    c = int((~wins["minuend"] & wins["subtrahend"]).sum())
    return MatchedRow(
        level=level,
        both=int(wins.all(axis=1).sum()),
        only_minuend=b,
        only_subtrahend=c,
        neither=int((~wins).all(axis=1).sum()),
        tied=int(tied.sum()),
        odds_ratio=b / c if c else None,
        p_exact=exact_p(b, c),
    )
