"""A million trials: from Parquet to the whole set of tables and figures, in time and memory."""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from harness.analysis.claims import save_tables
from harness.analysis.comparison import widest
from harness.analysis.estimate import clusters
from harness.analysis.estimate.effects import Question, effect
from harness.analysis.estimate.pairing import by_app, differences
from harness.analysis.frame import read_tools, read_trials
from harness.analysis.paper.plates import save_plates
from harness.analysis.paper.styles import STYLES
from harness.analysis.simulated import Size, write
from harness.analysis.summary import summary

MILLION = Size(apps=24, repeats=97)
"""24 apps x 12 tasks x 4 sides x 3 budgets x 3 models x 97 repeats, and the controls; uses of tools
are those of 10,000 trials"""


def measure() -> dict[str, Any]:
    """The figures, measured in a process of its own so that its peak memory is its own."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), MILLION)
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.analysis", folder],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
    pairs = (line.split() for line in done.stdout.splitlines())
    return {name: float(value) for name, value in pairs}


def _set_of(folder: Path) -> None:
    read, trials = _timed(lambda: read_trials(folder))
    whole, _ = _timed(lambda: _everything(trials, folder))
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    models = trials[trials["model"].notna()]
    question = Question(widest(models))
    found = differences(models, question.contrast)
    ours, row = _timed(lambda: effect(found, question))
    means = by_app(found).to_numpy(float)
    plain, _ = _timed(lambda: plain_bootstrap(found, question.n_boot // 100))
    fast, _ = _timed(lambda: clusters.bca_of_mean(means, 0, question.n_boot // 100))
    for name, value in (
        ("analysis_trials", len(trials)), ("analysis_read_seconds", read),
        ("analysis_set_seconds", whole), ("analysis_peak_gb", used / 1e9),
        ("analysis_effect_seconds", ours), ("bootstrap_100_plain_pandas_seconds", plain),
        ("bootstrap_100_seconds", fast), ("bootstrap_plain_over_ours", plain / fast),
    ):  # fmt: skip
        print(name, value)
    assert row.apps == MILLION.apps


def _everything(trials: pd.DataFrame, folder: Path) -> None:
    summary(trials)
    save_tables(trials, folder)
    save_plates(trials, folder, STYLES["acm"], read_tools(folder))


def plain_bootstrap(found: pd.DataFrame, times: int) -> np.ndarray:
    """The same estimator as a loop over pandas frames, as a notebook would have it."""
    apps = sorted(set(found["app"]))
    frames = {app: found[found["app"] == app] for app in apps}
    rng = np.random.default_rng(0)
    values = []
    for _ in range(times):
        drawn = [frames[app].assign(app=i) for i, app in enumerate(rng.choice(apps, len(apps)))]
        values.append(by_app(pd.concat(drawn)).mean())
    return np.array(values)


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    done = work()
    return time.perf_counter() - start, done


if __name__ == "__main__":
    _set_of(Path(sys.argv[1]))
