"""What refused the unresolved trials, by arm."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from harness.analysis.estimate.cost import CAPPED
from harness.analysis.order import FACTORS
from harness.analysis.paper.cells import sides, with_side
from harness.analysis.paper.stacked import draw_stacked
from harness.analysis.paper.styles import Style, legend_above

_PARTS = {
    "behaviour": ("behaviour", "#0072B2", None),
    "equivalence": ("equivalence", "#56B4E9", "////"),
    "structure": ("structure", "#E69F00", None),
    "contract": ("contract", "#009E73", "\\\\\\\\"),
    "integrity": ("integrity", "#CC79A7", "xxxx"),
    "cap": ("stopped at a cap", "#555555", None),
    "other": ("no start, no patch", "#AAAAAA", "...."),
    "lost": ("lost", "#FFFFFF", None),
}


def data(trials: pd.DataFrame) -> pd.DataFrame:
    """`side`, `part`, `share` (% of the side's trials), `n` trials of the side."""
    known = with_side(trials[trials["model"].notna()])
    if known.empty:
        return pd.DataFrame()
    known = known.assign(part=reasons(known))
    sizes = known.groupby("side").size()
    found = known[known["part"] != "resolved"].groupby(["side", "part"]).size()
    if found.empty:
        return pd.DataFrame()
    # An arm that resolved everything is shown as well.
    every = pd.MultiIndex.from_product([sizes.index, found.index.unique("part")])
    shares = found.reindex(every, fill_value=0).rename("count").reset_index()
    n = shares["side"].map(sizes)
    return shares.assign(n=n, share=100 * shares["count"] / n)


def reasons(trials: pd.DataFrame) -> np.ndarray:
    """For each trial `resolved`, `lost`, `cap`, the first factor that did not hold, or `other`."""
    conditions = [
        (trials["status"] == "lost").to_numpy(bool),
        trials["resolved"].to_numpy(bool),
        trials["agent_ending"].isin(CAPPED).to_numpy(bool),
    ]
    broken = [(trials[f] == False).fillna(value=False).to_numpy(bool) for f in FACTORS]  # noqa: E712
    return np.select([*conditions, *broken], ["lost", "resolved", "cap", *FACTORS], default="other")


def draw(rows: pd.DataFrame, style: Style) -> Figure:
    """Stacked bars, one an arm."""
    names = sides(rows)
    figure = style.figure(0.85 + 0.2 * len(names))
    axes = figure.subplots()
    shown = set(rows.loc[rows["share"] > 0, "part"])
    parts = {part: look for part, look in _PARTS.items() if part in shown}
    longest = draw_stacked(axes, rows.set_index("side"), "share", names, parts)
    axes.invert_yaxis()
    axes.set_xlim(0, max(5.0, longest * 1.05))
    axes.set_xlabel("trials not resolved (%), by what refused them first")
    axes.grid(axis="x")
    legend_above(figure, 3)
    return figure


def caption(rows: pd.DataFrame) -> str:
    """What is shown, of how many trials."""
    first = rows.drop_duplicates("side")
    counts = ", ".join(f"{side} {n:,}" for side, n in zip(first["side"], first["n"], strict=True))
    return (
        "Trials that were not resolved, as a share of all trials of an arm, by what refused them: "
        "the agent stopped at a cap, else the first of behaviour, equivalence, structure, contract "
        f"and integrity that did not hold (trials: {counts})."
    )
