"""Where things stand in the overview figure, in inches from the top left of its rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.textpath import TextPath

from harness.analysis.names import short_names
from harness.analysis.order import CLASSES, CONTROLS, rank, sort_arms
from harness.analysis.tables import task_label

HATCH = "////////"
LEFT, TOP = 0.08, 0.5
LINE_HEIGHT = 0.1
_WIDTH = 7.0  # both columns of a paper
_BOTTOM = 0.48
_NARROW, _BROAD = 0.98, 1.05  # limits of the width of a panel of bars
_GAP, _RIGHT, _ARM_GAP = 0.16, 0.22, 0.1
_LONGEST = 30  # letters of the name of a task

Column = tuple[str, str, str]
"""arm, agent, model ("" where it has none)"""


@dataclass(frozen=True)
class Grid:
    """Where things stand, in inches."""

    tasks: tuple[str, ...]
    arms: tuple[str, ...]
    columns: tuple[Column, ...]
    short: Mapping[str, str]  # agents and models as the figure writes them
    labels: float  # width of the task names
    arm_labels: float  # width of the arm names beside the bars
    agent_labels: float  # width of the agent and model names above the boxes

    @property
    def pitch(self) -> float:
        return max(0.36, 0.13 * len(self.arms) + 0.1)

    @property
    def rows(self) -> float:
        return self.pitch * len(self.tasks)

    @property
    def cells(self) -> float:
        return self.bars_at - self.arm_labels - _GAP - self.labels - LEFT

    @property
    def bars_at(self) -> float:
        return self.width - 2 * self.bars - _GAP - _RIGHT

    @property
    def taken(self) -> float:
        """All but the two panels of bars, with boxes as narrow as they may be."""
        boxes = max(0.38, self.agent_labels) * len(self.columns) + _ARM_GAP * (len(self.arms) - 1)
        return LEFT + self.labels + boxes + self.arm_labels + 2 * _GAP + _RIGHT

    @property
    def bars(self) -> float:
        """The width of a panel of bars."""
        return min(_BROAD, max(_NARROW, (_WIDTH - self.taken) / 2))

    @property
    def width(self) -> float:
        # A study with many agents gets a wider figure rather than unreadable boxes.
        return max(_WIDTH, self.taken + 2 * _NARROW)

    @property
    def top(self) -> float:
        return TOP + LINE_HEIGHT * any(model for _, _, model in self.columns)

    @property
    def height(self) -> float:
        return self.top + self.rows + _BOTTOM

    def cell_place(self, index: int) -> tuple[float, float]:
        """The left edge and the width of a column; a gap sets the arms apart."""
        room = self.cells - _ARM_GAP * (len(self.arms) - 1)
        cell = min(max(0.7, self.agent_labels), room / len(self.columns))
        group = index // (len(self.columns) // len(self.arms))
        return LEFT + self.labels + index * cell + group * _ARM_GAP, cell

    def agent_lines(self, column: Column) -> list[str]:
        """The agent, and below it its model where it has one."""
        _, agent, model = column
        return [self.short[name] for name in (agent, model) if name]

    def bar_place(self, row: int, index: int) -> float:
        """The middle of the bar of an arm in a row."""
        return (row + 0.5) * self.pitch + (index - (len(self.arms) - 1) / 2) * 0.13

    def panels(self) -> list[tuple[float, float]]:
        """The left edge and the width of the panels of factors, changes and times."""
        second = self.bars_at + self.bars + _GAP
        return [(0.0, self.bars_at), (self.bars_at, self.bars), (second, self.bars)]


def lay_out(trials: pd.DataFrame) -> Grid:
    """The grid for the trials: a row a task, a column an arm and agent."""
    classes = dict(zip(map(str, trials["task"]), map(str, trials["task_class"]), strict=True))
    names = tuple(sorted(classes, key=lambda task: (rank(CLASSES, classes[task]), task)))
    arms = tuple(sort_arms(trials["arm"]))
    lines = [task_lines(trials, name) for name in names]
    label = max(max(text_width(first, 6.5), text_width(second)) for first, second in lines)
    columns = tuple(_columns(trials, arms))
    short = short_names(name for _, *worker in columns for name in worker if name)
    return Grid(
        names,
        arms,
        columns,
        short,
        labels=label + 0.12,
        arm_labels=max(map(text_width, arms)) + 0.08,
        agent_labels=max(map(text_width, short.values())) + 0.03,
    )


def _columns(trials: pd.DataFrame, arms: Sequence[str]) -> list[Column]:
    pairs = set(zip(trials["agent"], trials["model"].fillna(""), strict=True))
    agents = sorted(pairs, key=lambda pair: (rank(CONTROLS, pair[0]), pair[1]))
    return [(arm, *agent) for arm, agent in product(arms, agents)]


def task_lines(trials: pd.DataFrame, task: str) -> tuple[str, str]:
    """The task, and below it its class and family."""
    first = trials[trials["task"] == task].iloc[0]
    name = task_label(task, short=len(set(trials["app"])) == 1)
    return _cut(name), _cut(f"{first['task_class']}: {first['family']}")


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def text_width(text: str, size: float = 6) -> float:
    """Inches that `text` takes at `size` points."""
    path = TextPath((0, 0), text, size=size)
    return float(path.get_extents().width) / 72


def add_panel(figure: Figure, grid: Grid, left: float, width: float) -> Axes:
    """Axes over all rows; y runs down in inches from the first row's upper edge."""
    box = (left / grid.width, _BOTTOM / grid.height, width / grid.width, grid.rows / grid.height)
    axes = figure.add_axes(box)
    axes.set_ylim(grid.rows, 0)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    for row in range(1, len(grid.tasks)):
        axes.axhline(row * grid.pitch, color="0.8", linewidth=0.4, zorder=0)
    return axes
