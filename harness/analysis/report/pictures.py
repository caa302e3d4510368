"""The figures of a run as data URIs; drawn where the folder holds none yet."""

import base64
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from harness.analysis.figures import caption, overview, render


@dataclass(frozen=True)
class Picture:
    """One figure: the PNG as a data URI, and what it shows in words."""

    name: str
    uri: str
    words: str


def pictures(folder: Path, trials: pd.DataFrame) -> list[Picture]:
    """Every `figures/*.png` by name, or the overview alone, drawn in memory."""
    found = sorted((folder / "figures").glob("*.png"))
    if not found:
        return [_picture("overview", render(overview(trials), "png"), caption(trials))]
    return [_picture(path.stem, path.read_bytes(), _words(path)) for path in found]


def _words(picture: Path) -> str:
    text = picture.with_suffix(".txt")
    if not text.is_file():
        return f"The figure {picture.stem}; there is no caption beside it."
    return text.read_text(encoding="utf-8", errors="replace")


def _picture(name: str, content: bytes, words: str) -> Picture:
    uri = "data:image/png;base64," + base64.b64encode(content).decode()
    return Picture(name, uri, " ".join(words.split()))
