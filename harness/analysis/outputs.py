"""Everything that is made from the records of one run."""

from pathlib import Path

import pandas as pd

from harness.analysis import figures, tables
from harness.analysis.frame import Run, read_run, to_frame, write_file, write_parquet
from harness.analysis.summary import differences, summary
from harness.records import TrialRecord


def write_outputs(folder: Path) -> list[Path]:
    """Write tables and figures into the results folder `folder`; the paths that were written.

    Raises:
        BadInput: the folder holds no trial that has ended, or a record of it is corrupt.
    """
    run = read_run(folder)
    trials = to_frame(run.trials, TrialRecord)
    return [
        *write_tables(run, trials, folder),
        *figures.save_overview(trials, folder / "figures"),
    ]


def write_tables(run: Run, trials: pd.DataFrame, folder: Path) -> list[Path]:
    """Write Parquet, CSV and LaTeX; `trials` is the frame of `run.trials`."""
    found, between = summary(trials), differences(trials)
    return [
        *write_parquet(run, folder),
        write_file(folder / "trials.csv", _csv(trials)),
        write_file(folder / "summary.csv", _csv(found)),
        write_file(folder / "tables" / "differences.csv", _csv(between)),
        write_file(folder / "tables" / "overview.tex", tables.latex(found, between)),
    ]


def _csv(frame: pd.DataFrame) -> str:
    return frame.to_csv(index=False, lineterminator="\n", date_format="%Y-%m-%dT%H:%M:%S.%fZ")
