"""The figures of a run as data URIs; those that the folder does not hold are drawn."""

import base64
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from harness.analysis.figures import caption, overview, render
from harness.analysis.frame import read_tools
from harness.analysis.paper.plates import PLATES, draw_plates
from harness.analysis.paper.styles import style_named

MOST_ROWS = 40
"""tasks in an overview that can be read"""


@dataclass(frozen=True)
class Picture:
    """One figure: the PNG as a data URI, and what it shows in words."""

    name: str
    uri: str
    words: str


def pictures(folder: Path, trials: pd.DataFrame) -> list[Picture]:
    """Every `figures/*.png` by name, then what the folder lacks of the paper's set and can fill.

    The overview has a row a task: where they are too many to read, it is not drawn.
    """
    saved = sorted((folder / "figures").glob("*.png"))
    found = [_picture(path.stem, path.read_bytes(), _words(path)) for path in saved]
    if not saved and trials["task"].nunique() <= MOST_ROWS:
        found.append(_picture("overview", render(overview(trials), "png"), caption(trials)))
    lacking = set(PLATES) - {path.stem for path in saved}
    style = style_named("acm")
    drawn = draw_plates(trials, style, ("png",), read_tools(folder) if lacking else None, lacking)
    return [*found, *(_picture(d.name, d.images["png"], d.caption) for d in drawn if d.images)]


def _words(picture: Path) -> str:
    text = picture.with_suffix(".txt")
    if not text.is_file():
        return f"The figure {picture.stem}; there is no caption beside it."
    return text.read_text(encoding="utf-8", errors="replace")


def _picture(name: str, content: bytes, words: str) -> Picture:
    uri = "data:image/png;base64," + base64.b64encode(content).decode()
    return Picture(name, uri, " ".join(words.split()))
