"""The composition root: the only place that turns names into classes."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from harness.agents import Agent
from harness.agents.controls import Nop, PatchPlayer
from harness.agents.one_shot import OneShot
from harness.agents.predictions import PredictionPlayer
from harness.agents.replay import Replay
from harness.agents.sessions import Sessions, SessionSource
from harness.agents.spend import STUDY, Spend
from harness.agents.tool_loop import ToolLoop
from harness.bases import Bases
from harness.config import (
    AgentConfig,
    AgentKind,
    ModelConfig,
    RunConfig,
    SandboxConfig,
    SandboxKind,
)
from harness.errors import BadInput, DiskFull
from harness.executors import Executor, LocalExecutor
from harness.llm import Model
from harness.llm.concurrency import Gates
from harness.llm.settings import open_model, price_of
from harness.pairs import Pair, load_pair, load_pairs
from harness.pairs.weave import at_dose
from harness.patch import Tree
from harness.paths import Checkout, RunPaths
from harness.plan import Study
from harness.predictions import read_predictions
from harness.references import References
from harness.sandbox import Limits, Sandboxes
from harness.tasks import Task, load_tasks
from harness.trial import Bench, agent_key

Announce = Callable[[str], None]
_LEAST_FREE_MB = 200
"""Below this much free disk no sweep is started: records must never be the ones to fail."""


@contextmanager
def bench(
    config: RunConfig, checkout: Checkout, announce: Announce, *, only_scores: bool = False
) -> Iterator[Bench]:
    """Everything a run needs, closed again at the end. Raises BadInput, SandboxError.

    Where stored patches are scored, no agent is made: what it needs may be gone.
    """
    study = load_study(config, checkout)
    refuse_full_disk(checkout.root)
    spend = Spend({name: getattr(config.budget, key) for name, key in STUDY.items()})
    with ExitStack() as stack:
        # Keys are asked for before an engine is started.
        gates = Gates()
        agents = {} if only_scores else make_agents(config, spend, stack, gates)
        sandboxes = make_sandboxes(config.sandbox, announce)
        stack.callback(sandboxes.close)
        with tempfile.TemporaryDirectory(prefix="seambench-bases-") as folder:
            bases = Bases(Path(folder))
            cache = checkout.cache / "references"
            references = References(sandboxes, bases, config.verification, cache)
            yield Bench(study, sandboxes, agents, bases, references, spend, gates)


def load_study(config: RunConfig, checkout: Checkout) -> Study:
    """The pairs and tasks that a config names.

    Raises BadInput naming file and field, or what needs more isolation than the config gives.
    """
    _refuse_without_isolation(config)
    pairs = load_pairs(checkout)
    tasks = load_tasks(checkout, pairs, config.tasks)
    doses = {dose: _woven(config, checkout, tasks, dose) for dose in config.doses}
    return Study(config, pairs, tuple(tasks), doses)


def _woven(config: RunConfig, checkout: Checkout, tasks: list[Task], dose: int) -> Study:
    """The tasks, and the pairs that they are over, as woven at a dose."""
    pairs: dict[str, Pair] = {}
    found: list[Task] = []
    for app in sorted({task.spec.app for task in tasks}):
        pair = load_pair(checkout, app)
        own = [task.id for task in tasks if task.spec.app == app]
        where = checkout if pair.spec.dose == dose else at_dose(checkout, app, dose)
        pairs[app] = load_pair(where, app)
        found += load_tasks(where, pairs, own)
    return Study(config, pairs, tuple(found))


def make_agents(
    config: RunConfig, spend: Spend, stack: ExitStack, gates: Gates | None = None
) -> dict[str, Agent]:
    """The agents of a study by `agent_key`; what they hold open is closed with `stack`.

    Their models stand behind `gates`.
    """
    agents: dict[str, Agent] = {}
    asking = any(agent.kind.asks_a_model for agent in config.agents.values())
    gates = gates or Gates()
    models = {name: _open(name, m, gates, stack) for name, m in config.models.items() if asking}
    for name, agent in config.agents.items():
        if not agent.kind.asks_a_model:
            agents[agent_key(name, agent.kind, None)] = make_control(config, agent)
            continue
        for model_name, model in models.items():
            asked = config.models[model_name]
            sessions = Sessions(model, price_of(asked), config.budget, spend, asked.bytes_per_token)
            agents[agent_key(name, agent.kind, model_name)] = SCAFFOLDS[agent.kind](sessions)
    return agents


SCAFFOLDS: dict[AgentKind, Callable[[SessionSource], Agent]] = {
    AgentKind.tool_loop: ToolLoop,
    AgentKind.one_shot: OneShot,
}


def _open(name: str, config: ModelConfig, gates: Gates, stack: ExitStack) -> Model:
    address = None
    if config.embedded:
        from harness.llm.local import LocalServer  # noqa: PLC0415 - only here

        server = LocalServer(config.context_tokens)
        stack.callback(server.close)
        address = server.base_url
    model = open_model(name, config, base_url=address, gates=gates)
    stack.callback(model.close)
    return model


def make_control(config: RunConfig, agent: AgentConfig) -> Agent:
    """An agent that asks no model."""
    match agent.kind:
        case AgentKind.oracle:
            return PatchPlayer("solutions")
        case AgentKind.sabotage:
            return PatchPlayer("sabotages")
        case AgentKind.replay:
            scaffolds = {kind.value: made for kind, made in SCAFFOLDS.items()}
            return Replay(RunPaths(Path(config.replay_from or "")), scaffolds)
        case AgentKind.predictions:
            found = read_predictions(Path(config.replay_from or ""))
            return PredictionPlayer({one.key: one for one in found.values()})
        case _:
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
    any_engine = SandboxConfig(kind=SandboxKind.docker, cpus=0.1)  # no sandbox is opened
    make_sandboxes(any_engine, announce).close()


def clean_engine(announce: Announce) -> None:
    """Remove everything that SeamBench made in the engine."""
    from harness.sandbox.docker import clean  # noqa: PLC0415

    clean(announce)


def refuse_full_disk(folder: Path) -> None:
    """Raises DiskFull where the disk of `folder` has too little room to start a sweep."""
    free = shutil.disk_usage(folder).free // 2**20
    if free < _LEAST_FREE_MB:
        raise DiskFull(f"{folder}: only {free} MB free; a run needs {_LEAST_FREE_MB} MB")


def _refuse_without_isolation(config: RunConfig) -> None:
    if config.sandbox.kind is not SandboxKind.process:
        return
    if "own" in config.scopes:
        raise BadInput("config: sandbox=process: scopes=[own] needs isolation; use docker")
    for name, agent in config.agents.items():
        if not agent.kind.is_control:
            raise BadInput(f"config: sandbox=process: agent {name!r} needs isolation; use docker")
