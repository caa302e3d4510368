"""How much a resolved trial changed, and in how many contexts."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.analysis.order import CLASSES
from harness.analysis.paper.cells import over_apps, sides, studied, with_side
from harness.analysis.paper.notes import intervals
from harness.analysis.paper.styles import Style, legend_above, look

_LABELS = {
    "domain_lines_changed": "domain lines changed",
    "glue_lines_changed": "glue lines changed",
    "contexts_changed": "contexts edited",
    "edit_radius": "contexts edited\n(over the solution's)",
}


def data(trials: pd.DataFrame) -> pd.DataFrame:
    """`panel` (a column), `task_class`, `side`, `value` with interval, over resolved trials.

    Three panels: contexts edited stand beside those of the solution where a trial tells these.
    """
    known = with_side(studied(trials))
    known = known[known["resolved"].astype(bool)]
    frames = [
        over_apps(known, column, ["task_class", "side"])
        .rename(columns={column: "value"})
        .assign(panel=column)
        for column in _panels(is_beside=bool(known["edit_radius"].notna().any()))
        if len(known)
    ]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def draw(rows: pd.DataFrame, style: Style) -> Figure:
    """A panel a quantity; a group of bars a class, a bar an arm."""
    figure = style.figure(1.75, wide=True)
    classes = [c for c in CLASSES if c in set(rows["task_class"])]
    columns = _panels(is_beside="edit_radius" in set(rows["panel"]))
    for axes, column in zip(figure.subplots(1, 3), columns, strict=True):
        _draw_groups(axes, rows[rows["panel"] == column], classes, sides(rows))
        axes.set_ylabel(_LABELS[column])
        axes.set_xlabel("task class")
        axes.grid(axis="y")
    legend_above(figure, 4)
    return figure


def caption(rows: pd.DataFrame) -> str:
    """What is shown, of how many trials."""
    n = rows[rows["panel"] == "domain_lines_changed"]["n"].sum()
    beside = rows[rows["panel"] == "edit_radius"]["n"].sum()
    radius = f" over those of the task's first solution ({beside:,} trials)" if beside else ""
    return (
        f"What resolved trials changed, by task class and arm ({n:,} resolved trials of up to "
        f"{rows['apps'].max()} apps): code lines added and deleted in domain and in glue files "
        f"(without blank lines and comments), and bounded contexts with an edited file{radius}. "
        f"Means over apps{intervals(rows, ' with ')}."
    )


def _panels(*, is_beside: bool) -> tuple[str, ...]:
    edited = "edit_radius" if is_beside else "contexts_changed"
    return ("domain_lines_changed", "glue_lines_changed", edited)


def _draw_groups(axes: Axes, rows: pd.DataFrame, classes: list[str], names: list[str]) -> None:
    width = 0.8 / len(names)
    for index, side in enumerate(names):
        found = rows[rows["side"] == side].set_index("task_class").reindex(classes)
        places = np.arange(len(classes)) + (index - (len(names) - 1) / 2) * width
        style, values = look(side), found["value"].to_numpy(float)
        half = np.nan_to_num((found["high"] - found["value"]).to_numpy(float))
        axes.bar(places, np.nan_to_num(values), width, color=style.colour, hatch=style.hatch,
                 edgecolor="0.25", linewidth=0.4, label=side)  # fmt: skip
        axes.errorbar(places, values, [np.minimum(half, values), half], color="black",
                      linestyle="none", elinewidth=0.6)  # fmt: skip
    axes.set_xticks(range(len(classes)), classes)
