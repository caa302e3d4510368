"""Tokens by kind, and what was read by whether the task needed it."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.analysis.paper.cells import sides, studied, with_side
from harness.analysis.paper.styles import Style

_KINDS = {
    "fresh_input_tokens": ("fresh input", "#0072B2", None),
    "cache_write_tokens": ("cache write", "#56B4E9", "////"),
    "cache_read_tokens": ("cache read", "#D9EEF9", "...."),
    "answer_tokens": ("output", "#E69F00", None),
    "reasoning_tokens": ("reasoning", "#F6DFA8", "\\\\\\\\"),
}
_PLACES = {
    "target": ("target contexts", "#009E73", None),
    "other": ("other contexts", "#D55E00", "////"),
    "shared": ("no context", "#CCCCCC", "...."),
}


def data(trials: pd.DataFrame, tools: pd.DataFrame | None = None) -> pd.DataFrame:
    """`panel` (kind, context), `side`, `part`, `tokens` (mean a trial), `n` trials."""
    known = with_side(studied(trials))
    if known.empty or not known["input_tokens"].sum():
        return pd.DataFrame()
    known = known.assign(answer_tokens=known["output_tokens"] - known["reasoning_tokens"])
    means = known.groupby("side", observed=True)[list(_KINDS)].mean().astype(float)
    sizes = known.groupby("side", observed=True).size()
    kinds = means.reset_index().melt("side", var_name="part", value_name="tokens")
    frames = [kinds.assign(panel="kind", n=kinds["side"].map(sizes))]
    if tools is not None and len(tools):
        frames.append(_by_place(known, tools).assign(panel="context"))
    return pd.concat(frames, ignore_index=True)


def draw(rows: pd.DataFrame, style: Style) -> Figure:
    """Stacked bars, one an arm; one panel for kinds, one for contexts where tools were recorded."""
    panels = [p for p in ("kind", "context") if p in set(rows["panel"])]
    names = sides(rows)
    figure = style.figure(0.75 + 0.2 * len(names), wide=len(panels) > 1)
    for axes, panel in zip(np.atleast_1d(figure.subplots(1, len(panels))), panels, strict=True):
        parts = _KINDS if panel == "kind" else _PLACES
        _draw_bars(axes, rows[rows["panel"] == panel], names, parts)
        axes.set_xlabel(
            "tokens a trial (thousands)" if panel == "kind" else "tokens read by tools (thousands)"
        )
        axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=3, borderaxespad=0.2,
                    handlelength=1.4, columnspacing=0.9, handletextpad=0.4)  # fmt: skip
    return figure


def caption(rows: pd.DataFrame) -> str:
    """What is shown, of how many trials."""
    kinds = rows[rows["panel"] == "kind"].drop_duplicates("side")
    counts = ", ".join(f"{side} {n:,}" for side, n in zip(kinds["side"], kinds["n"], strict=True))
    text = f"Tokens by kind, mean a trial, lost trials left out (trials: {counts})."
    if "context" in set(rows["panel"]):
        text += (
            " Right: tokens that tools gave back, by where they looked: the task's target contexts,"
            " others, or files of no context; estimated, not billed."
        )
    return text


def _by_place(trials: pd.DataFrame, tools: pd.DataFrame) -> pd.DataFrame:
    key = trials[["trial_id", "attempt", "side", "target_contexts"]]
    uses = tools[["trial_id", "attempt", "contexts_read", "result_tokens"]].merge(key)
    place = [
        _place(read, wanted)
        for read, wanted in zip(uses["contexts_read"], uses["target_contexts"], strict=True)
    ]
    total = uses.assign(part=place).groupby(["side", "part"])["result_tokens"].sum()
    sizes = key.groupby("side").size()
    found = total.rename("tokens").reset_index()
    n = found["side"].map(sizes)
    with_n: pd.DataFrame = found.assign(n=n, tokens=found["tokens"].astype(float) / n)
    return with_n


def _place(read: str, wanted: str) -> str:
    """Where a use of a tool looked; one that saw target contexts among others counts as other."""
    seen, targets = set(filter(None, read.split("+"))), set(wanted.split("+"))
    if not seen:
        return "shared"
    return "target" if seen <= targets else "other"


def _draw_bars(
    axes: Axes,
    rows: pd.DataFrame,
    names: list[str],
    parts: dict[str, tuple[str, str, str | None]],
) -> None:
    start = np.zeros(len(names))
    for part, (label, colour, hatch) in parts.items():
        found = rows[rows["part"] == part].set_index("side")["tokens"].reindex(names)
        length = found.fillna(0).to_numpy(float) / 1000
        axes.barh(names, length, 0.6, start, label=label, color=colour, hatch=hatch,
                  edgecolor="0.25", linewidth=0.4)  # fmt: skip
        start += length
    axes.invert_yaxis()
    axes.grid(axis="x")
    axes.set_xlim(left=0)
