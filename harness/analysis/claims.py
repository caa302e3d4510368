"""Every number that a text would quote, with what it was made of: `claims.json` and its tables."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd

from harness.analysis.comparison import widest
from harness.analysis.estimate.cost import cost
from harness.analysis.estimate.effects import POOLED, Question
from harness.analysis.estimate.hypotheses import hypotheses
from harness.analysis.estimate.marginal import marginal_effects
from harness.analysis.estimate.repeats import reliability
from harness.analysis.frame import to_frame, write_file
from harness.analysis.paper import forest, parts
from harness.analysis.tables import escape_latex, tabular
from harness.records import Column, Record
from harness.store import dump_json


class Claim(Record):
    """One number of the text."""

    id: Annotated[str, Column("which number; stays the same from run to run")]
    value: Annotated[float | None, Column("the number; null where the note says why")]
    low: Annotated[float | None, Column("lower end of its 95% interval")]
    high: Annotated[float | None, Column("upper end of it")]
    p: Annotated[float | None, Column("two-sided, sign flips over apps")]
    unit: Annotated[str, Column("of value and interval")]
    trials: Annotated[int, Column("rows it was made of", "trials")]
    rows_sha256: Annotated[str, Column("digest of those rows, see `digest`")]
    note: Annotated[str | None, Column("what to know before quoting it")]


def save_tables(trials: pd.DataFrame, folder: Path) -> list[Path]:
    """Write the tables of a paper as CSV, the hypotheses as LaTeX too, and claims.json."""
    trials = trials.assign(hash=row_hashes)
    studied = trials[trials["model"].notna()].sort_values("trial_id")
    if studied["arm"].nunique() < 2:
        return []
    question = Question(widest(studied))
    told = hypotheses(studied, question)
    frames = {
        "effects": forest.data(studied),
        "decomposition": parts.data(studied),
        "hypotheses": told,
        "marginal": marginal_effects(studied, question.contrast),
        "cost": cost(studied, question, "cost_usd"),
        "reliability": reliability(studied, 1),
    }
    claims = to_frame(list(_claims(studied, frames)), Claim)
    document = {"trials": len(trials), "sha256": digest(trials), "claims": _plain(claims)}
    return [
        *(write_file(folder / f"{name}.csv", _csv(frame)) for name, frame in frames.items()),
        write_file(folder / "hypotheses.tex", _latex(told)),
        write_file(folder / "claims.json", dump_json(document)),
    ]


def digest(rows: pd.DataFrame) -> str:
    """SHA-256 over the rows' own hashes, sorted, so that their order does not count.

    A row's hash is pandas' `hash_pandas_object` of trial id, status, outcome and spending.
    """
    hashes = rows["hash"] if "hash" in rows else row_hashes(rows)
    ordered = np.sort(hashes.to_numpy("uint64")).astype("<u8")
    return hashlib.sha256(ordered.tobytes()).hexdigest()


def row_hashes(rows: pd.DataFrame) -> pd.Series:
    """One number a row, which changes with what the row says."""
    columns = ["trial_id", "status", "resolved", "input_tokens", "output_tokens", "cost_usd"]
    return pd.util.hash_pandas_object(rows[columns], index=False, categorize=False)


def _claims(trials: pd.DataFrame, frames: dict[str, pd.DataFrame]) -> Iterator[Claim]:
    for _, row in frames["effects"].iterrows():
        used = _used(trials, row["factor"], row["level"])
        yield _claim(f"difference/{row['factor']}/{row['level']}", row, "pp", used)
    for _, row in frames["decomposition"].iterrows():
        yield _claim(f"part/{row['level']}", row, "pp", trials)
    for _, row in frames["hypotheses"].iterrows():
        named = row.rename({"estimate": "difference", "p": "p_sign_flip"})
        yield _claim(f"hypothesis/{row['hypothesis']}", named, row["measure"], trials)
    for _, row in frames["cost"].iterrows():
        named = row.rename(
            {
                "per_resolved_ratio": "difference",
                "per_resolved_low": "low",
                "per_resolved_high": "high",
            }
        )
        used = _used(trials, row["level"], POOLED)
        yield _claim(f"cost-per-resolved/{row['level']}", named, "ratio", used)


def _used(trials: pd.DataFrame, model: str, task_class: str) -> pd.DataFrame:
    """The trials of a model and class, `pooled` being all."""
    if model != POOLED:
        trials = trials[trials["model"] == model]
    return trials if task_class == POOLED else trials[trials["task_class"] == task_class]


def _claim(name: str, row: pd.Series, unit: str, used: pd.DataFrame) -> Claim:
    known = {key: None if pd.isna(row[key]) else row[key] for key in _NUMBERS}
    return Claim(
        id=name,
        value=known["difference"],
        low=known["low"],
        high=known["high"],
        p=known["p_sign_flip"],
        unit=unit,
        trials=len(used),
        rows_sha256=digest(used),
        note=known["note"],
    )


_NUMBERS = ("difference", "low", "high", "p_sign_flip", "note")


def _latex(told: pd.DataFrame) -> str:
    """The hypotheses with booktabs; what was not tested says why."""
    heads = ["", "Measure", "Apps", "Estimate", "Interval", "$p$", "$p$ (Holm)"]
    rows = [_line(row) for _, row in told.iterrows()]
    body = tabular(r"lp{0.42\textwidth}rrrrr", heads, [rows])
    note = "Interval: 95\\%, for H5 90\\%. $p$: sign flips over apps, for H5 equivalence."
    top = ["% Needs \\usepackage{booktabs}.", r"\begin{table*}", r"\centering\footnotesize"]
    return "\n".join([*top, rf"\caption{{The hypotheses. {note}}}", *body, r"\end{table*}", ""])


def _line(row: pd.Series) -> str:
    head = f"{row['hypothesis']} & {escape_latex(row['measure'])}"
    if pd.isna(row["estimate"]):
        return rf"{head} & \multicolumn{{5}}{{l}}{{{escape_latex(row['note'])}}} \\"
    has_ends = not pd.isna(row["low"])
    cells = [
        str(row["apps"]),
        f"{row['estimate']:.2f}",
        f"[{row['low']:.2f}, {row['high']:.2f}]" if has_ends else "--",
        "--" if pd.isna(row["p"]) else f"{row['p']:.3f}",
        "--" if pd.isna(row["p_adjusted"]) else f"{row['p_adjusted']:.3f}",
    ]
    minus = [cell if cell == "--" else cell.replace("-", "$-$") for cell in cells]
    return " & ".join([head, *minus]) + r" \\"


def _plain(frame: pd.DataFrame) -> list[dict[str, object]]:
    known = frame.astype(object).where(frame.notna(), None)
    return [dict(zip(known.columns, row, strict=True)) for row in known.to_numpy()]


def _csv(frame: pd.DataFrame) -> str:
    return frame.to_csv(index=False, lineterminator="\n")
