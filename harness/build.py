"""The composition root: the only place that turns names into classes."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.agents import Agent
from harness.agents.controls import Nop, PatchPlayer
from harness.bases import Bases
from harness.config import AgentConfig, AgentKind, RunConfig, SandboxConfig, SandboxKind
from harness.errors import BadInput, DiskFull
from harness.executors import Executor, LocalExecutor
from harness.pairs import load_pairs
from harness.patch import Tree
from harness.paths import Checkout
from harness.plan import Study
from harness.references import References
from harness.sandbox import Limits, Sandboxes
from harness.tasks import load_tasks
from harness.trial import Bench

Announce = Callable[[str], None]
_LEAST_FREE_MB = 200
"""Below this much free disk no sweep is started: records must never be the ones to fail."""


@contextmanager
def bench(config: RunConfig, checkout: Checkout, announce: Announce) -> Iterator[Bench]:
    """Everything a run needs, closed again at the end. Raises BadInput, SandboxError."""
    study = load_study(config, checkout)
    agents = {name: make_agent(agent) for name, agent in config.agents.items()}
    _refuse_without_isolation(config, agents)
    _refuse_full_disk(checkout.root)
    sandboxes = make_sandboxes(config.sandbox, announce)
    try:
        with tempfile.TemporaryDirectory(prefix="seambench-bases-") as folder:
            bases = Bases(Path(folder))
            cache = checkout.cache / "references"
            references = References(sandboxes, bases, config.verification, cache)
            yield Bench(study, sandboxes, agents, bases, references)
    finally:
        sandboxes.close()


def load_study(config: RunConfig, checkout: Checkout) -> Study:
    """The pairs and tasks that a config names. Raises BadInput naming file and field."""
    pairs = load_pairs(checkout)
    tasks = load_tasks(checkout, pairs, config.tasks)
    return Study(config, pairs, tuple(tasks))


def make_agent(config: AgentConfig) -> Agent:
    """The agent that a config names."""
    match config.kind:
        case AgentKind.oracle:
            return PatchPlayer("solutions")
        case AgentKind.sabotage:
            return PatchPlayer("sabotages")
        case AgentKind.nop:
            return Nop()


def make_sandboxes(config: SandboxConfig, announce: Announce) -> Sandboxes:
    """The sandboxes that a config names, ready to open; leftovers of killed runs are removed."""
    if config.kind is SandboxKind.process:
        from harness.sandbox.process import ProcessSandboxes  # noqa: PLC0415 - loads no engine SDK

        announce("NO ISOLATION: sandbox=process runs everything as plain processes on this machine")
        return ProcessSandboxes(announce)
    from harness.sandbox.docker import DockerSandboxes  # noqa: PLC0415 - slow to import

    limits = Limits(config.memory_mb, config.cpus, config.pids, config.disk_mb)
    return DockerSandboxes.prepare(limits, uuid.uuid4().hex, announce)


def make_executor(config: RunConfig, stop: Callable[[], None]) -> Executor:
    """The executor that a config names; `stop` ends what runs when a sweep is broken off."""
    return LocalExecutor(config.executor.workers or len(os.sched_getaffinity(0)), stop)


def digest_folder(folder: Path) -> str:
    """Digest of a folder's content, caches left out."""
    return Tree.read(folder, ("**/__pycache__/**", "**/*.pyc", "**/.pytest_cache/**")).digest


def engine_ready(announce: Announce) -> None:
    """Make sure that an engine answers and that the image is built."""
    make_sandboxes(SandboxConfig(kind=SandboxKind.docker), announce).close()


def clean_engine(announce: Announce) -> None:
    """Remove everything that SeamBench made in the engine."""
    from harness.sandbox.docker import clean  # noqa: PLC0415

    clean(announce)


def _refuse_without_isolation(config: RunConfig, agents: dict[str, Agent]) -> None:
    if config.sandbox.kind is not SandboxKind.process:
        return
    for name, agent in agents.items():
        if not agent.is_control:
            raise BadInput(f"config: sandbox=process: agent {name!r} needs isolation; use docker")


def _refuse_full_disk(folder: Path) -> None:
    free = shutil.disk_usage(folder).free // 2**20
    if free < _LEAST_FREE_MB:
        raise DiskFull(f"{folder}: only {free} MB free; a run needs {_LEAST_FREE_MB} MB")
