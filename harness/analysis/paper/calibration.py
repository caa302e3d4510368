"""Do the controls end as they must? Oracle resolved, nop and every sabotage refused."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from harness.analysis.order import CALIBRATING, FACTORS
from harness.analysis.paper.cells import counted, sides, with_side
from harness.analysis.paper.styles import Style, legend_above, look
from harness.analysis.summary import as_expected


def data(trials: pd.DataFrame) -> pd.DataFrame:
    """`row` (control, with the factor that must refuse it), `side`, `n`, `right`, `share` (%)."""
    known = judged(trials)
    if known.empty:
        return pd.DataFrame()
    found = known.groupby(["row", "side"])["right"].agg(["size", "sum"]).reset_index()
    found = found.rename(columns={"size": "n", "sum": "right"})
    return found.assign(share=100 * found["right"] / found["n"])


def judged(trials: pd.DataFrame) -> pd.DataFrame:
    """The counted trials of controls with their `row` and `side`, and whether they are `right`."""
    known = with_side(counted(trials[trials["agent"].isin(CALIBRATING)]))
    factor = known["expected_factor"].astype(object)
    row = known["agent"].astype(object).where(factor.isna(), "sabotage: " + factor)
    return known.assign(row=row, right=as_expected(known))


def draw(rows: pd.DataFrame, style: Style) -> Figure:
    """A bar a control and arm, with its counts."""
    wanted = ["oracle", "nop", *(f"sabotage: {factor}" for factor in FACTORS)]
    names = [name for name in wanted if name in set(rows["row"])]
    arms = sides(rows)
    figure = style.figure(0.6 + 0.14 * len(names) * len(arms))
    axes = figure.subplots()
    height = 0.8 / len(arms)
    for index, side in enumerate(arms):
        found = rows[rows["side"] == side].set_index("row").reindex(names)
        places = np.arange(len(names)) + (index - (len(arms) - 1) / 2) * height
        style_of = look(side)
        axes.barh(places, found["share"].fillna(0), height, color=style_of.colour,
                  hatch=style_of.hatch, edgecolor="0.25", linewidth=0.4, label=side)  # fmt: skip
        for place, (_, row) in zip(places, found.iterrows(), strict=True):
            text = "not run" if pd.isna(row["n"]) else f"{row['right']:.0f}/{row['n']:.0f}"
            axes.annotate(text, (0 if pd.isna(row["n"]) else row["share"], place), (3, 0),
                          textcoords="offset points", va="center", size="small")  # fmt: skip
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlim(0, 116)
    axes.set_xticks(range(0, 101, 25))
    axes.set_xlabel("controls that ended as they must (%)")
    legend_above(figure, 3)
    return figure


def caption(rows: pd.DataFrame) -> str:
    """What is shown, of how many trials."""
    return (
        f"Calibration: {rows['right'].sum():,} of {rows['n'].sum():,} control trials ended as they "
        "must. The oracle must be resolved; nop must not; a sabotage must be refused by the factor "
        "that it was made to break."
    )
