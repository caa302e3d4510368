"""The decomposition: boundary, distribution, scope, and the contrast that they sum to."""

import pandas as pd
from matplotlib.figure import Figure

from harness.analysis.comparison import widest
from harness.analysis.estimate.effects import EffectRow, Question
from harness.analysis.estimate.parts import decomposition
from harness.analysis.frame import to_frame
from harness.analysis.paper.notes import intervals, notes
from harness.analysis.paper.styles import Style, signed

_COLOURS = {"boundary": "#009E73", "distribution": "#0072B2", "scope": "#56B4E9", "sum": "#555555"}


def data(trials: pd.DataFrame) -> pd.DataFrame:
    """`EffectRow`s of `estimate.parts.decomposition`, over the trials of language models."""
    models = trials[trials["model"].notna()]
    if not {"monolith", "modular", "microservices"} <= set(models["arm"]):
        return to_frame([], EffectRow)
    rows = decomposition(models, Question(widest(models)))
    return rows if rows["difference"].notna().all() else to_frame([], EffectRow)


def varied(trials: pd.DataFrame) -> pd.DataFrame:
    """The rows of `data`; none where all sides are at the floor, or the ceiling: flat bars."""
    rows = data(trials)
    sides = rows.loc[rows["level"].isin(_COLOURS), ["minuend", "subtrahend"]]
    is_at_an_end = (sides == 0).all(axis=None) or (sides == 100).all(axis=None)
    return rows.iloc[:0] if is_at_an_end else rows


def draw(rows: pd.DataFrame, style: Style) -> Figure:
    """Bars that start where the one before ended; the last is their sum."""
    figure = style.figure(1.75)
    axes = figure.subplots()
    axes.axhline(0, color="0.4", linewidth=0.6)
    start = 0.0
    rows = rows[rows["level"].isin(_COLOURS)]  # what is no part of the sum has no place among it
    for place, (_, row) in enumerate(rows.iterrows()):
        bottom = 0.0 if row["level"] == "sum" else start
        end = bottom + row["difference"]
        axes.bar(place, row["difference"], 0.55, bottom, color=_COLOURS[row["level"]],
                 edgecolor="0.2", linewidth=0.5)  # fmt: skip
        if not pd.isna(row["low"]):
            half = row["high"] - row["difference"]
            axes.errorbar(place, end, half, color="black", capsize=2.5, linewidth=0.8)
        axes.annotate(signed(row["difference"], 1), (place + 0.31, end), va="center", ha="left")
        start = end
    names = [f"{row['level']}\n{_sides(row['contrast'])}" for _, row in rows.iterrows()]
    axes.set_xticks(range(len(rows)), names)
    axes.set_xlim(-0.5, len(rows) - 0.25)
    axes.set_ylabel("change in resolved (pp)")
    return figure


def caption(rows: pd.DataFrame) -> str:
    """What is shown, of how many trials."""
    rows = rows[rows["level"].isin(_COLOURS)]
    whole = rows[rows["level"] == "sum"].iloc[0]
    return (
        f"Where the difference in Resolved comes from ({whole['contrast']}): each bar starts where "
        f"the one before ended, and the last is their sum. Means over {whole['apps']} apps and the "
        f"{whole['tasks']} tasks that have every side"
        f"{intervals(rows, '; error bars are ')}."
        f"{notes(rows)}"
    )


def _sides(contrast: str) -> str:
    short = contrast.replace("microservices (own)", "own").replace("microservices", "services")
    return short.replace(" - ", " −\n")
