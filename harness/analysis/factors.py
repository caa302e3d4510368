"""The left panel of the overview: which of the five factors held."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from harness.analysis.grid import (
    HATCH,
    LEFT,
    TOP,
    Column,
    Grid,
    task_lines,
    text_width,
)
from harness.analysis.order import FACTORS

KEY = "B behaviour   E equivalence   S structure   C contract   I integrity"
_HELD = "#0072B2"
_TALL = 0.14  # height of the box of a factor


def draw_factors(axes: Axes, trials: pd.DataFrame, grid: Grid) -> None:
    """A box a factor for each task (row), arm and agent (columns)."""
    axes.set_xlim(0, grid.bars_at)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    for row, task in enumerate(grid.tasks):
        _write_task(axes, task_lines(trials, task), row * grid.pitch + grid.pitch / 2)
    for index, column in enumerate(grid.columns):
        left, cell = grid.cell_place(index)
        _write_column(axes, grid.agent_lines(column), left, cell)
        for row, task in enumerate(grid.tasks):
            found = _cell_trials(trials, task, column)
            _draw_cell(axes, found, (left, row * grid.pitch), grid, cell)
    _write_arms(axes, grid)
    _write_key(axes, grid)


def _cell_trials(trials: pd.DataFrame, task: str, column: Column) -> pd.DataFrame:
    arm, agent, model = column
    same = (trials["task"] == task) & (trials["arm"] == arm) & (trials["agent"] == agent)
    return trials[same & (trials["model"].fillna("") == model)]


def _write_task(axes: Axes, lines: tuple[str, str], middle: float) -> None:
    axes.text(LEFT, middle - 0.015, lines[0], va="bottom")
    axes.text(LEFT, middle + 0.015, lines[1], va="top", color="0.35", size=6)


def _write_column(axes: Axes, lines: list[str], left: float, cell: float) -> None:
    side = _side(cell)
    axes.text(left + 2.5 * side, -0.15, "\n".join(lines), ha="center",
              va="baseline", size=6, linespacing=1.1)  # fmt: skip
    for index, factor in enumerate(FACTORS):
        axes.text(left + (index + 0.5) * side, -0.03, factor[0].upper(), ha="center",
                  va="bottom", size=5, color="0.35")  # fmt: skip


def _write_arms(axes: Axes, grid: Grid) -> None:
    per_arm = len(grid.columns) // len(grid.arms)
    rule = TOP - grid.top - 0.28
    for index, arm in enumerate(grid.arms):
        left, cell = grid.cell_place(index * per_arm)
        right = grid.cell_place((index + 1) * per_arm - 1)[0] + 5 * _side(cell)
        axes.text((left + right) / 2, rule - 0.03, arm, ha="center", va="bottom", weight="bold")
        axes.plot([left, right], [rule, rule], color="0.3", linewidth=0.5, clip_on=False)


def _side(cell: float) -> float:
    return cell * 0.9 / len(FACTORS)


def _draw_cell(
    axes: Axes, trials: pd.DataFrame, corner: tuple[float, float], grid: Grid, cell: float
) -> None:
    side, top = _side(cell), corner[1] + (grid.pitch - _TALL) / 2
    counted = trials[trials["status"] != "lost"]
    if counted.empty:
        words = "lost" if len(trials) else "not run"
        axes.text(corner[0] + 2.5 * side, top + _TALL / 2, words, ha="center", va="center",
                  size=5.5, style="italic", color="0.35")  # fmt: skip
        return
    for index, factor in enumerate(FACTORS):
        left = corner[0] + index * side
        _draw_box(axes, counted[factor], (left, top), (side, _TALL))
        if (counted["expected_factor"] == factor).fillna(value=False).any():
            axes.add_patch(_mark(left, top + _TALL + 0.015, side))


def _draw_box(
    axes: Axes, held: pd.Series, corner: tuple[float, float], size: tuple[float, float]
) -> None:
    known = held.dropna()
    share = float(known.mean()) if len(known) else 0.0
    hatch = None if len(known) else HATCH
    _add_box(axes, corner, size, "white", hatch)
    if share:
        left, bottom = corner[0], corner[1] + size[1]
        _add_box(axes, (left, bottom - share * size[1]), (size[0], share * size[1]), _HELD)


def _add_box(
    axes: Axes,
    corner: tuple[float, float],
    size: tuple[float, float],
    colour: str,
    hatch: str | None = None,
) -> None:
    box = Rectangle(corner, *size, facecolor=colour, edgecolor="0.4", hatch=hatch, clip_on=False)
    axes.add_patch(box)


def _write_key(axes: Axes, grid: Grid) -> None:
    x, y, side = LEFT + grid.labels, grid.rows + 0.15, 0.09
    for words, held in (("held", [True]), ("did not hold", [False]), ("no evidence", [])):
        _draw_box(axes, pd.Series(held, dtype="boolean"), (x, y), (side, side))
        axes.text(x + side + 0.04, y + side / 2, words, va="center", size=6)
        x += side + text_width(words) + 0.16
    axes.add_patch(_mark(x, y + 0.035, side))
    axes.text(x + side + 0.04, y + side / 2, "must refuse the sabotage", va="center", size=6)
    axes.text(LEFT + grid.labels, y + 0.25, KEY, va="center", size=6)


def _mark(left: float, top: float, side: float) -> Rectangle:
    """What stands under the factor that a sabotage must fail on."""
    return Rectangle((left, top), side, 0.022, color="black", linewidth=0, clip_on=False)
