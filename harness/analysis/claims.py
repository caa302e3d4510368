"""Every number that a text would quote, with what it was made of: `claims.json` and its tables."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.analysis.claim import ALONE, FLIPPED, SWAPPED, Claim, claim
from harness.analysis.comparison import compare, widest
from harness.analysis.described import of_calibration, of_failures, of_lost, of_matched
from harness.analysis.estimate import cost, hypotheses, quality
from harness.analysis.estimate.effects import Question, explored, joined, without_flips
from harness.analysis.estimate.hypotheses import ASKED
from harness.analysis.estimate.marginal import marginal_effects
from harness.analysis.estimate.pairing import FACTORS, Contrast, Side
from harness.analysis.estimate.parts import ESSAY, MODULES_SCOPE, PARTS, WITHOUT_SCOPE
from harness.analysis.estimate.repeats import reliability
from harness.analysis.estimate.used import HASHED, Rows, digest, row_hashes, value_name
from harness.analysis.frame import remove_file, to_frame, write_file
from harness.analysis.paper import forest, parts
from harness.analysis.printed import printed
from harness.store import dump_json

_SPENT = ("cost_usd", *cost.TOKENS)
"""quantities that cost.csv compares"""
TABLES = (
    "effects", "decomposition", "hypotheses", "marginal", "cost", "quality", "reliability",
)  # fmt: skip
"""each is a CSV and a LaTeX file"""
WRITTEN = (*(f"{name}.{form}" for form in ("csv", "tex") for name in TABLES), "claims.json")
"""the files of a folder of tables"""


def save_tables(trials: pd.DataFrame, folder: Path) -> list[Path]:
    """Write the tables of a paper as CSV and LaTeX, and claims.json.

    Models on fewer than two arms have no tables, and what tells nothing has no claims.json; those
    of other trials are removed.
    """
    trials = trials.assign(hash=row_hashes)
    # A million trials with all their columns would be copied again and again.
    studied = trials.loc[trials["model"].notna(), [*HASHED, "hash"]]
    studied = studied.sort_values("trial_id")
    told: list[Claim] = []
    frames: dict[str, pd.DataFrame] = {}
    if studied["arm"].nunique() >= 2:
        question = Question(widest(studied))
        frames = _frames(studied, question)
        told += _claims(studied, frames, question.contrast)
    told += [*of_failures(studied), *of_calibration(trials)]
    contents = {
        **{f"{name}.csv": _csv(frame) for name, frame in frames.items()},
        **{f"{name}.tex": printed(name, frame) for name, frame in frames.items()},
        **({"claims.json": _document(trials, told)} if told else {}),
    }
    for name in set(WRITTEN) - set(contents):
        remove_file(folder / name)
    return [write_file(folder / name, content) for name, content in contents.items()]


def _frames(studied: pd.DataFrame, question: Question) -> dict[str, pd.DataFrame]:
    """Of each of TABLES."""
    return {
        "effects": explored(forest.data(studied)),
        "decomposition": parts.data(studied),
        "hypotheses": hypotheses.hypotheses(studied, question),
        "marginal": marginal_effects(studied, question.contrast),
        "cost": _costs(studied, question),
        "quality": quality.quality(studied, question),
        "reliability": reliability(studied),
    }


def _document(trials: pd.DataFrame, told: Sequence[Claim]) -> str:
    return dump_json(
        {
            "trials": len(trials),
            "simulated": bool((trials["isolation"] == "simulated").any()),
            "sha256": digest(trials),
            "claims": _plain(to_frame(told, Claim)),
        }
    )


def _costs(studied: pd.DataFrame, question: Question) -> pd.DataFrame:
    tables = [cost.cost(studied, question, quantity) for quantity in _SPENT]
    return cost.explored(pd.concat(tables, ignore_index=True))


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
    compared = compare(trials, "model", contrast)
    yield from of_lost(compared, rows, trials)
    yield from of_matched(compared, rows)


def _of_effects(effects: pd.DataFrame, rows: Rows, contrast: Contrast) -> Iterator[Claim]:
    equal = {
        "low": "low90", "high": "high90", "p": "p_equivalence",
        "p_adjusted": "p_equivalence_adjusted",
    }  # fmt: skip
    for _, row in effects.iterrows():
        of_row = {"model": [row["factor"]], "task_class": [row["level"]]}
        used, name = rows.of(contrast, of_row), f"{row['factor']}/{row['level']}"
        yield claim(f"difference/{name}", row, "pp", used)
        note = None if pd.isna(row["note"]) else without_flips(row["note"], row["apps"])
        by_t = pd.Series({**row, "note": note})
        yield claim(f"equivalence/{name}", by_t, "pp", used, equal, interval=90, test="TOST")
        for side in ("minuend", "subtrahend"):
            told = f"resolved/{getattr(contrast, side)}/{name}"
            yield claim(told, row, "%", used, {"value": side, **ALONE})


def _of_marginal(marginal: pd.DataFrame, rows: Rows, contrast: Contrast) -> Iterator[Claim]:
    names = {"value": "effect", "p": "p"}
    for _, row in marginal.iterrows():
        column, _, level = row["stratum"].partition(" ")
        used, told = rows.of(contrast, {column: [level]} if level else {}), row["stratum"]
        test = "t on apps - 1, of a GEE"
        yield claim(f"marginal/{told}", row, "pp", used, names, test=test)


def _of_parts(decomposition: pd.DataFrame, rows: Rows) -> Iterator[Claim]:
    """Parts and their sum are of the cells that every side has; `modules scope` of its own."""
    summed = [PARTS[level] for level in decomposition["level"] if level in PARTS]
    common = {side for part in summed for side in (part.minuend, part.subtrahend)}
    contrasts = {str(one): one for one in (*PARTS.values(), ESSAY, WITHOUT_SCOPE, MODULES_SCOPE)}
    for _, row in decomposition.iterrows():
        contrast = contrasts[row["contrast"]]
        used = rows.of(contrast, common=() if contrast == MODULES_SCOPE else common)
        yield claim(f"part/{row['level']}", row, "pp", used)


def _of_hypotheses(told: pd.DataFrame, rows: Rows, trials: pd.DataFrame) -> Iterator[Claim]:
    tests = {"H5": "TOST", "H7": SWAPPED, "H7 own": SWAPPED}
    names = {"value": "estimate", "p": "p"}
    for _, row in told.iterrows():
        name, asked = row["hypothesis"], ASKED[row["hypothesis"]]
        if asked.across:
            used = rows.across(asked.contrast, asked.across, asked.of[asked.across])
        else:
            used = rows.of(asked.contrast, asked.of, hypotheses.counts(trials, name))
        interval, test = 90 if name == "H5" else 95, tests.get(name, FLIPPED)
        told_as = f"hypothesis/{name}"
        yield claim(told_as, row, row["measure"], used, names, interval=interval, test=test)


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
            yield claim(f"{name}/{row['level']}", told, "ratio", used, ratio)
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
        yield claim(name, row, "ratio", used, per_resolved, test=SWAPPED)
        for side in ("minuend", "subtrahend"):
            told = f"{getattr(contrast, side)}/{level}"
            names = {"value": f"per_resolved_{side}", **ALONE}
            yield claim(f"cost-per-resolved/{told}", row, "USD", used, names)
            names = {"value": f"capped_{side}", **ALONE}
            yield claim(f"capped/{told}", row, "%", used, names)


def _of_quality(
    changed: pd.DataFrame, rows: Rows, contrast: Contrast, trials: pd.DataFrame
) -> Iterator[Claim]:
    for _, row in changed.iterrows():
        counted = quality.counts(trials, row["measure"], row["kept"])
        used = rows.of(contrast, counted=counted)
        yield claim(f"quality/{row['measure']}/{row['kept']}", row, row["unit"], used)


def _of_reliability(shares: pd.DataFrame, rows: Rows, trials: pd.DataFrame) -> Iterator[Claim]:
    scored = (trials["status"] != "lost").to_numpy(bool)
    names = {"value": "share", **ALONE}
    for _, row in shares.iterrows():
        wanted = {name: [value_name(row[name])] for name in ("arm", "scope", *FACTORS)}
        used = rows.repeated(wanted, scored, row["k"])
        factors = "/".join(str(row[name]) for name in FACTORS if not pd.isna(row[name]))
        cell = f"{Side(row['arm'], row['scope'])}/{factors}"
        for told, column in (("pass@", "pass_at_k"), ("pass^", "pass_hat_k")):
            share = pd.Series({"share": 100 * row[column]})
            yield claim(f"{told}{row['k']}/{cell}", share, "%", used, names)


def _plain(frame: pd.DataFrame) -> list[dict[str, object]]:
    known = frame.astype(object).where(frame.notna(), None)
    return [dict(zip(known.columns, row, strict=True)) for row in known.to_numpy()]


def _csv(frame: pd.DataFrame) -> str:
    return frame.to_csv(index=False, lineterminator="\n")
