"""Paired differences by model and class: the paper's first figure."""

import pandas as pd
from matplotlib.figure import Figure

from harness.analysis.comparison import widest
from harness.analysis.estimate.effects import MARGIN, POOLED, PRIMARY, EffectRow, Question, effect
from harness.analysis.estimate.pairing import differences
from harness.analysis.frame import to_frame
from harness.analysis.names import short_names
from harness.analysis.order import CLASSES
from harness.analysis.paper.notes import intervals, notes
from harness.analysis.paper.styles import Style

_LEVELS = {
    "L": "local (L)",
    "I": "internal (I)",
    "X": "across (X)",
    "D": "diagnosis (D)",
    POOLED: "all classes",
    PRIMARY: "primary",
}


def data(trials: pd.DataFrame) -> pd.DataFrame:
    """`EffectRow`s: `factor` is the model or pooled, `level` the class, pooled or primary."""
    models = trials[trials["model"].notna()]
    if models["arm"].nunique() < 2:
        return to_frame([], EffectRow)
    question = Question(widest(models))
    found = differences(models, question.contrast)
    rows = []
    for model in [*sorted(set(found["model"])), POOLED]:
        of_model = found if model == POOLED else found[found["model"] == model]
        rows += [
            effect(of_model[of_model["task_class"] == name], question, model, name)
            for name in CLASSES
            if name in set(of_model["task_class"])
        ]
        rows.append(effect(of_model, question, model, POOLED))
    rows.append(effect(found, question, POOLED, PRIMARY))
    return to_frame([row for row in rows if row.difference is not None], EffectRow)


def fitted(rows: pd.DataFrame, style: Style) -> pd.DataFrame:
    """The rows; where a page of `style` does not hold them, those of classes for pooled alone."""
    if _height(rows) * style.scale <= style.tallest:
        return rows
    return rows[(rows["factor"] == POOLED) | (rows["level"] == POOLED)]


def draw(rows: pd.DataFrame, style: Style) -> Figure:
    """A point and its 95% interval, if it has one, a row; the band is the margin of equivalence."""
    figure = style.figure(_height(rows))
    axes = figure.subplots()
    axes.axvspan(-MARGIN, MARGIN, color="0.93", linewidth=0)
    axes.axvline(0, color="0.4", linewidth=0.6)
    place, ticks, names = 0.0, [], []
    shown = short_names(rows["factor"].unique())
    for model, block in rows.groupby("factor", sort=False):
        name = shown[str(model)]
        if len(block) > 1:
            axes.annotate(name, (0, place), (-4, 0), xycoords=("axes fraction", "data"),
                          textcoords="offset points", ha="right", va="center", weight="bold",
                          annotation_clip=False)  # fmt: skip
            place += 1
        for _, row in block.iterrows():
            _draw_row(figure, row, place)
            ticks.append(place)
            names.append(_LEVELS[row["level"]] if len(block) > 1 else name)
            place += 1
        place += 0.2
    axes.set_yticks(ticks, names)
    axes.set_ylim(place - 0.4, -0.8)
    axes.set_xlabel(f"resolved (pp),\n{rows['contrast'].iloc[0].replace(' - ', ' − ')}")
    return figure


def caption(rows: pd.DataFrame) -> str:
    """What is shown, of how many trials."""
    whole = rows.iloc[-1]
    is_short = set(rows.loc[rows["factor"] != POOLED, "level"]) == {POOLED}
    return (
        f"Within-task difference in Resolved, {whole['contrast']}, by model and task class, in "
        f"percentage points: mean over {whole['apps']} apps ({whole['tasks']} tasks, "
        f"{whole['trials']} trials of which {whole['lost']} were lost and count as unresolved)"
        f"{intervals(rows, ', with ')}. Grey band: the margin of equivalence, {MARGIN:g} pp. "
        "Filled diamonds: all classes; primary: each class at equal weight, the one named test."
        f"{_SHORT if is_short else ''}{notes(rows)}"
    )


_SHORT = " Of each model all classes stand together; the table beside the figure has each class."


def _height(rows: pd.DataFrame) -> float:
    """Inches at scale 1: a line a row, and one for the name above the rows of a block."""
    headed = int((rows["factor"].value_counts() > 1).sum())
    return 0.65 + 0.125 * (len(rows) + headed)


def _draw_row(figure: Figure, row: pd.Series, place: float) -> None:
    axes = figure.axes[0]
    is_pooled = row["level"] in {POOLED, PRIMARY}
    if not pd.isna(row["low"]):
        axes.plot([row["low"], row["high"]], [place, place], color="#0072B2",
                  linewidth=1.6 if is_pooled else 0.9, solid_capstyle="butt")  # fmt: skip
    face = "#0072B2" if is_pooled else "white"
    axes.plot([row["difference"]], [place], marker="D" if is_pooled else "o", markersize=4,
              markerfacecolor=face, markeredgecolor="#0072B2", linestyle="none")  # fmt: skip
