"""Resolved against the context budget, and against the size of the app."""

from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.analysis.estimate.effects import FEW
from harness.analysis.paper.cells import over_apps, sides, studied, with_side
from harness.analysis.paper.notes import intervals
from harness.analysis.paper.styles import Style, legend_above, look

_BUDGETS = ("32k", "128k", "full")
_CLASSES_OF_SIZE = 4


def data(trials: pd.DataFrame) -> pd.DataFrame:
    """`panel` (budget, size), `side`, `level` (its place on the axis), `resolved` with interval."""
    known = with_side(studied(trials)).assign(resolved=lambda f: 100 * f["resolved"].astype(float))
    if known.empty:
        return pd.DataFrame()
    budget = over_apps(known, "resolved", ["side", "context_budget"]).assign(panel="budget")
    budget = budget.rename(columns={"context_budget": "level"})
    frames = [budget] if len(set(budget["level"])) > 1 else []
    sized = _sized(known)
    if sized is not None:
        frames.append(over_apps(sized, "resolved", ["side", "level"]).assign(panel="size"))
    found = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    if len(found):
        found.loc[found["apps"] <= FEW, ["low", "high"]] = float("nan")
    return found


def draw(rows: pd.DataFrame, style: Style) -> Figure:
    """A line a side; panels that have nothing to show are left out."""
    panels = list(rows.groupby("panel", sort=True))
    figure = style.figure(1.9, wide=len(panels) > 1)
    for axes, (panel, block) in zip(
        np.atleast_1d(figure.subplots(1, len(panels), sharey=True)), panels, strict=True
    ):
        levels = _levels(str(panel), block)
        _draw_lines(axes, block, levels)
        axes.set_xticks(range(len(levels)), levels)
        axes.set_xlim(-0.3, len(levels) - 0.7)
        axes.set_ylim(0, 100)
        axes.grid(axis="y")
        axes.set_xlabel(
            "context budget (tokens)"
            if panel == "budget"
            else "size of the app (thousand code lines)"
        )
    figure.axes[0].set_ylabel("resolved (%)")
    legend_above(figure, 4 if len(panels) > 1 else 2)
    return figure


def caption(rows: pd.DataFrame) -> str:
    """What is shown, of how many trials."""
    parts = [
        f"{'context budget' if panel == 'budget' else 'size of the app, in classes'} "
        f"({block['n'].sum():,} trials of up to {block['apps'].max()} apps)"
        for panel, block in rows.groupby("panel")
    ]
    ends = intervals(rows, " with ")
    ends += f" where there are more than {FEW}" if ends else ""
    return (
        f"Share of trials resolved by arm against {' and '.join(parts)}; means over apps{ends}, "
        "lost trials left out. Points are set apart so that none hides another."
    )


def _draw_lines(axes: Axes, block: pd.DataFrame, levels: list[str]) -> None:
    names = sides(block)
    for index, side in enumerate(names):
        found = block[block["side"] == side].set_index("level").reindex(levels)
        places = np.arange(len(levels)) + (index - (len(names) - 1) / 2) * 0.06
        known = found["resolved"].notna().to_numpy()
        style = look(side)
        values = found["resolved"].to_numpy(float)
        half = np.nan_to_num((found["high"] - found["resolved"]).to_numpy(float))
        axes.errorbar(places[known], values[known], half[known], color=style.colour,
                      marker=style.marker, markersize=3.5, linewidth=1, elinewidth=0.7,
                      markeredgecolor="0.2", markeredgewidth=0.4, label=side,
                      clip_on=False, zorder=3)  # fmt: skip


def _levels(panel: str, block: pd.DataFrame) -> list[str]:
    found = set(block["level"])
    if panel == "budget":
        return [b for b in _BUDGETS if b in found] + sorted(found - set(_BUDGETS))
    return sorted(found, key=lambda level: float(level.split("–")[0]))


def _in_thousands(edges: list[float]) -> list[str]:
    """Edges as figures write them: two digits, or as many as tell each from the next."""
    enough = (n for n in range(2, 18) if len({_thousands(e, n) for e in edges}) == len(edges))
    digits = next(enough, 18)
    return [_thousands(edge, digits) for edge in edges]


def _thousands(lines: float, digits: int) -> str:
    return np.format_float_positional(lines / 1000, digits, fractional=False, trim="-")


def _sized(known: pd.DataFrame) -> pd.DataFrame | None:
    """The trials with their arm's size as one of a few classes with equal numbers of apps."""
    sized = known[known["app_code_lines"].notna()]
    lines = sized["app_code_lines"].astype(float)
    apps = lines.groupby(sized["app"].to_numpy()).median()
    if len(apps) < 2 * _CLASSES_OF_SIZE:
        return None
    edges = np.unique(np.quantile(apps, np.linspace(0, 1, _CLASSES_OF_SIZE + 1)))
    if len(edges) < 3:
        return None
    names = ["–".join(ends) for ends in pairwise(_in_thousands(edges.tolist()))]
    size = sized["app"].map(apps)
    place = np.searchsorted(edges[1:-1], size.to_numpy(float), side="left")
    return sized.assign(level=np.array(names, dtype=object)[place])
