"""Cost against resolved: which model on which arm is not beaten in both."""

from collections.abc import Sequence
from itertools import accumulate

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from harness.analysis.names import short_names
from harness.analysis.paper.cells import over_apps, sides, studied, with_side
from harness.analysis.paper.styles import Style, legend_above, look


def data(trials: pd.DataFrame) -> pd.DataFrame:
    """One row a model and side: `cost_usd` a trial, `resolved` (%), `front` (not dominated).

    A trial that cost nothing (no request was fit to be sent) counts; a mean of 0 has no place on
    the axis.
    """
    known = with_side(studied(trials))
    known = known[known["cost_usd"].notna()]
    if not known["cost_usd"].sum():
        return pd.DataFrame()
    known = known.assign(percent=100 * known["resolved"].astype(float))
    by = ["model", "side"]
    found = over_apps(known, "percent", by).merge(
        over_apps(known, "cost_usd", by)[[*by, "cost_usd"]], on=by
    )
    found = found[found["cost_usd"] > 0]
    found = found.sort_values(["cost_usd", "percent"], ascending=[True, False], ignore_index=True)
    best = found["percent"].cummax().shift(fill_value=-1.0)
    return found.rename(columns={"percent": "resolved"}).assign(front=found["percent"] > best)


def draw(rows: pd.DataFrame, style: Style) -> Figure:
    """A point a model and arm; the line joins those that none beats in cost and resolved."""
    figure = style.figure(max(2.2, 0.9 + 0.11 * rows["model"].nunique()))
    axes = figure.subplots()
    front = rows[rows["front"]]
    axes.plot(front["cost_usd"], front["resolved"], color="0.5", linewidth=0.8, zorder=1,
              drawstyle="steps-post")  # fmt: skip
    for side in sides(rows):
        found, style_of = rows[rows["side"] == side], look(side)
        axes.plot(found["cost_usd"], found["resolved"], linestyle="none", marker=style_of.marker,
                  color=style_of.colour, markersize=4.5, markeredgecolor="0.2",
                  markeredgewidth=0.4, label=side)  # fmt: skip
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.margins(x=0.1)
    # Where nothing is resolved, an axis of its own making would show nothing in hundredths.
    top = max(5.0, float(rows["resolved"].max()))
    axes.set_ylim(-0.06 * top, 1.06 * top)
    _name_models(axes, rows)
    axes.set_xlabel("mean cost of a trial (USD, log scale)")
    axes.set_ylabel("resolved (%)")
    axes.grid()
    legend_above(figure, 2)
    return figure


def caption(rows: pd.DataFrame) -> str:
    """What is shown, of how many trials."""
    return (
        f"Mean cost of a trial against the share resolved, by model and arm ({rows['n'].sum():,} "
        "trials whose cost is known; means over apps). A mean of 0 has no place on the axis. The "
        "line is the Pareto front: no other point is as cheap and resolved as often, and better in "
        "one of the two. A thin line goes from a model's name through its arms."
    )


def _name_models(axes: Axes, rows: pd.DataFrame) -> None:
    """Names in a column beside the panel, where none hides a point or another name.

    A thin line goes from each through its model's arms. Names stand in the order of Resolved; of
    models that resolve as much the cheaper is higher.
    """
    shown = short_names(rows["model"].unique())
    dearest = rows.groupby("model", sort=False).tail(1)
    ordered = dearest.sort_values(["resolved", "cost_usd"], ascending=[True, False])
    low, high = axes.get_ylim()
    heights = _apart([(each - low) / (high - low) for each in ordered["resolved"]])
    for height, (_, last) in zip(heights, ordered.iterrows(), strict=True):
        found = rows[rows["model"] == last["model"]]
        axes.plot(found["cost_usd"], found["resolved"], color="0.75", linewidth=0.4, zorder=0.9)
        axes.annotate(shown[last["model"]], (last["cost_usd"], last["resolved"]), (1.03, height),
                      textcoords="axes fraction", va="center", color="0.2", zorder=0.9,
                      arrowprops={"arrowstyle": "-", "color": "0.75", "linewidth": 0.4,
                                  "shrinkA": 1, "shrinkB": 0, "zorder": 0.9,
                                  "relpos": (0, 0.5)})  # fmt: skip


def _apart(wanted: Sequence[float]) -> list[float]:
    """Heights in the panel, rising as they are wanted to, with room for a name between two."""
    gap = 1 / max(len(wanted), 10)
    rising = list(accumulate(wanted, lambda below, height: max(height, below + gap)))
    most = [1 - gap * (above + 0.5) for above in reversed(range(len(rising)))]
    return list(map(min, rising, most))
