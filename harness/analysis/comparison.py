"""`seambench compare`: one contrast, estimated at each level of a factor."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import pandas as pd
from rich.box import HORIZONTALS
from rich.markup import escape
from rich.table import Table

from harness.analysis.estimate.effects import (
    POOLED,
    PRIMARY,
    EffectRow,
    Question,
    at_levels,
    effect,
    explored,
)
from harness.analysis.estimate.matched import MatchedRow, matched
from harness.analysis.estimate.pairing import Contrast, Missing, Side, differences, only
from harness.analysis.estimate.parts import difference_in_differences
from harness.analysis.frame import to_frame, write_file
from harness.analysis.latex import escape_latex, needs, tabular, typeset
from harness.analysis.order import sort_arms
from harness.analysis.tables import p_value
from harness.errors import BadInput

BY = {
    "model": "model",
    "agent": "agent",
    "arm": "arm",
    "scope": "scope",
    "budget": "context_budget",
    "class": "task_class",
}
"""what the rows may differ in -> its column"""


@dataclass(frozen=True)
class Comparison:
    """What was estimated, beside the same under other rules for lost trials."""

    by: str
    contrast: Contrast
    effects: pd.DataFrame
    """`EffectRow`s: the levels, pooled, and the primary test; with adjusted p"""
    sensitivity: pd.DataFrame
    """the same `EffectRow`s under each rule for lost trials"""
    matched: pd.DataFrame
    """`MatchedRow`s of the levels; empty where the levels are arms or scopes"""


def compare(trials: pd.DataFrame, by: str, contrast: Contrast | None = None) -> Comparison:
    """The contrast (most distributed less most tangled arm, if None) at each level of `by`.

    Where a language model worked, controls are left out: their outcome is known beforehand.

    Raises:
        BadInput: `by` is none of BY or compares what `contrast` fixes, the trials have one arm
            only, or a side of the contrast has none.
    """
    if by not in BY:
        raise BadInput(f"--by {by}: unknown; choose one of {', '.join(BY)}")
    studied = trials[trials["model"].notna()]
    studied = studied if len(studied) else trials
    if contrast:
        _check_contrast(contrast, by, studied)
    question = Question(contrast or widest(studied))
    sensitivity = _under_every_rule(studied, question, by)
    found = sensitivity[sensitivity["missing"] == question.missing].reset_index(drop=True)
    pairs = differences(studied, question.contrast)
    is_one_contrast = BY[by] in pairs
    counts = matched(pairs, BY[by]) if is_one_contrast else to_frame([], MatchedRow)
    return Comparison(by, question.contrast, found, sensitivity, counts)


def _check_contrast(contrast: Contrast, by: str, studied: pd.DataFrame) -> None:
    """Raises BadInput."""
    sides = (contrast.minuend, contrast.subtrahend)
    if by == "arm":
        raise BadInput("--contrast: --by arm compares every two arms; leave one of them out")
    if by == "scope" and any(side.scope != "all" for side in sides):
        raise BadInput("--contrast: --by scope compares two arms in each scope: write ARM-ARM")
    for side in sides if by != "scope" else ():
        if only(studied, arm=side.arm, scope=side.scope).empty:
            raise BadInput(f"--contrast: no trial of {side} to compare")


def widest(trials: pd.DataFrame) -> Contrast:
    """The most distributed arm less the most tangled one, in one scope where they have one."""
    arms = sort_arms(trials["arm"].unique())
    if len(arms) < 2:
        only_arm = arms[0] if arms else "none"
        raise BadInput(f"arms: only {only_arm} has trials; a comparison needs two")
    return _between(trials, arms[-1], arms[0])


def _between(trials: pd.DataFrame, minuend: str, subtrahend: str) -> Contrast:
    """Two arms in the first scope that both have, or each in the first of its own."""
    of_arm = {
        arm: set(trials.loc[trials["arm"] == arm, "scope"].unique())
        for arm in (minuend, subtrahend)
    }
    both = of_arm[minuend] & of_arm[subtrahend]
    # `all` comes before `own`.
    return Contrast(*(Side(arm, min(both or of_arm[arm])) for arm in (minuend, subtrahend)))


def parse_contrast(text: str, trials: pd.DataFrame) -> Contrast:
    """A contrast written as ARM[:SCOPE]-ARM[:SCOPE]."""
    sides = [Side(*part.strip().split(":")) for part in text.split("-") if part.count(":") < 2]
    known = set(trials["arm"])
    if len(sides) != 2 or not {side.arm for side in sides} <= known:
        arms = ", ".join(sort_arms(known))
        raise BadInput(f"--contrast {text}: write ARM-ARM or ARM:SCOPE-ARM:SCOPE, of {arms}")
    return Contrast(*sides)


def _under_every_rule(trials: pd.DataFrame, question: Question, by: str) -> pd.DataFrame:
    """The same rows under every rule for lost trials; p is adjusted over those of one rule."""
    rules = [replace(question, missing=rule) for rule in Missing]
    tables = [explored(to_frame(list(_rows(trials, rule, by)), EffectRow)) for rule in rules]
    return pd.concat(tables, ignore_index=True)


def save(comparison: Comparison, folder: Path) -> list[Path]:
    """Write the table as CSV and LaTeX, and the sensitivity table as CSV."""
    stem = f"compare-by-{comparison.by}"
    return [
        write_file(folder / f"{stem}.csv", _csv(comparison.effects)),
        write_file(folder / f"{stem}.tex", latex(comparison)),
        write_file(folder / f"{stem}-missing.csv", _csv(comparison.sensitivity)),
        write_file(folder / f"{stem}-matched.csv", _csv(comparison.matched)),
    ]


def table(comparison: Comparison) -> Table:
    """For a terminal of 80 columns; what limits the numbers stands below."""
    found = comparison.effects
    shown = Table(
        box=HORIZONTALS,
        pad_edge=False,
        title=f"Resolved: {_subject(comparison)}, in percentage points",
        caption="\n".join(_remarks(comparison)),
        title_justify="left",
        caption_justify="left",
        collapse_padding=True,
    )
    shown.add_column(comparison.by, overflow="fold", min_width=len("microservices"))
    for name in (
        "apps,\ntasks",
        "min.\n%",
        "sub.\n%",
        "difference\n[95% interval]",
        "p",
        "p\nadj.",
        "±10",
    ):
        shown.add_column(name, justify="right", no_wrap=True)
    for _, row in found.iterrows():
        if row["level"] == POOLED:
            shown.add_section()
        shown.add_row(escape(row["level"]), *_cells(row))
    return shown


def latex(comparison: Comparison) -> str:
    r"""The table with booktabs, for `\input`."""
    heads = [
        escape_latex(comparison.by), "Apps, tasks", r"min.\ \%", r"sub.\ \%", "pp",
        r"95\% interval", "$p$", "$p$ adj.", r"$\pm10$",
    ]  # fmt: skip
    rows = [_latex_row(row) for _, row in comparison.effects.iterrows()]
    notes = escape_latex(" ".join(_remarks(comparison)))
    notes = notes[:1].upper() + notes[1:]
    lines = [
        r"\begin{table}",
        r"\centering\footnotesize",
        rf"\caption{{Resolved, {escape_latex(_subject(comparison))}. {notes}}}",
        *tabular("lrrrrrrrr", heads, [rows]),
        r"\end{table}",
    ]
    return "\n".join([needs("booktabs", lines), *lines, ""])


def _rows(trials: pd.DataFrame, question: Question, by: str) -> Iterator[EffectRow]:
    if by == "arm":
        for subtrahend, minuend in combinations(sort_arms(trials["arm"].unique()), 2):
            asked = replace(question, contrast=_between(trials, minuend, subtrahend))
            yield effect(_differences(trials, asked), asked, by, str(asked.contrast))
    elif by == "scope":
        for scope in sorted(set(trials["scope"])):
            asked = replace(question, contrast=question.contrast.within(scope))
            yield effect(_differences(trials, asked), asked, by, scope)
    else:
        found = _differences(trials, question)
        yield from at_levels(found, question, BY[by])
        yield effect(found, question, by, PRIMARY)
        if by == "budget":
            yield from _budget_slope(trials, question)


def _differences(trials: pd.DataFrame, question: Question) -> pd.DataFrame:
    return differences(trials, question.contrast, question.outcome, question.missing)


def _budget_slope(trials: pd.DataFrame, question: Question) -> Iterator[EffectRow]:
    budgets = set(trials["context_budget"])
    if {"32k", "full"} <= budgets:
        yield difference_in_differences(trials, question, "context_budget", "32k", "full")


def _cells(row: pd.Series) -> list[str]:
    interval = "" if pd.isna(row["low"]) else f" [{row['low']:+.1f}, {row['high']:+.1f}]"
    return [
        f"{row['apps']}, {row['tasks']}",
        _number(row["minuend"], ".0f"),
        _number(row["subtrahend"], ".0f"),
        _number(row["difference"], "+.1f") + interval,
        _p(row["p_sign_flip"]),
        _p(row["p_adjusted"]),
        _equivalent(row["p_equivalence"]),
    ]


def _number(value: object, form: str) -> str:
    return "-" if pd.isna(value) else format(value, form)  # type: ignore[call-overload]


def _p(value: object) -> str:
    return "-" if pd.isna(value) else p_value(value)  # type: ignore[call-overload, arg-type]


def _equivalent(p: object) -> str:
    return "-" if pd.isna(p) else ("yes" if p < 0.05 else "open")  # type: ignore[call-overload, operator]


def _subject(comparison: Comparison) -> str:
    return "every two arms" if comparison.by == "arm" else str(comparison.contrast)


def _remarks(comparison: Comparison) -> Iterator[str]:
    """What the columns are, then each note with the levels that it belongs to."""
    contrast = comparison.contrast
    if comparison.by == "arm":
        yield "min. the arm before the minus, sub. the one behind it; apps are the clusters;"
    else:
        yield f"min. {contrast.minuend}, sub. {contrast.subtrahend}; apps are the clusters;"
    if PRIMARY in set(comparison.effects["level"]):
        yield "primary: the one named test, each class of tasks at equal weight;"
    yield "p: sign flips over apps; p adj.: Benjamini-Hochberg, exploratory;"
    yield "±10: equivalent within 10 pp, unadjusted (yes, or open: not shown)."
    notes = comparison.effects.dropna(subset="note").groupby("note", sort=False)["level"]
    for note, levels in notes:
        yield f"{', '.join(levels)}: {note}."
    # A row that no pair of trials gave has no lost ones, and no bounds either.
    lost = comparison.effects[comparison.effects["lost"] > 0]["level"].tolist()
    if lost:
        level = PRIMARY if PRIMARY in lost else lost[-1]
        low, high = _bounds(comparison.sensitivity, level)
        yield f"lost trials count as unresolved; {level} between {low:+.1f} and {high:+.1f} pp"
        yield "whatever they would have been."


def _bounds(sensitivity: pd.DataFrame, level: str) -> tuple[float, float]:
    of_level = sensitivity[sensitivity["level"] == level].set_index("missing")
    values = of_level["difference"].astype(float)
    return values["worst_low"], values["worst_high"]


def _latex_row(row: pd.Series) -> str:
    interval = "-" if pd.isna(row["low"]) else f"[{row['low']:+.1f}, {row['high']:+.1f}]"
    cells = _cells(row)
    cells[3] = _number(row["difference"], "+.1f")
    cells.insert(4, interval)
    numbers = ["--" if cell == "-" else typeset(cell) for cell in cells]
    return " & ".join([escape_latex(row["level"]), *numbers]) + r" \\"


def _csv(frame: pd.DataFrame) -> str:
    return frame.to_csv(index=False, lineterminator="\n")
