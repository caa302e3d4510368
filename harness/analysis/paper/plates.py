"""Every figure of the set, drawn from the same trials and saved with caption and numbers."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from harness.analysis.figures import render
from harness.analysis.frame import remove_file, write_file
from harness.analysis.paper import (
    calibration,
    churn,
    failures,
    forest,
    heatmap,
    pareto,
    parts,
    slopes,
    tokens,
)
from harness.analysis.paper.styles import Style

SIMULATED = "Simulated trials, drawn from a stated model: no language model was asked.\n"


@dataclass(frozen=True)
class Plate:
    """A figure: the numbers, how they are drawn, what the caption says of them."""

    data: Callable[[pd.DataFrame], pd.DataFrame]
    draw: Callable[[pd.DataFrame, Style], Figure]
    caption: Callable[[pd.DataFrame], str]
    needs: str
    """what the trials must hold for it; said where they do not"""
    fitted: Callable[[pd.DataFrame, Style], pd.DataFrame] = lambda rows, _: rows
    """those of the numbers that a page of the style holds"""


PLATES = {
    "forest": Plate(forest.data, forest.draw, forest.caption, "a model on two arms", forest.fitted),
    "decomposition": Plate(
        parts.varied,
        parts.draw,
        parts.caption,
        "a model on all three arms, with some trials resolved and some not",
    ),
    "context-and-size": Plate(
        slopes.data, slopes.draw, slopes.caption, "two context budgets, or 8 apps of many sizes"
    ),
    "tokens": Plate(tokens.data, tokens.draw, tokens.caption, "a model with tokens counted"),
    "churn": Plate(churn.data, churn.draw, churn.caption, "a resolved trial of a model"),
    "pareto": Plate(pareto.data, pareto.draw, pareto.caption, "a model with a price"),
    "failures": Plate(
        failures.data, failures.draw, failures.caption, "an unresolved trial of a model"
    ),
    "heatmap": Plate(heatmap.data, heatmap.draw, heatmap.caption, "a model on two arms"),
    "calibration": Plate(
        calibration.data, calibration.draw, calibration.caption, "trials of controls"
    ),
}


@dataclass(frozen=True)
class Saved:
    """What became of one figure."""

    name: str
    paths: tuple[Path, ...]
    missing: str | None
    """what the trials lack, where nothing was drawn"""


@dataclass(frozen=True)
class Drawn:
    """One figure in memory."""

    name: str
    images: dict[str, bytes]
    """by format; none where the trials cannot fill it"""
    caption: str
    rows: pd.DataFrame
    """its numbers"""


def draw_plates(
    trials: pd.DataFrame,
    style: Style,
    forms: Sequence[str],
    tools: pd.DataFrame | None = None,
    names: Collection[str] = tuple(PLATES),
) -> Iterator[Drawn]:
    """The figures `names` in the formats `forms` (pdf, png); those without rows undrawn."""
    is_simulated = (trials["isolation"] == "simulated").any()
    # Sums of floats depend on their order in the last digits, and files are compared by bytes.
    trials = trials.sort_values("trial_id", ignore_index=True)
    for name, plate in PLATES.items():
        if name not in names:
            continue
        rows = tokens.data(trials, tools) if name == "tokens" else plate.data(trials)
        if rows.empty:
            yield Drawn(name, {}, "", rows)
            continue
        with style.applied():
            shown = plate.fitted(rows, style)
            figure = plate.draw(shown, style)
            images = {form: render(figure, form, style.applied) for form in forms}
        text = plate.caption(shown) + "\n" + (SIMULATED if is_simulated else "")
        yield Drawn(name, images, text, rows)


def save_plates(
    trials: pd.DataFrame, folder: Path, style: Style, tools: pd.DataFrame | None = None
) -> list[Saved]:
    """Write PDF, PNG, caption and numbers of every figure that the trials can fill.

    Those of the others are removed: they would stand beside numbers of other trials.
    """
    return [_save(one, folder) for one in draw_plates(trials, style, ("pdf", "png"), tools)]


def _save(drawn: Drawn, folder: Path) -> Saved:
    name = drawn.name
    if not drawn.images:
        for form in ("pdf", "png", "txt", "csv"):
            remove_file(folder / f"{name}.{form}")
        return Saved(name, (), PLATES[name].needs)
    paths = [write_file(folder / f"{name}.{form}", image) for form, image in drawn.images.items()]
    paths.append(write_file(folder / f"{name}.txt", drawn.caption))
    paths.append(write_file(folder / f"{name}.csv", _csv(drawn.rows)))
    return Saved(name, tuple(paths), None)


def _csv(rows: pd.DataFrame) -> str:
    return rows.to_csv(index=False, lineterminator="\n")
