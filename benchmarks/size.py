"""`python -m benchmarks.size APP`: what it costs to weave, start and prove an app as it grows.

The app is woven at about 2,000, 20,000 and 200,000 lines of Python in its tangled arm, with the
other woven apps of the checkout as donors. Writes `results/bench/size.json` and asserts nothing.
CPU seconds tell of the work; wall seconds also of whatever else the machine did. Memory in MB: the
peak of the process that weaves; what the app's sandbox holds after the suite.
"""

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness import build
from harness.compose import compose
from harness.errors import AppDidNotStart, BadInput
from harness.pairs import Pair, load_pair
from harness.pairs.weave import Woven, read_app
from harness.paths import Checkout, find_checkout
from harness.sandbox import Command
from harness.scoring.evidence import BehaviourEvidence, ContractEvidence
from harness.stopwatch import Stopwatch
from harness.trial import Bench
from harness.verification import Known, Subject, session

SIZES = (2_000, 20_000, 200_000)
START_SECONDS = 600.0
MEMORY_MB = 16_384
PIDS = 4_096
"""At 200,000 lines the arm of services is more than 300 programs."""
SEED = 20260101
_USED = "cat /sys/fs/cgroup/memory.current /sys/fs/cgroup/memory/memory.usage_in_bytes 2>/dev/null"


def measure(checkout: Checkout, app: str) -> list[dict[str, Any]]:
    """One row a size, smallest first; each says which arms were not started, and why."""
    rows = []
    lines_a_context = 0.0
    core = 0
    for target in SIZES:
        contexts = round(max(target - core, 0) / lines_a_context) if lines_a_context else 0
        with _grown(checkout, app, contexts) as home:
            row = {"target_lines": target, "contexts_added": contexts} | _weave(home, app)
            core = core or row["lines"]["monolith"]
            row["arms"] = _proven(home, app)
        lines_a_context = lines_a_context or _lines_a_context(checkout, app, core)
        rows.append(row)
        sys.stderr.write(f"{json.dumps(row)}\n")
    return rows


def donors(checkout: Checkout, app: str) -> list[str]:
    """The other woven apps. Raises BadInput where there are none."""
    names = sorted(path.parents[1].name for path in checkout.fixtures.glob("*/app/app.yaml"))
    found = [name for name in names if name != app]
    if not found:
        raise BadInput(f"{checkout.fixtures}: no woven app but {app}, so nothing to grow it with")
    return found


@contextmanager
def _grown(checkout: Checkout, app: str, contexts: int) -> Iterator[Checkout]:
    """A checkout of the app with so many contexts more, not yet woven."""
    with tempfile.TemporaryDirectory(prefix="seambench-size-") as name:
        home = Checkout(Path(name))
        shutil.copytree(checkout.fixtures / app, home.fixtures / app)
        shutil.copytree(checkout.configs, home.configs)
        shutil.copy(checkout.fixtures / "requirements.lock", home.fixtures)
        for donor in donors(checkout, app):
            shutil.copytree(checkout.fixtures / donor / "app", home.fixtures / donor / "app")
        size = {"contexts": contexts, "donors": donors(checkout, app), "seed": SEED}
        with (home.fixtures / app / "app/app.yaml").open("a", encoding="utf-8") as spec:
            spec.write(f"\nsize: {json.dumps(size)}\n")
        yield home


def _lines_a_context(checkout: Checkout, app: str, core: int) -> float:
    """Lines of the tangled arm that a context more brings, averaged over every donor once."""
    once = sum(len(read_app(checkout.fixtures / name / "app").contexts)
               for name in donors(checkout, app))  # fmt: skip
    with _grown(checkout, app, once) as home:
        lines: int = _weave(home, app)["lines"]["monolith"]
    return (lines - core) / once


def _weave(home: Checkout, app: str) -> dict[str, Any]:
    """Weave in a process of its own, for its time and its memory."""
    started = time.monotonic()
    child = os.posix_spawn(sys.executable, [sys.executable, "-m", "benchmarks.size", "--weave",
                                            str(home.fixtures / app)], os.environ)  # fmt: skip
    _, status, used = os.wait4(child, 0)
    if status:
        raise BadInput(f"{app}: cannot be woven at this size")
    return {
        "weave_wall_seconds": round(time.monotonic() - started, 2),
        "weave_cpu_seconds": round(used.ru_utime + used.ru_stime, 2),
        "weave_peak_mb": used.ru_maxrss // 1024,
        "lines": {arm: _lines(load_pair(home, app).arm_folder(arm))
                  for arm in load_pair(home, app).spec.arms},
    }  # fmt: skip


def _lines(folder: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in folder.rglob("*.py"))


def _proven(home: Checkout, app: str) -> dict[str, Any]:
    """Each arm started and its contract suite run."""
    config = compose(["sandbox=docker"], home)
    config.tasks = []
    config.sandbox.memory_mb, config.sandbox.pids = MEMORY_MB, PIDS
    pair = load_pair(home, app)
    with build.bench(config, home, lambda line: print(line, file=sys.stderr)) as bench:
        return {arm: _arm(bench, _patient(pair), arm) for arm in pair.spec.arms}


def _arm(bench: Bench, pair: Pair, arm: str) -> dict[str, Any]:
    base = bench.bases.tree(pair, arm)
    with session(bench.sandboxes, Subject(pair, arm, base, base), Known(b"[]"), Stopwatch()) as it:
        try:
            begun = time.monotonic()
            it.start()
            started = time.monotonic()
        except AppDidNotStart as error:
            return {"not_started": str(error)}
        # A program writes the description of its API when it is first asked for it.
        described_by = it.phase(ContractEvidence, "contract").programs
        described = time.monotonic()
        found = it.phase(BehaviourEvidence, "behaviour")
        ended = time.monotonic()
        used = it.app.run(Command(("sh", "-c", _USED), timeout=10)).stdout.split()
    return {
        "start_seconds": round(started - begun, 2),
        "describe_seconds": round(described - started, 2),
        "suite_seconds": round(ended - described, 2),
        "programs": len(described_by),
        "tests": found.collected,
        "passed": sum(test.outcome == "passed" for test in found.tests),
        "app_mb": int(used[0]) // 2**20 if used else None,
    }


def _patient(pair: Pair) -> Pair:
    """The pair with time enough to start at any size."""
    arms = {name: arm.model_copy(update={"start_seconds": START_SECONDS})
            for name, arm in pair.spec.arms.items()}  # fmt: skip
    return replace(pair, spec=pair.spec.model_copy(update={"arms": arms}))


def main() -> None:
    """Measure and keep; or weave one folder, for a parent that measures."""
    if sys.argv[1] == "--weave":
        fixture = Path(sys.argv[2])
        Woven(fixture, fixture.parents[1] / "tasks" / fixture.name).write()
        return
    checkout = find_checkout()
    rows = measure(checkout, sys.argv[1])
    out = checkout.results / "bench" / "size.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
