"""The tables of a paper in LaTeX: which columns of their frames, and how numbers are written."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from harness.analysis.latex import Part, escape_latex, lay_out, typeset
from harness.analysis.tables import p_value

_NONE = "--"
_Cell = Callable[[pd.Series], str]


@dataclass(frozen=True)
class _Shown:
    """A column as it is printed."""

    head: str
    cell: _Cell
    spec: str = "r"


@dataclass(frozen=True)
class _Layout:
    """What of a frame is printed, under which caption."""

    caption: str
    parts: Sequence[Sequence[_Shown]]
    block: str
    """the column whose values have a rule between them"""
    names: Sequence[str]
    """columns that say which rows a note is of"""


def printed(name: str, frame: pd.DataFrame) -> str:
    """The table `name` (of LAYOUTS, or hypotheses) as LaTeX; notes stand in its caption."""
    if name == "hypotheses":
        return _hypotheses(frame)
    layout = LAYOUTS[name]
    blocks = [rows for _, rows in frame.groupby(layout.block, sort=False, dropna=False)]
    parts = [
        Part(
            "".join(column.spec for column in columns),
            [column.head for column in columns],
            [[_line(columns, row) for _, row in rows.iterrows()] for rows in blocks],
        )
        for columns in layout.parts
    ]
    notes = [_literal(note) for note in (*_contrast(frame), *_notes(frame, layout.names))]
    return lay_out(" ".join([layout.caption, *notes]), name, parts)


def _line(columns: Sequence[_Shown], row: pd.Series) -> str:
    return " & ".join(column.cell(row) for column in columns) + r" \\"


def _contrast(frame: pd.DataFrame) -> Iterator[str]:
    """What is compared, where all rows compare the same."""
    contrasts = set(frame["contrast"]) if "contrast" in frame else set()
    if len(contrasts) == 1:
        yield f"Compared: {contrasts.pop()}."


def _notes(frame: pd.DataFrame, names: Sequence[str]) -> Iterator[str]:
    """Each note once, behind the rows that it belongs to; of most rows it says how many."""
    for column in [name for name in ("note", "ratio_note") if name in frame]:
        for note, rows in frame.groupby(column, sort=False):
            if len(rows) > len(frame) / 2:
                yield f"{len(rows)} of {len(frame)} rows: {note}."
            else:
                levels = rows[list(names)].astype(str).agg(" ".join, axis=1)
                yield f"{', '.join(levels)}: {note}."


# Cells. What is null is a dash.


def _text(column: str) -> _Cell:
    return lambda row: _NONE if pd.isna(row[column]) else _literal(str(row[column]))


def _words(column: str) -> _Cell:
    """A column of the trials, as words."""
    return lambda row: _literal(row[column].replace("_", " "))


def _literal(text: str) -> str:
    return escape_latex(text).replace(" - ", " $-$ ")


def _number(column: str, form: str) -> _Cell:
    return lambda row: _NONE if pd.isna(row[column]) else typeset(_rounded(row[column], form))


def _interval(low: str, high: str, form: str) -> _Cell:
    def cell(row: pd.Series) -> str:
        if pd.isna(row[low]):
            return _NONE
        return typeset(f"[{_rounded(row[low], form)}, {_rounded(row[high], form)}]")

    return cell


def _p(column: str) -> _Cell:
    return lambda row: _NONE if pd.isna(row[column]) else typeset(p_value(row[column]))


def _per_resolved(column: str) -> _Cell:
    """Tokens have no fractions; dollars, and less than one of them, have."""

    def cell(row: pd.Series) -> str:
        if pd.isna(row[column]):
            return _NONE
        whole = ",.0f" if row["quantity"] != "cost_usd" else ",.2f"
        return format(row[column], whole if row[column] >= 1 else ".3g")

    return cell


def _capped(row: pd.Series) -> str:
    sides = [row["capped_minuend"], row["capped_subtrahend"]]
    return ", ".join(_NONE if pd.isna(side) else f"{side:.0f}" for side in sides)


def _rounded(value: float, form: str) -> str:
    """Without the sign of what is rounded to nothing."""
    words = format(value, form)
    return words if any(digit in words for digit in "123456789") else words.lstrip("+-")


# Columns.

_APPS = _Shown("Apps", _text("apps"))
_TASKS = _Shown("Tasks", _text("tasks"))
_INTERVAL = r"95\% interval"
_P = (_Shown("$p$", _p("p_sign_flip")), _Shown("$p$ adj.", _p("p_adjusted")))
_DIFFERENCE = (
    _Shown("pp", _number("difference", "+.1f")),
    _Shown(_INTERVAL, _interval("low", "high", "+.1f")),
    *_P,
)
_SIDES = (
    _Shown(r"min.\ \%", _number("minuend", ".0f")),
    _Shown(r"sub.\ \%", _number("subtrahend", ".0f")),
)
_FLIPS = "$p$: sign flips over apps; adj.: Benjamini-Hochberg over the rows."
_SPENT = (_Shown("Quantity", _words("quantity"), "l"), _Shown("", _text("level"), "l"))
_CELL = {
    "agent": "Agent", "model": "Model", "context_budget": "Budget", "dose": "Dose",
    "arm": "Arm", "scope": "Scope",
}  # fmt: skip

LAYOUTS: Mapping[str, _Layout] = {
    "effects": _Layout(
        "Resolved by model and class of task: min.\\ stands before the minus, sub.\\ behind it. "
        rf"$\pm$10: $p$ of equivalence within 10 pp. {_FLIPS}",
        [
            (
                _Shown("Model", _text("factor"), "l"),
                _Shown("Class", _text("level"), "l"),
                _APPS,
                _TASKS,
                *_SIDES,
                *_DIFFERENCE,
                _Shown(r"$\pm$10", _p("p_equivalence")),
            )
        ],
        "factor",
        ("factor", "level"),
    ),
    "decomposition": _Layout(
        f"Where the difference in Resolved comes from, over the tasks of every side. {_FLIPS}",
        [
            (
                _Shown("Part", _text("level"), "l"),
                _Shown("Contrast", _text("contrast"), "l"),
                _APPS,
                _TASKS,
                *_DIFFERENCE,
            )
        ],
        "factor",
        ("level",),
    ),
    "marginal": _Layout(
        "Marginal effects of a logistic model (GEE, clusters are apps). "
        "$p$: by t on apps $-$ 1; adj.: Benjamini-Hochberg over the rows.",
        [
            (
                _Shown("Stratum", _text("stratum"), "l"),
                _APPS,
                _Shown("Cells", _text("cells")),
                _Shown("pp", _number("effect", "+.1f")),
                _Shown(_INTERVAL, _interval("low", "high", "+.1f")),
                _Shown("$p$", _p("p")),
                _Shown("$p$ adj.", _p("p_adjusted")),
            )
        ],
        "contrast",
        ("stratum",),
    ),
    "cost": _Layout(
        "What trials took: min.\\ stands before the minus, sub.\\ behind it. "
        "Above: ratios of geometric means, $p$ by sign flips over apps. Below: sums for each "
        "resolved trial (USD or tokens), $p$ by arms swapped within apps, and trials of both sides "
        "stopped at a cap. adj.: Benjamini-Hochberg over the rows.",
        [
            (
                *_SPENT,
                _APPS,
                _TASKS,
                _Shown("Ratio", _number("ratio", ".2f")),
                _Shown(_INTERVAL, _interval("ratio_low", "ratio_high", ".2f")),
                *_P,
            ),
            (
                *_SPENT,
                _Shown("min.", _per_resolved("per_resolved_minuend")),
                _Shown("sub.", _per_resolved("per_resolved_subtrahend")),
                _Shown("Ratio", _number("per_resolved_ratio", ".2f")),
                _Shown(_INTERVAL, _interval("per_resolved_low", "per_resolved_high", ".2f")),
                _Shown("$p$", _p("per_resolved_p")),
                _Shown("$p$ adj.", _p("per_resolved_p_adjusted")),
                _Shown(r"At a cap, \%", _capped),
            ),
        ],
        "quantity",
        ("quantity", "level"),
    ),
    "quality": _Layout(
        "What patches change of the code, over trials whose tests all pass and over all: "
        "means in the unit of the measure; min.\\ stands before the minus, sub.\\ behind it. "
        "$p$: sign flips over apps, Benjamini-Hochberg over the rows of a block.",
        [
            (
                _Shown("Measure", _words("measure"), "l"),
                _Shown("Unit", _text("unit"), "l"),
                _Shown("Trials", _text("kept"), "l"),
                _APPS,
                _Shown("min.", _number("minuend", ".3f")),
                _Shown("sub.", _number("subtrahend", ".3f")),
                _Shown("Diff.", _number("difference", "+.3f")),
                _Shown(_INTERVAL, _interval("low", "high", "+.3f")),
                _Shown("$p$ adj.", _p("p_adjusted")),
            )
        ],
        "kept",
        ("measure", "kept"),
    ),
    "reliability": _Layout(
        "Repeats of a cell: at least one of $k$ resolved (pass@$k$), and all of them "
        "(pass\\textasciicircum{}$k$), means over tasks within apps, then over apps.",
        [
            (
                *(_Shown(head, _text(column), "l") for column, head in _CELL.items()),
                _Shown("$k$", _text("k")),
                _Shown("Cells", _text("cells")),
                _Shown(r"pass@$k$, \%", lambda row: f"{100 * row['pass_at_k']:.0f}"),
                _Shown(
                    r"pass\textasciicircum{}$k$, \%", lambda row: f"{100 * row['pass_hat_k']:.0f}"
                ),
            )
        ],
        "k",
        (),
    ),
}
"""name of a table -> how it is printed; the hypotheses have a column that wraps"""


def _hypotheses(told: pd.DataFrame) -> str:
    """What was not tested says why in place of numbers."""
    heads = ["", "Measure", "Apps", "Estimate", "Interval", "$p$", "$p$ (Holm)"]
    rows = [_hypothesis(row) for _, row in told.iterrows()]
    note = (
        "Interval: 95\\%, for H5 90\\%. "
        "$p$: sign flips over apps, for H5 equivalence, for H7 arms swapped within apps."
    )
    notes = [f"{row['hypothesis']}: {row['note']}." for _, row in told.iterrows()
             if not pd.isna(row["estimate"]) and not pd.isna(row["note"])]  # fmt: skip
    caption = " ".join(["The hypotheses.", note, *map(escape_latex, notes)])
    return lay_out(caption, "hypotheses", [Part(r"lp{0.42\textwidth}rrrrr", heads, [rows])])


_WRAPPED = r"p{0.42\textwidth}@{}"
"""as wide as the five columns of numbers, which a longer note would run out of"""


def _hypothesis(row: pd.Series) -> str:
    head = f"{row['hypothesis']} & {escape_latex(row['measure'])}"
    if pd.isna(row["estimate"]):
        return rf"{head} & \multicolumn{{5}}{{{_WRAPPED}}}{{{escape_latex(row['note'])}}} \\"
    cells = [
        _text("apps"), _number("estimate", ".2f"), _interval("low", "high", ".2f"),
        _p("p"), _p("p_adjusted"),
    ]  # fmt: skip
    return " & ".join([head, *(cell(row) for cell in cells)]) + r" \\"
