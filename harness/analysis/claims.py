"""Every number that a text would quote, with what it was made of: `claims.json` and its tables."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.analysis.comparison import widest
from harness.analysis.estimate import cost, hypotheses, quality
from harness.analysis.estimate.effects import Question, explored, joined, without_flips
from harness.analysis.estimate.hypotheses import ASKED
from harness.analysis.estimate.marginal import marginal_effects
from harness.analysis.estimate.pairing import FACTORS, Contrast, Side
from harness.analysis.estimate.parts import ESSAY, MODULES_SCOPE, PARTS, WITHOUT_SCOPE
from harness.analysis.estimate.repeats import reliability
from harness.analysis.estimate.used import HASHED, Rows, Used, digest, row_hashes, value_name
from harness.analysis.frame import remove_file, to_frame, write_file
from harness.analysis.paper import forest, parts
from harness.analysis.printed import printed
from harness.records import Column, Record
from harness.store import dump_json

_SPENT = ("cost_usd", *cost.TOKENS)
"""quantities that cost.csv compares"""
TABLES = (
    "effects", "decomposition", "hypotheses", "marginal", "cost", "quality", "reliability",
)  # fmt: skip
"""each is a CSV and a LaTeX file"""
WRITTEN = (*(f"{name}.{form}" for form in ("csv", "tex") for name in TABLES), "claims.json")
"""the files of a folder of tables, all or none"""


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
    trials: Annotated[
        int,
        Column(
            "rows it was made of, on every side; marginal/ and H4 size: those of all cells that "
            "both sides have, of which some may be left out",
            "trials",
        ),
    ]
    rows_sha256: Annotated[str, Column("digest of those rows, see `digest`")]
    note: Annotated[str | None, Column("what to know before quoting it")]


def save_tables(trials: pd.DataFrame, folder: Path) -> list[Path]:
    """Write the tables of a paper as CSV and LaTeX, and claims.json.

    Trials of fewer than two arms have none; those of other trials are removed.
    """
    trials = trials.assign(hash=row_hashes)
    # A million trials with all their columns would be copied again and again.
    studied = trials.loc[trials["model"].notna(), [*HASHED, "hash"]]
    studied = studied.sort_values("trial_id")
    if studied["arm"].nunique() < 2:
        for name in WRITTEN:
            remove_file(folder / name)
        return []
    question = Question(widest(studied))
    frames = {
        "effects": explored(forest.data(studied)),
        "decomposition": parts.data(studied),
        "hypotheses": hypotheses.hypotheses(studied, question),
        "marginal": marginal_effects(studied, question.contrast),
        "cost": _costs(studied, question),
        "quality": quality.quality(studied, question),
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
        *(write_file(folder / f"{name}.tex", printed(name, frames[name])) for name in TABLES),
        write_file(folder / "claims.json", dump_json(document)),
    ]


def _costs(studied: pd.DataFrame, question: Question) -> pd.DataFrame:
    tables = [cost.cost(studied, question, quantity) for quantity in _SPENT]
    return cost.explored(pd.concat(tables, ignore_index=True))


_FLIPPED, _SWAPPED = "sign flips over apps", "arms swapped within apps"
_USUAL = {
    "value": "difference", "low": "low", "high": "high", "p": "p_sign_flip",
    "p_adjusted": "p_adjusted", "note": "note",
}  # fmt: skip
"""field of a claim -> column of its table"""
_ALONE = dict.fromkeys(("low", "high", "p", "p_adjusted"), "")
"""where a value has neither interval nor test"""


def _claims(
    trials: pd.DataFrame, frames: dict[str, pd.DataFrame], contrast: Contrast
) -> Iterator[Claim]:
    rows = Rows(trials)
    yield from _of_effects(frames["effects"], rows, contrast)
    yield from _of_marginal(frames["marginal"], rows, contrast)
    yield from _of_parts(frames["decomposition"], rows)
    yield from _of_hypotheses(frames["hypotheses"], rows, trials)
    yield from _of_cost(frames["cost"], rows, contrast, trials)
    yield from _of_quality(frames["quality"], rows, contrast, trials)
    yield from _of_reliability(frames["reliability"], rows, trials)


def _of_effects(effects: pd.DataFrame, rows: Rows, contrast: Contrast) -> Iterator[Claim]:
    equal = {
        "low": "low90", "high": "high90", "p": "p_equivalence",
        "p_adjusted": "p_equivalence_adjusted",
    }  # fmt: skip
    for _, row in effects.iterrows():
        of_row = {"model": [row["factor"]], "task_class": [row["level"]]}
        used, name = rows.of(contrast, of_row), f"{row['factor']}/{row['level']}"
        yield _claim(f"difference/{name}", row, "pp", used)
        note = None if pd.isna(row["note"]) else without_flips(row["note"], row["apps"])
        by_t = pd.Series({**row, "note": note})
        yield _claim(f"equivalence/{name}", by_t, "pp", used, equal, interval=90, test="TOST")
        for side in ("minuend", "subtrahend"):
            told = f"resolved/{getattr(contrast, side)}/{name}"
            yield _claim(told, row, "%", used, {"value": side, **_ALONE})


def _of_marginal(marginal: pd.DataFrame, rows: Rows, contrast: Contrast) -> Iterator[Claim]:
    names = {"value": "effect", "p": "p"}
    for _, row in marginal.iterrows():
        column, _, level = row["stratum"].partition(" ")
        used, told = rows.of(contrast, {column: [level]} if level else {}), row["stratum"]
        test = "t on apps - 1, of a GEE"
        yield _claim(f"marginal/{told}", row, "pp", used, names, test=test)


def _of_parts(decomposition: pd.DataFrame, rows: Rows) -> Iterator[Claim]:
    """Parts and their sum are of the cells that every side has; `modules scope` of its own."""
    summed = [PARTS[level] for level in decomposition["level"] if level in PARTS]
    common = {side for part in summed for side in (part.minuend, part.subtrahend)}
    contrasts = {str(one): one for one in (*PARTS.values(), ESSAY, WITHOUT_SCOPE, MODULES_SCOPE)}
    for _, row in decomposition.iterrows():
        contrast = contrasts[row["contrast"]]
        used = rows.of(contrast, common=() if contrast == MODULES_SCOPE else common)
        yield _claim(f"part/{row['level']}", row, "pp", used)


def _of_hypotheses(told: pd.DataFrame, rows: Rows, trials: pd.DataFrame) -> Iterator[Claim]:
    tests = {"H5": "TOST", "H7": _SWAPPED, "H7 own": _SWAPPED}
    names = {"value": "estimate", "p": "p"}
    for _, row in told.iterrows():
        name, asked = row["hypothesis"], ASKED[row["hypothesis"]]
        if asked.across:
            used = rows.across(asked.contrast, asked.across, asked.of[asked.across])
        else:
            used = rows.of(asked.contrast, asked.of, hypotheses.counts(trials, name))
        interval, test = 90 if name == "H5" else 95, tests.get(name, _FLIPPED)
        claim = f"hypothesis/{name}"
        yield _claim(claim, row, row["measure"], used, names, interval=interval, test=test)


def _of_cost(
    spent: pd.DataFrame, rows: Rows, contrast: Contrast, trials: pd.DataFrame
) -> Iterator[Claim]:
    ratio = {"value": "ratio", "low": "ratio_low", "high": "ratio_high"}
    for quantity, of_quantity in spent.groupby("quantity", sort=False):
        known = cost.counts(trials, str(quantity))
        above_0 = known & trials[quantity].gt(0).fillna(value=False).to_numpy(bool)
        name = "cost-ratio" if quantity == "cost_usd" else f"token-ratio/{quantity}"
        for _, row in of_quantity.iterrows():
            told = pd.Series({**row, "note": joined(*row[["note", "ratio_note"]].dropna())})
            used = rows.of(contrast, {"model": [row["level"]]}, above_0)
            yield _claim(f"{name}/{row['level']}", told, "ratio", used, ratio)
        if quantity == "cost_usd":
            yield from _of_resolved(of_quantity, rows, contrast, known)


def _of_resolved(
    paid: pd.DataFrame, rows: Rows, contrast: Contrast, known: NDArray[np.bool_]
) -> Iterator[Claim]:
    """What a resolved task costs, and how many trials were stopped before they were done."""
    per_resolved = {
        "value": "per_resolved_ratio", "low": "per_resolved_low", "high": "per_resolved_high",
        "p": "per_resolved_p", "p_adjusted": "per_resolved_p_adjusted",
    }  # fmt: skip
    for _, row in paid.iterrows():
        level = row["level"]
        used = rows.of(contrast, {"model": [level]}, known)
        name = f"cost-per-resolved/{level}"
        yield _claim(name, row, "ratio", used, per_resolved, test=_SWAPPED)
        for side in ("minuend", "subtrahend"):
            told = f"{getattr(contrast, side)}/{level}"
            names = {"value": f"per_resolved_{side}", **_ALONE}
            yield _claim(f"cost-per-resolved/{told}", row, "USD", used, names)
            names = {"value": f"capped_{side}", **_ALONE}
            yield _claim(f"capped/{told}", row, "%", used, names)


def _of_quality(
    changed: pd.DataFrame, rows: Rows, contrast: Contrast, trials: pd.DataFrame
) -> Iterator[Claim]:
    for _, row in changed.iterrows():
        counted = quality.counts(trials, row["measure"], row["kept"])
        used = rows.of(contrast, counted=counted)
        yield _claim(f"quality/{row['measure']}/{row['kept']}", row, row["unit"], used)


def _of_reliability(shares: pd.DataFrame, rows: Rows, trials: pd.DataFrame) -> Iterator[Claim]:
    scored = (trials["status"] != "lost").to_numpy(bool)
    names = {"value": "share", **_ALONE}
    for _, row in shares.iterrows():
        wanted = {name: [value_name(row[name])] for name in ("arm", "scope", *FACTORS)}
        used = rows.repeated(wanted, scored, row["k"])
        factors = "/".join(str(row[name]) for name in FACTORS if not pd.isna(row[name]))
        cell = f"{Side(row['arm'], row['scope'])}/{factors}"
        for told, column in (("pass@", "pass_at_k"), ("pass^", "pass_hat_k")):
            share = pd.Series({"share": 100 * row[column]})
            yield _claim(f"{told}{row['k']}/{cell}", share, "%", used, names)


def _claim(
    name: str, row: pd.Series, unit: str, used: Used, columns: Mapping[str, str] | None = None,
    *, interval: int = 95, test: str = _FLIPPED,
) -> Claim:  # fmt: skip
    """`columns` are those of the row that have not the usual name."""
    known: dict[str, Any] = {
        field: None if pd.isna(row.get(column)) else row[column]
        for field, column in {**_USUAL, **(columns or {})}.items()
    }
    return Claim(
        id=name,
        interval=interval,
        test=None if known["p"] is None else test,
        unit=unit,
        trials=used.trials,
        rows_sha256=used.sha256,
        **known,
    )


def _plain(frame: pd.DataFrame) -> list[dict[str, object]]:
    known = frame.astype(object).where(frame.notna(), None)
    return [dict(zip(known.columns, row, strict=True)) for row in known.to_numpy()]


def _csv(frame: pd.DataFrame) -> str:
    return frame.to_csv(index=False, lineterminator="\n")
