"""`make bench`: the speeds that the project promises, measured here and now.

Writes `results/bench/bench.json`, a table to the terminal, and asserts nothing: a machine's load
is not a defect. Medians of at least 20; ratios are taken within one run.
"""

import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.analysis import measure as measure_analysis
from benchmarks.calls import measure as measure_calls
from benchmarks.exec import measure as measure_exec
from harness.config import CONTROLS
from harness.paths import find_checkout

SEAMBENCH = str(Path(sys.executable).parent / "seambench")


def help_seconds(times: int = 20) -> float:
    """`seambench --help`, from the shell's side."""
    return median(_timed([SEAMBENCH, "--help"]) for _ in range(times))


def demo(folder: Path) -> dict[str, Any]:
    """A warm `make demo`: images and references are there, results are not.

    The control agents come first and the embedded model goes on in the same folder: its server is
    a child of the harness's process, and its time is no bound of ours.
    """
    environment = os.environ | {"SEAMBENCH_RESULTS": str(folder)}
    run = [SEAMBENCH, "run", "experiment=demo"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    controls = _timed([*run, f"agent=[{','.join(CONTROLS)}]"], environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    model = _timed(run, environment)
    again = _timed(run, environment)
    trials = [json.loads(line)["trial"] for line in (folder / "demo/records.jsonl").open()]
    cores = len(os.sched_getaffinity(0))
    return {
        "demo_seconds": controls + model,
        "demo_controls_seconds": controls,
        "demo_again_seconds": again,
        "demo_trials": len(trials),
        "demo_model_agent_seconds": sum(
            t["agent_seconds"] for t in trials if t["agent"] not in CONTROLS
        ),
        # The engine and everything in containers are not children of the harness's process.
        "harness_cpu_share": used / (controls * cores),
        "overhead_seconds_p50_two_at_once": median(
            t["overhead_seconds"] for t in trials if t["agent"] in CONTROLS
        ),
    }


def trial_overhead(folder: Path) -> dict[str, Any]:
    """The harness's own part of a trial with a patch, one trial at a time."""
    environment = os.environ | {"SEAMBENCH_RESULTS": str(folder)}
    command = [SEAMBENCH, "run", "experiment=demo", "agent=oracle", "executor=debug"]
    _timed([*command, "repeats=3", "verification=quick", "name=overhead"], environment)
    trials = [json.loads(line)["trial"] for line in (folder / "overhead/records.jsonl").open()]
    return {
        "overhead_seconds_p50": median(t["overhead_seconds"] for t in trials),
        "overhead_trials": len(trials),
    }


def main() -> None:
    """Measure, print, keep."""
    checkout = find_checkout()
    found: dict[str, Any] = {"python": platform.python_version(), "cores": os.cpu_count()}
    found |= {"help_seconds_p50": help_seconds()}
    found |= measure_exec()
    found |= measure_calls()
    found |= measure_analysis()
    folder = Path(tempfile.mkdtemp(prefix="seambench-bench-"))
    try:
        found |= demo(folder)
        found |= trial_overhead(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    out = checkout.results / "bench" / "bench.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    for name, value in found.items():
        print(f"{name:36} {value:.4g}" if isinstance(value, float) else f"{name:36} {value}")
    print(f"wrote {out.relative_to(checkout.root)}")


def _timed(command: list[str], environment: dict[str, str] | None = None) -> float:
    start = time.monotonic()
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return time.monotonic() - start


if __name__ == "__main__":
    main()
