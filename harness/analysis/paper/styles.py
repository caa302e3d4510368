"""How figures look: sizes by venue, and one colour, marker and hatch an arm."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from harness.analysis.figures import paper_style
from harness.errors import BadInput


@dataclass(frozen=True)
class Style:
    """Widths and tallest figure of a venue in inches; how much larger its type is than 6.5 pt."""

    name: str
    column: float
    text: float
    tallest: float
    scale: float = 1.0

    def figure(self, height: float, *, wide: bool = False) -> Figure:
        """An empty figure of one column's width, or the page's; `height` in inches at scale 1."""
        width = self.text if wide else self.column
        return Figure(figsize=(width, height * self.scale), layout="constrained")

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Matplotlib's settings for this venue, whatever the user's own are."""
        with paper_style():
            settings: dict[Any, Any] = mpl.rcParams
            settings.update({name: self.scale * settings[name] for name in _SIZES})
            yield


_SIZES = (
    "font.size", "axes.titlesize", "axes.labelsize", "xtick.labelsize", "ytick.labelsize",
    "legend.fontsize", "lines.linewidth", "lines.markersize",
)  # fmt: skip

# ACM's acmart sigconf and IEEEtran give these widths of a column and of the text; the height of
# the text less a caption. A slide is 16:9.
STYLES = {
    "acm": Style("acm", 3.33, 7.0, 8.0),
    "ieee": Style("ieee", 3.5, 7.16, 8.0),
    "slides": Style("slides", 8.0, 12.0, 6.75, 2.0),
}


def style_named(name: str) -> Style:
    """The style of a venue. Raises BadInput for another name."""
    if name not in STYLES:
        raise BadInput(f"--style {name}: unknown; choose one of {', '.join(STYLES)}")
    return STYLES[name]


@dataclass(frozen=True)
class Look:
    """What tells a side apart, in colour and in grey."""

    colour: str
    marker: str
    hatch: str | None


# Okabe and Ito's palette; the lightness differs too, so that grey prints can be read.
_LOOKS = {
    "monolith": Look("#D55E00", "o", None),
    "modular": Look("#009E73", "s", "////"),
    "modular (own)": Look("#B8E0D2", "s", "...."),
    "microservices": Look("#0072B2", "^", "\\\\\\\\"),
    "microservices (own)": Look("#A6D4F2", "D", "xxxx"),
}
_OTHER = Look("#999999", "v", "....")


def look(side: str) -> Look:
    """The look of an arm, with its scope in brackets where that is not `all`."""
    return _LOOKS.get(side, _OTHER)


def side_order(side: str) -> tuple[int, str]:
    """A sort key: from the most coupled arm to the most distributed."""
    known = list(_LOOKS)
    return (known.index(side) if side in known else len(known), side)


def legend_above(figure: Figure, columns: int) -> None:
    """The legend of the first panel, above all panels, where it hides and pushes nothing."""
    shapes, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(shapes, labels, loc="outside upper left", ncols=columns, borderaxespad=0.2,
                  handlelength=1.4, columnspacing=0.9, handletextpad=0.4)  # fmt: skip


def signed(value: float, digits: int = 0) -> str:
    """A number with its sign, typeset; zero has none."""
    text = f"{value:+.{digits}f}"
    return "0" if float(text) == 0 else text.replace("-", "−")
