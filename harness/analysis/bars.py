"""The right panels of the overview: what the change and the check took, by arm."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from harness.analysis.grid import HATCH, Grid


@dataclass(frozen=True)
class _Part:
    column: str
    name: str
    colour: str
    hatch: str | None


_CHANGE = (
    _Part("domain_lines_changed", "domain", "#009E73", None),
    _Part("glue_lines_changed", "glue", "#E69F00", HATCH),
)
_TIME = (
    _Part("agent_seconds", "agent", "#D55E00", None),
    _Part("verify_seconds", "verify", "#56B4E9", HATCH),
    _Part("overhead_seconds", "harness", "#FFFFFF", None),
)


def draw_changes(axes: Axes, trials: pd.DataFrame, grid: Grid) -> None:
    """Lines changed, mean over the resolved trials of an arm."""
    axes.set_title("Change (resolved)", loc="left", pad=13)
    _draw_bars(axes, trials[trials["resolved"]], grid, _CHANGE)
    axes.set_xlabel("code lines changed")
    for row, (index, arm) in product(range(len(grid.tasks)), enumerate(grid.arms)):
        axes.annotate(arm, (0, grid.bar_place(row, index)), (-3, 0), va="center", ha="right",
                      textcoords="offset points", size=6, annotation_clip=False)  # fmt: skip


def draw_times(axes: Axes, trials: pd.DataFrame, grid: Grid) -> None:
    """Seconds, mean over the scored trials of an arm."""
    axes.set_title("Time (scored)", loc="left", pad=13)
    _draw_bars(axes, trials[trials["status"] == "scored"], grid, _TIME)
    axes.set_xlabel("seconds a trial")


def _draw_bars(axes: Axes, trials: pd.DataFrame, grid: Grid, parts: Sequence[_Part]) -> None:
    for row, (index, arm) in product(range(len(grid.tasks)), enumerate(grid.arms)):
        place = grid.bar_place(row, index)
        found = trials[(trials["task"] == grid.tasks[row]) & (trials["arm"] == arm)]
        if found.empty:
            axes.annotate("none", (0, place), (3, 0), textcoords="offset points", va="center",
                          size=5.5, style="italic", color="0.35")  # fmt: skip
        _draw_bar(axes, found, place, parts)
    keys = [Patch(facecolor=p.colour, edgecolor="0.25", hatch=p.hatch, label=p.name) for p in parts]
    axes.legend(handles=keys, loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=len(parts),
                borderpad=0, borderaxespad=0.2, handlelength=0.8, handleheight=0.7,
                columnspacing=0.6, handletextpad=0.25)  # fmt: skip
    # A last part of no length would hold the limit at its place, and the longest bar look cut off.
    axes.use_sticky_edges = False
    axes.autoscale_view()
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.grid(axis="x")


def _draw_bar(axes: Axes, found: pd.DataFrame, place: float, parts: Sequence[_Part]) -> None:
    start = 0.0
    for part in parts if len(found) else ():
        known = found[part.column].dropna()
        length = float(known.mean()) if len(known) else 0.0
        axes.barh(place, length, 0.1, start, color=part.colour, edgecolor="0.25", hatch=part.hatch,
                  linewidth=0.4)  # fmt: skip
        start += length
