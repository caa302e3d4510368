"""Every number that a text would quote, with what it was made of: `claims.json` and its tables."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.analysis.comparison import widest
from harness.analysis.estimate.cost import cost
from harness.analysis.estimate.effects import POOLED, PRIMARY, Question
from harness.analysis.estimate.families import benjamini_hochberg
from harness.analysis.estimate.hypotheses import ASKED, hypotheses
from harness.analysis.estimate.marginal import marginal_effects
from harness.analysis.estimate.pairing import FACTORS, TASK, Contrast
from harness.analysis.estimate.parts import ESSAY, MODULES_SCOPE, PARTS, WITHOUT_SCOPE
from harness.analysis.estimate.quality import MEASURES, counts, quality
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
    low: Annotated[float | None, Column("lower end of its interval")]
    high: Annotated[float | None, Column("upper end of it")]
    interval: Annotated[int, Column("of the interval", "%")]
    p: Annotated[float | None, Column("two-sided; for TOST the larger of the one-sided")]
    p_adjusted: Annotated[float | None, Column("over the family that it belongs to")]
    test: Annotated[str | None, Column("what gave the p; null where there is none")]
    unit: Annotated[str, Column("of value and interval")]
    trials: Annotated[int, Column("rows it was made of", "trials")]
    rows_sha256: Annotated[str, Column("digest of those rows, see `digest`")]
    note: Annotated[str | None, Column("what to know before quoting it")]


def save_tables(trials: pd.DataFrame, folder: Path) -> list[Path]:
    """Write the tables of a paper as CSV, the hypotheses as LaTeX too, and claims.json."""
    trials = trials.assign(hash=row_hashes)
    # A million trials with all their columns would be copied again and again.
    studied = trials.loc[trials["model"].notna(), [*HASHED, "hash"]]
    studied = studied.sort_values("trial_id")
    if studied["arm"].nunique() < 2:
        return []
    question = Question(widest(studied))
    told = hypotheses(studied, question)
    frames = {
        "effects": _explored(forest.data(studied)),
        "decomposition": parts.data(studied),
        "hypotheses": told,
        "marginal": marginal_effects(studied, question.contrast),
        "cost": cost(studied, question, "cost_usd"),
        "quality": quality(studied, question),
        "reliability": reliability(studied),
    }
    claims = to_frame(list(_claims(studied, frames, question.contrast)), Claim)
    document = {
        "trials": len(trials),
        "simulated": bool((trials["isolation"] == "simulated").any()),
        "sha256": digest(trials),
        "claims": _plain(claims),
    }
    return [
        *(write_file(folder / f"{name}.csv", _csv(frame)) for name, frame in frames.items()),
        write_file(folder / "hypotheses.tex", _latex(told)),
        write_file(folder / "claims.json", dump_json(document)),
    ]


def _explored(effects: pd.DataFrame) -> pd.DataFrame:
    """With Benjamini-Hochberg over all but the one named test."""
    tested = effects["p_sign_flip"].where(effects["level"] != PRIMARY)
    return effects.assign(p_adjusted=benjamini_hochberg(tested))


def digest(rows: pd.DataFrame) -> str:
    """SHA-256 over the rows' own hashes, sorted, so that their order does not count.

    A row's hash is pandas' `hash_pandas_object` of HASHED.
    """
    hashes = rows["hash"] if "hash" in rows else row_hashes(rows)
    return _digest(hashes.to_numpy("uint64"))


def _digest(hashes: NDArray[np.uint64]) -> str:
    return hashlib.sha256(np.sort(hashes).astype("<u8").tobytes()).hexdigest()


HASHED = (
    "trial_id", *FACTORS, *TASK, "behaviour_of", "arm", "scope", "status",
    "failure_cause", "resolved", "agent_ending", "collateral_break_share", "app_code_lines",
    "input_tokens", "output_tokens", "cost_usd", "behaviour", *MEASURES,
)  # fmt: skip
"""what the numbers of the text are made of"""


def row_hashes(rows: pd.DataFrame) -> pd.Series:
    """One number a row, which changes with what the row says."""
    return pd.util.hash_pandas_object(rows[list(HASHED)], index=False)


@dataclass(frozen=True)
class _Used:
    """How many trials a number was made of, and their digest."""

    trials: int
    sha256: str


class _Rows:
    """The trials that a number was made of: those of the cells that both sides have."""

    def __init__(self, trials: pd.DataFrame) -> None:
        key = [*FACTORS, *TASK]
        self._cell = trials.groupby(key, dropna=False, observed=True).ngroup().to_numpy()
        self._hash = trials["hash"].to_numpy("uint64")
        # A million trials are coded once for all numbers.
        columns = ("arm", "scope", "model", "task_class", "context_budget", "dose")
        self._codes = {name: pd.factorize(trials[name]) for name in columns}
        self._paired_by: dict[Contrast, NDArray[np.bool_]] = {}

    def of(self, contrast: Contrast, wanted: Mapping[str, Sequence[str]]) -> _Used:
        """`wanted`: column -> the values that count; `pooled` means any."""
        used = self._paired(contrast)
        for column, values in wanted.items():
            if not {POOLED, PRIMARY} & set(values):
                used = used & self._is(column, values)
        return self._used(used)

    def among(self, contrast: Contrast, counted: NDArray[np.bool_]) -> _Used:
        """Where only some rows count: those of the cells that have such rows on both sides."""
        return self._used(self._common(*(side & counted for side in self._sides(contrast))))

    def _used(self, rows: NDArray[np.bool_]) -> _Used:
        return _Used(int(rows.sum()), _digest(self._hash[rows]))

    def _paired(self, contrast: Contrast) -> NDArray[np.bool_]:
        if contrast not in self._paired_by:
            self._paired_by[contrast] = self._common(*self._sides(contrast))
        return self._paired_by[contrast]

    def _sides(self, contrast: Contrast) -> list[NDArray[np.bool_]]:
        return [
            self._is("arm", [side.arm]) & self._is("scope", [side.scope])
            for side in (contrast.minuend, contrast.subtrahend)
        ]

    def _common(self, one: NDArray[np.bool_], other: NDArray[np.bool_]) -> NDArray[np.bool_]:
        cells = np.intersect1d(self._cell[one], self._cell[other])
        return (one | other) & np.isin(self._cell, cells)

    def _is(self, column: str, values: Sequence[str]) -> NDArray[np.bool_]:
        codes, known = self._codes[column]
        return np.isin(codes, [place for place, one in enumerate(known) if str(one) in values])


def _claims(
    trials: pd.DataFrame, frames: dict[str, pd.DataFrame], contrast: Contrast
) -> Iterator[Claim]:
    rows = _Rows(trials)
    for _, row in frames["effects"].iterrows():
        of_row = {"model": [row["factor"]], "task_class": [row["level"]]}
        used, name = rows.of(contrast, of_row), f"{row['factor']}/{row['level']}"
        yield _claim(f"difference/{name}", row, "pp", used)
        equal = row[["difference", "note"]].to_dict() | {
            "low": row["low90"], "high": row["high90"], "p_sign_flip": row["p_equivalence"],
        }  # fmt: skip
        claim = _claim(f"equivalence/{name}", pd.Series(equal), "pp", used)
        yield claim.model_copy(update={"interval": 90, "test": claim.test and "TOST"})
        for side in ("minuend", "subtrahend"):
            share = pd.Series({"difference": row[side], "note": row["note"]})
            yield _claim(f"resolved/{getattr(contrast, side)}/{name}", share, "%", used)
    for _, row in frames["marginal"].iterrows():
        column, _, level = row["stratum"].partition(" ")
        used = rows.of(contrast, {column: [level]} if level else {})
        named = row.rename({"effect": "difference", "p": "p_sign_flip"})
        claim = _claim(f"marginal/{row['stratum']}", named, "pp", used)
        yield claim.model_copy(update={"test": claim.test and "t on apps - 1, of a GEE"})
    for _, row in frames["decomposition"].iterrows():
        whole = WITHOUT_SCOPE if row["contrast"] == str(WITHOUT_SCOPE) else ESSAY
        part = _PARTS.get(row["level"], whole)
        yield _claim(f"part/{row['level']}", row, "pp", rows.of(part, {}))
    for _, row in frames["hypotheses"].iterrows():
        asked = ASKED[row["hypothesis"]]
        named = row.rename({"estimate": "difference", "p": "p_sign_flip"})
        told = _TESTED.get(row["hypothesis"], {})
        used = rows.of(asked.contrast, asked.of)
        claim = _claim(f"hypothesis/{row['hypothesis']}", named, row["measure"], used)
        yield claim.model_copy(update=told)
    for _, row in frames["cost"].iterrows():
        used = rows.of(contrast, {"model": [row["level"]]})
        priced = row.rename({"ratio": "difference", "ratio_low": "low", "ratio_high": "high"})
        yield _claim(f"cost-ratio/{row['level']}", priced, "ratio", used)
        paid = row[[*_PER_RESOLVED, "note"]].rename(_PER_RESOLVED)
        claim = _claim(f"cost-per-resolved/{row['level']}", paid, "ratio", used)
        yield claim.model_copy(update={"test": claim.test and _SWAPPED})
    for _, row in frames["quality"].iterrows():
        used = rows.among(contrast, counts(trials, row["measure"], row["kept"]))
        yield _claim(f"quality/{row['measure']}/{row['kept']}", row, row["unit"], used)


_SWAPPED = "arms swapped within apps"
_TESTED: dict[str, dict[str, object]] = {
    "H5": {"interval": 90, "test": "TOST"},
    "H7": {"test": _SWAPPED},
    "H7 own": {"test": _SWAPPED},
}
"""what tests the hypotheses that sign flips do not"""
_PARTS = {**PARTS, "modules scope": MODULES_SCOPE}


def _claim(name: str, row: pd.Series, unit: str, used: _Used) -> Claim:
    known = {key: None if pd.isna(row.get(key)) else row[key] for key in _NUMBERS}
    return Claim(
        id=name,
        value=known["difference"],
        low=known["low"],
        high=known["high"],
        interval=95,
        p=known["p_sign_flip"],
        p_adjusted=known["p_adjusted"],
        test=None if known["p_sign_flip"] is None else "sign flips over apps",
        unit=unit,
        trials=used.trials,
        rows_sha256=used.sha256,
        note=known["note"],
    )


_NUMBERS = ("difference", "low", "high", "p_sign_flip", "p_adjusted", "note")
_PER_RESOLVED = {
    "per_resolved_ratio": "difference",
    "per_resolved_low": "low",
    "per_resolved_high": "high",
    "per_resolved_p": "p_sign_flip",
    "per_resolved_p_adjusted": "p_adjusted",
}


def _latex(told: pd.DataFrame) -> str:
    """The hypotheses with booktabs; what was not tested says why."""
    heads = ["", "Measure", "Apps", "Estimate", "Interval", "$p$", "$p$ (Holm)"]
    rows = [_line(row) for _, row in told.iterrows()]
    body = tabular(r"lp{0.42\textwidth}rrrrr", heads, [rows])
    note = (
        "Interval: 95\\%, for H5 90\\%. "
        "$p$: sign flips over apps, for H5 equivalence, for H7 arms swapped within apps."
    )
    notes = [f"{row['hypothesis']}: {row['note']}." for _, row in told.iterrows()
             if not pd.isna(row["estimate"]) and not pd.isna(row["note"])]  # fmt: skip
    note = " ".join([note, *map(escape_latex, notes)])
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
