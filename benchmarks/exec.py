"""What a command in a sandbox costs, beside the engine's own ways to run one.

python -m benchmarks.exec
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial

from harness.sandbox import Command, Limits, Sandbox
from harness.sandbox.docker import DockerSandboxes
from harness.sandbox.engine import ensure_engine

ROUNDS = 30
COMMAND = ("/bin/true",)
OWN_COST = """
import os, statistics, sys, time
def once():
    start = time.perf_counter()
    os.waitpid(os.posix_spawn(sys.argv[1], sys.argv[1:], {}), 0)
    return time.perf_counter() - start
print(statistics.median(once() for _ in range(50)))
"""


def measure(rounds: int = ROUNDS) -> dict[str, float]:
    """Medians in milliseconds, the engine's ways and ours taking turns; prints a table."""
    say = partial(print, file=sys.stderr)
    sandboxes = DockerSandboxes.prepare(Limits(), "bench", say)
    engine = ensure_engine(say)
    try:
        with sandboxes.open("agent") as sandbox:
            figures = _commands(sandbox, engine.containers.get(sandbox.name).exec_run, rounds)
        figures["open_close"] = statistics.median(
            _timed(lambda: sandboxes.open("agent").close()) for _ in range(rounds)
        )
    finally:
        sandboxes.close()
        engine.close()
    figures["runner_over_own"] = figures["runner"] - figures["own"]
    for name, value in figures.items():
        print(f"{name:<16} {value:8.2f} ms")
    return figures


def _commands(sandbox: Sandbox, sdk: Callable[..., object], rounds: int) -> dict[str, float]:
    cli = ["docker", "exec", sandbox.name, *COMMAND]
    ways: dict[str, Callable[[], object]] = {
        "runner": lambda: sandbox.run(Command(COMMAND, 10)),
        "sdk_exec": lambda: sdk(list(COMMAND)),
        "cli_exec": lambda: subprocess.run(cli, check=True),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            times[name].append(_timed(way))
    own = sandbox.run(Command(("python3", "-c", OWN_COST, *COMMAND), 60))
    medians = {name: statistics.median(values) for name, values in times.items()}
    return {"own": float(own.stdout) * 1000} | medians


def _timed(do: Callable[[], object]) -> float:
    start = time.perf_counter()
    do()
    return (time.perf_counter() - start) * 1000


if __name__ == "__main__":
    measure()
