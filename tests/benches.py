"""Benches over the small checkout, agents that run a script, and the real command."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness import build
from harness.agents import Agent, AgentReport, Assignment
from harness.config import (
    AgentConfig,
    AgentKind,
    BudgetConfig,
    ExecutorConfig,
    RunConfig,
    SandboxConfig,
    SandboxKind,
    VerificationConfig,
)
from harness.paths import Checkout, RunPaths
from harness.plan import Cell, Plan, expand
from harness.records import TrialRecord
from harness.rows import Result
from harness.sandbox import Command, Sandbox
from harness.sandbox.interpreter import ensure_venv
from harness.store import latest_trials, read_entries
from harness.trial import Bench, run_trial
from tests.samples import make_checkout
from tests.sandboxes import say

FACTORS = ("behaviour", "equivalence", "structure", "contract", "integrity")
QUICK = ("verification=quick", "executor.workers=1")
CONTROLS = "agent=[oracle,nop,sabotage]"


@dataclass(frozen=True)
class ScriptAgent:
    """Runs a shell script in its sandbox; its log is what the script printed."""

    script: str
    is_control: bool = True

    def work(self, assignment: Assignment, sandbox: Sandbox) -> AgentReport:
        end = sandbox.run(Command(("bash", "-c", self.script), timeout=assignment.seconds))
        return AgentReport(log=f"{end.ending} {end.code}\n{end.stdout}{end.stderr}")


@dataclass
class Witness:
    """A watcher that remembers what it was told."""

    reused: int = 0
    ended_trials: list[TrialRecord] = field(default_factory=list)
    retries: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def planned(self, total: int, reused: int) -> None:
        self.reused = reused

    def started(self, cell: Cell) -> None: ...

    def ended(self, trial: TrialRecord) -> None:
        self.ended_trials.append(trial)

    def retried(self, cell: Cell, why: str) -> None:
        self.retries.append(why)

    def broken_off(self, cell: Cell) -> None:
        self.broken.append(cell.trial_id)


def checkout_with_venv(root: Path) -> Path:
    """The small checkout, with the environment that process sandboxes need already there."""
    return lend_venv(make_checkout(root))


def lend_venv(root: Path) -> Path:
    """Let process sandboxes of a checkout use the environment of this one."""
    venv = ensure_venv(say)
    (root / ".cache").mkdir()
    (root / ".cache" / venv.name).symlink_to(venv)
    return root


def edit(path: Path, old: str, new: str) -> None:
    """Replace a text that must be there."""
    content = path.read_text()
    assert old in content, f"{path} does not hold {old!r}"
    path.write_text(content.replace(old, new))


def config(kind: SandboxKind, agents: Sequence[str], **changes: object) -> RunConfig:
    values: dict[str, object] = {
        "name": "t",
        "agents": {name: AgentConfig(AgentKind.nop) for name in agents},
        "sandbox": SandboxConfig(kind, memory_mb=1024, disk_mb=256),
        "executor": ExecutorConfig(1),
        "verification": VerificationConfig(starts=1, sequences=20),
        "budget": BudgetConfig(agent_seconds=30.0, attempts=2),
    }
    return RunConfig(**(values | changes))  # type: ignore[arg-type]


@contextmanager
def bench_of(
    root: Path, kind: SandboxKind, agents: dict[str, Agent], **changes: object
) -> Iterator[Bench]:
    """A bench whose agents are the test's own; `changes` are of its config."""
    with build.bench(config(kind, list(agents), **changes), Checkout(root), say) as made:
        yield replace(made, agents=agents)


def attempt(bench: Bench, agent: str, arm: str = "one") -> Result:
    """One attempt of an agent at the one task."""
    cells = expand(bench.study)
    cell = next(cell for cell in cells if (cell.agent, cell.arm) == (agent, arm))
    return run_trial(cell, bench, Plan(name="t", locks={}, cells=cells), 1)


def trial_of(result: Result) -> TrialRecord:
    assert result.entry.trial is not None
    return result.entry.trial


def failing(trial: TrialRecord) -> set[str]:
    """The factors that say no."""
    return {name for name in FACTORS if getattr(trial, name) is False}


def argv(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).parent / "seambench"), *arguments]


def environment(root: Path, **more: str) -> dict[str, str]:
    kept = {key: text for key, text in os.environ.items() if key != "SEAMBENCH_RESULTS"}
    return kept | {"SEAMBENCH_HOME": str(root), "COLUMNS": "200"} | more


@contextmanager
def in_background(root: Path, *arguments: str, **env: str) -> Iterator["subprocess.Popen[str]"]:
    """The real command, which a signal can break off; over when the block is."""
    running = subprocess.Popen(
        # A job in the background of a shell ignores SIGINT, and its children do, too.
        ("env", "--default-signal=INT", *argv(*arguments)),
        env=environment(root, **env),
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield running
    finally:
        if running.poll() is None:
            running.kill()
        running.communicate()


def seambench(
    root: Path, *arguments: str, timeout: float = 280, **env: str
) -> "subprocess.CompletedProcess[str]":
    """The real command over a checkout."""
    return subprocess.run(
        argv(*arguments),
        env=environment(root, **env),
        cwd=root,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def trials_in(folder: Path) -> dict[str, TrialRecord]:
    """The trial records of a results folder."""
    found = latest_trials(read_entries(RunPaths(folder).records))
    return {name: entry.trial for name, entry in found.items() if entry.trial is not None}
