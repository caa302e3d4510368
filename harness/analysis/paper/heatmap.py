"""The paired difference of each task (or family, where tasks are many) with each model."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from harness.analysis.comparison import widest
from harness.analysis.estimate.pairing import differences
from harness.analysis.names import short_names
from harness.analysis.paper.styles import Style, signed

MOST_ROWS = 40
"""tasks beyond which rows are families"""
MOST_NUMBERS = 5
"""models beyond which a cell has no room for its number, and its colour alone tells"""


def data(trials: pd.DataFrame) -> pd.DataFrame:
    """`row` (task or family), `task_class`, `model`, `difference` (pp), `pairs`, `contrast`."""
    models = trials[trials["model"].notna()]
    if models["arm"].nunique() < 2:
        return pd.DataFrame()
    contrast = widest(models)
    found = differences(models, contrast)
    is_long = found["task"].nunique() > MOST_ROWS
    found = found.assign(row="family " + found["family"] if is_long else found["task"])
    groups = found.groupby(["task_class", "row", "model"], observed=True)["difference"]
    means = groups.agg(difference="mean", pairs="size").reset_index()
    return means.assign(contrast=str(contrast))


def draw(rows: pd.DataFrame, style: Style) -> Figure:
    """A cell a task and model; where there is room a number says what the colour shows."""
    table = rows.pivot_table(
        index=["task_class", "row"], columns="model", values="difference", sort=False
    )
    ordered = sorted(table.index, key=lambda key: ("LIXD".find(key[0]), _natural(key[1])))
    table = table.reindex(pd.MultiIndex.from_tuples(ordered))
    figure = style.figure(0.8 + 0.14 * len(table))
    axes = figure.subplots()
    values = table.to_numpy(float)
    image = axes.imshow(values, cmap="PuOr", vmin=-100, vmax=100, aspect="auto")
    has_room = len(table.columns) <= MOST_NUMBERS
    for (y, x), value in np.ndenumerate(values):
        text = "–" if np.isnan(value) else signed(value)
        dark = "white" if abs(value) > 70 else "0.1"
        if has_room or np.isnan(value):
            axes.text(x, y, text, ha="center", va="center", color=dark)
    names = [f"{name} · {cls}" for cls, name in table.index]
    axes.set_yticks(range(len(table)), names)
    shown = short_names(table.columns)
    axes.set_xticks(range(len(shown)), list(shown.values()), rotation=25, ha="right")
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(image, ax=axes, fraction=0.05, pad=0.02)
    bar.set_label("difference in resolved (pp)")
    bar.outline.set_linewidth(0.4)
    return figure


def caption(rows: pd.DataFrame) -> str:
    """What is shown, of how many pairs."""
    return (
        f"Difference in Resolved, {rows['contrast'].iloc[0]}, in percentage points, for each "
        f"{'family' if rows['row'].str.startswith('family').all() else 'task'} (with its class) "
        f"and model: {rows['pairs'].sum():,} within-task differences. A dash: no trials on both."
    )


def _natural(name: str) -> tuple[str, int]:
    head, _, number = name.rpartition(" ")
    return (head, int(number)) if number.isdigit() else (name, 0)
