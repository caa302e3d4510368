"""The overview figure: which factors held for whom, and what the change and the check cost.

Every element is told apart by shape or shade as well as by colour.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from harness.analysis.bars import draw_changes, draw_times
from harness.analysis.factors import KEY, draw_factors
from harness.analysis.frame import write_file
from harness.analysis.grid import add_panel, lay_out
from harness.analysis.order import sort_arms


@contextmanager
def paper_style() -> Iterator[None]:
    """Matplotlib's defaults plus `paper.mplstyle`, whatever the user's own settings are."""
    style = Path(__file__).with_name("paper.mplstyle")
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(mpl.rc_params_from_file(style, use_default_template=False))
        yield


def overview(trials: pd.DataFrame) -> Figure:
    """The figure for the trials of one run, 7.0 in wide unless there are many agents."""
    with paper_style():
        grid = lay_out(trials)
        figure = Figure(figsize=(grid.width, grid.height))
        factors, changes, times = (add_panel(figure, grid, *place) for place in grid.panels())
        draw_factors(factors, trials, grid)
        draw_changes(changes, trials, grid)
        draw_times(times, trials, grid)
    return figure


def caption(trials: pd.DataFrame) -> str:
    """What the figure shows and of how many trials, for the figure's caption."""
    counted = trials[trials["status"] != "lost"]
    lost = len(trials) - len(counted)
    text = (
        f"Overview of {len(counted)} trials ({trials['task'].nunique()} tasks of "
        f"{_apps(trials)}, arms: {', '.join(sort_arms(trials['arm']))}); "
        f"{lost} more lost to infrastructure and not counted. "
        f"Left: the five factors of Resolved by task, arm and agent ({KEY.replace('   ', ', ')}); "
        "a box is filled by the share of trials in which the factor held, and hatched where "
        "there is no evidence. A bar under a box marks the factor that must refuse the "
        "sabotage. Middle: code lines (without blanks and comments) added and deleted in domain "
        "and glue files, mean over the resolved trials. Right: seconds of agent, verification "
        "and harness, mean over the scored trials.\n"
    )
    mixed = [words for name, words in _MIXED.items() if len(set(trials[name])) > 1]
    if mixed:
        text += f"Boxes and bars are over {' and '.join(mixed)} together.\n"
    if (trials["isolation"] == "none").any():
        text += "Some trials ran without isolation (no container engine).\n"
    return text


_MIXED = {"scope": "scopes", "context_budget": "context budgets", "dose": "doses of couplings"}
"""columns that the figure does not tell apart"""


def save_overview(trials: pd.DataFrame, folder: Path) -> list[Path]:
    """Write overview.pdf, overview.png and overview.txt; the same trials give the same bytes."""
    figure = overview(trials)
    return [
        write_file(folder / "overview.pdf", render(figure, "pdf")),
        write_file(folder / "overview.png", render(figure, "png")),
        write_file(folder / "overview.txt", caption(trials)),
    ]


def render(
    figure: Figure,
    file_format: str,
    style: Callable[[], AbstractContextManager[None]] = paper_style,
) -> bytes:
    """The figure as bytes, without the date and the versions that would change them."""
    dropped = {"pdf": ("CreationDate", "Creator", "Producer"), "png": ("Software",)}[file_format]
    buffer = io.BytesIO()
    with style():
        figure.savefig(buffer, format=file_format, metadata=dict.fromkeys(dropped))
    return buffer.getvalue()


def _apps(trials: pd.DataFrame) -> str:
    number = len(set(trials["app"]))
    return "1 app" if number == 1 else f"{number} apps"
