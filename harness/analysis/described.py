"""Numbers of a text beside its estimates: controls, failures, lost trials, matched tasks."""

from collections.abc import Iterator

import pandas as pd

from harness.analysis.claim import ALONE, Claim, claim
from harness.analysis.comparison import Comparison
from harness.analysis.estimate.families import benjamini_hochberg
from harness.analysis.estimate.pairing import Missing
from harness.analysis.estimate.used import Rows, used
from harness.analysis.paper import calibration, failures
from harness.analysis.paper.cells import with_side


def of_calibration(trials: pd.DataFrame) -> Iterator[Claim]:
    """How many trials of a control ended as they must; `trials` have their hashes."""
    for (row, side), group in calibration.judged(trials).groupby(["row", "side"]):
        told = pd.Series({"right": group["right"].sum()})
        name = f"calibration/{str(row).replace(': ', '/')}/{side}"
        yield claim(name, told, "trials", used(group), {"value": "right", **ALONE})


def of_failures(studied: pd.DataFrame) -> Iterator[Claim]:
    """What refused the trials of models on each side, in percent; they have their hashes."""
    sides = with_side(studied[["arm", "scope", "hash"]]).groupby("side")
    of_side = {side: used(group) for side, group in sides}
    for _, row in failures.data(studied).iterrows():
        name = f"failed/{row['part']}/{row['side']}"
        yield claim(name, row, "%", of_side[row["side"]], {"value": "share", **ALONE})


def of_lost(compared: Comparison, rows: Rows, trials: pd.DataFrame) -> Iterator[Claim]:
    """Effects under the other rules for lost trials, where any was lost."""
    table = compared.sensitivity
    if not compared.effects["lost"].any():
        return
    known = (trials["status"] != "lost").to_numpy(bool)
    for _, row in table[table["missing"] != Missing.fail].iterrows():
        counted = known if row["missing"] == Missing.exclude else None
        of_row = rows.of(compared.contrast, {"model": [row["level"]]}, counted)
        yield claim(f"lost/{row['missing']}/{row['level']}", row, "pp", of_row)


def of_matched(compared: Comparison, rows: Rows) -> Iterator[Claim]:
    """Tasks by how they ended on both sides; p is of McNemar, which ignores clusters."""
    table = compared.matched.assign(
        p_adjusted=benjamini_hochberg(compared.matched["p_exact"]),
        note="ignores that tasks of an app hang together: description only",
    )
    minuend, subtrahend = compared.contrast.minuend, compared.contrast.subtrahend
    counts = {
        "both": "both", f"only/{minuend}": "only_minuend", f"only/{subtrahend}": "only_subtrahend",
        "neither": "neither", "tied": "tied",
    }  # fmt: skip
    ratio = ALONE | {"value": "odds_ratio", "p": "p_exact", "p_adjusted": "p_adjusted"}
    for _, row in table.iterrows():
        of_row = rows.of(compared.contrast, {"model": [row["level"]]})
        for told, column in counts.items():
            names = {"value": column, "note": "", **ALONE}
            yield claim(f"matched/{told}/{row['level']}", row, "tasks", of_row, names)
        name = f"matched/odds-ratio/{row['level']}"
        yield claim(name, row, "ratio", of_row, ratio, test="McNemar, exact")
