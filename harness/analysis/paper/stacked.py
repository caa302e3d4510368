"""Stacked bars, one a side: what a whole is made of."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from harness.analysis.names import short_names

PartLook = tuple[str, str, str | None]
"""name, colour, hatch"""


def draw_stacked(
    axes: Axes, rows: pd.DataFrame, column: str, names: list[str], parts: Mapping[str, PartLook]
) -> float:
    """Draw `column` of rows by side (their index) and `part`; the length of the longest bar."""
    start = np.zeros(len(names))
    for part, (label, colour, hatch) in parts.items():
        found = rows.loc[rows["part"] == part, column].reindex(names)
        length = found.fillna(0).to_numpy(float)
        axes.barh(names, length, 0.6, start, label=label, color=colour, hatch=hatch,
                  edgecolor="0.25", linewidth=0.4)  # fmt: skip
        start += length
    axes.set_yticks(range(len(names)), short_names(names).values())
    return float(start.max())
