"""Tokens by class, by what tools were used for, and by whether the task needed what was read."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.analysis.estimate.cost import tokens_counted
from harness.analysis.paper.cells import sides, studied, with_side
from harness.analysis.paper.stacked import PartLook, draw_stacked
from harness.analysis.paper.styles import Style

_KINDS = {
    "fresh_input_tokens": ("fresh input", "#0072B2", None),
    "cache_write_tokens": ("cache write", "#56B4E9", "////"),
    "cache_read_tokens": ("cache read", "#D9EEF9", "...."),
    "answer_tokens": ("output", "#E69F00", None),
    "reasoning_tokens": ("reasoning", "#F6DFA8", "\\\\\\\\"),
}
_USES = {
    "navigate": ("navigate", "#56B4E9", None),
    "read": ("read", "#0072B2", "////"),
    "edit": ("edit", "#E69F00", None),
    "test": ("test", "#009E73", "\\\\\\\\"),
    "run": ("run", "#F0E442", "...."),
    "other": ("other", "#CCCCCC", None),
}
_PLACES = {
    "target": ("target contexts", "#009E73", None),
    "other": ("other contexts", "#D55E00", "////"),
    "shared": ("no context", "#CCCCCC", "...."),
    "edited target": ("edits: target", "#A6DCC8", "\\\\\\\\"),
    "edited other": ("edits: other", "#F3BF99", "xxxx"),
}
_PANELS = {
    "kind": (_KINDS, "tokens a trial (thousands)"),
    "use": (_USES, "to and from tools (thousands)"),
    "context": (_PLACES, "read and edited (thousands)"),
}
_TOOL_COLUMNS = [
    "trial_id", "attempt", "kind", "contexts_read", "contexts_edited", "request_tokens",
    "result_tokens",
]  # fmt: skip


def data(trials: pd.DataFrame, tools: pd.DataFrame | None = None) -> pd.DataFrame:
    """`panel` (kind, use, context, name), `side`, `part`, `tokens` (mean a trial), `n` trials.

    `name` has the contexts by their names, read and edited apart; it is not drawn.
    """
    known = with_side(studied(trials))
    known = known[tokens_counted(known)]
    if known.empty or not known["input_tokens"].sum():
        return pd.DataFrame()
    known = known.assign(answer_tokens=known["output_tokens"] - known["reasoning_tokens"])
    means = known.groupby("side", observed=True)[list(_KINDS)].mean().astype(float)
    sizes = known.groupby("side", observed=True).size()
    kinds = means.reset_index().melt("side", var_name="part", value_name="tokens")
    frames = [kinds.assign(panel="kind", n=kinds["side"].map(sizes))]
    uses = pd.DataFrame() if tools is None else _uses(known, tools)
    if len(uses):
        both = uses["request_tokens"] + uses["result_tokens"]
        is_edit = uses["kind"] == "edit"
        touched = uses["contexts_read"].mask(is_edit, uses["contexts_edited"])
        place = _places(touched, uses["target_contexts"])
        edited = "edited " + place.replace("shared", "other")
        # What reading brings is what comes back, what editing takes is mostly what is sent.
        moved = uses["result_tokens"].mask(is_edit, both)
        name = is_edit.map({True: "edited ", False: "read "}) + touched.replace("", "no context")
        for panel, part, amount in (
            ("use", uses["kind"], both),
            ("context", place.mask(is_edit, edited), moved),
            ("name", name, moved),
        ):
            frames.append(_means(part, amount, uses["side"], sizes).assign(panel=panel))
    return pd.concat(frames, ignore_index=True)


def draw(rows: pd.DataFrame, style: Style) -> Figure:
    """Stacked bars, one an arm; the panels about tools where tools were recorded."""
    panels = [name for name in _PANELS if name in set(rows["panel"])]
    names = sides(rows)
    figure = style.figure(0.85 + 0.2 * len(names), wide=len(panels) > 1)
    every = figure.subplots(1, len(panels), sharey=True)
    for axes, panel in zip(np.atleast_1d(every), panels, strict=True):
        parts, label = _PANELS[panel]
        _draw_bars(axes, rows[rows["panel"] == panel], names, parts)
        axes.set_xlabel(label)
        axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=min(3, len(parts) - 1),
                    borderaxespad=0.2, handlelength=1.2, columnspacing=0.7,
                    handletextpad=0.3)  # fmt: skip
    np.atleast_1d(every)[0].invert_yaxis()
    return figure


def caption(rows: pd.DataFrame) -> str:
    """What is shown, of how many trials."""
    kinds = rows[rows["panel"] == "kind"].drop_duplicates("side")
    counts = ", ".join(f"{side} {n:,}" for side, n in zip(kinds["side"], kinds["n"], strict=True))
    text = (
        "Tokens by kind, mean a trial, lost trials and patches made elsewhere left out "
        f"(trials: {counts})."
    )
    if "context" in set(rows["panel"]):
        text += (
            " Middle: tokens that went to tools and came back, by what they were used for. Right:"
            " tokens that came back, by where they looked: the task's target contexts, others, or"
            " files of no context; edits apart, with what was sent for them. Both estimated, not"
            " billed."
        )
    return text


def _uses(known: pd.DataFrame, tools: pd.DataFrame) -> pd.DataFrame:
    """What the attempt that worked did with tools, beside each trial's side and targets."""
    used = known.loc[known["tool_calls"] > 0, ["trial_id", "side", "target_contexts"]]
    every = tools[_TOOL_COLUMNS].merge(used)
    # A regrade has an attempt of its own, in which no tool was used; those before it were lost.
    return every.merge(every.groupby("trial_id", as_index=False)["attempt"].max())


def _means(part: pd.Series, amount: pd.Series, side: pd.Series, sizes: pd.Series) -> pd.DataFrame:
    """Mean a trial of `amount`, by `side` and `part`; `sizes` counts the trials of a side."""
    uses = pd.DataFrame({"side": side, "part": part, "tokens": amount.astype(float)})
    total = uses.groupby(["side", "part"])["tokens"].sum().reset_index()
    n = total["side"].map(sizes)
    means: pd.DataFrame = total.assign(n=n, tokens=total["tokens"] / n)
    return means


def _places(touched: pd.Series, wanted: pd.Series) -> pd.Series:
    pairs = zip(touched, wanted, strict=True)
    return pd.Series([_place(*pair) for pair in pairs], index=touched.index, dtype=object)


def _place(touched: str, wanted: str) -> str:
    """Where a tool was used; target contexts among others count as other."""
    seen, targets = set(filter(None, touched.split("+"))), set(wanted.split("+"))
    if not seen:
        return "shared"
    return "target" if seen <= targets else "other"


def _draw_bars(
    axes: Axes,
    rows: pd.DataFrame,
    names: list[str],
    parts: Mapping[str, PartLook],
) -> None:
    thousands = rows.assign(tokens=rows["tokens"] / 1000).set_index("side")
    longest = draw_stacked(axes, thousands, "tokens", names, parts)
    axes.grid(axis="x")
    # A last part of no length would hold the axis at its edge.
    axes.set_xlim(0, 1.05 * (longest or 1.0))
