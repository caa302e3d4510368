"""The run configuration as plain dataclasses: what Hydra composes and everybody else reads."""

from dataclasses import dataclass, field
from enum import StrEnum

from omegaconf import MISSING


class AgentKind(StrEnum):
    """The agents that `build` knows."""

    oracle = "oracle"
    nop = "nop"
    sabotage = "sabotage"


class SandboxKind(StrEnum):
    """Where agents and verifiers run."""

    docker = "docker"
    process = "process"


@dataclass
class AgentConfig:
    """One agent of a study."""

    kind: AgentKind = MISSING
    variant: str | None = None
    """which solution or sabotage a control plays; null: the first solution, sabotages in turn"""


@dataclass
class SandboxConfig:
    """Kind and bounds of every sandbox; `process` ignores the bounds and says so."""

    kind: SandboxKind = MISSING
    memory_mb: int = 2048
    cpus: float = 2.0
    pids: int = 512
    disk_mb: int = 512


@dataclass
class ExecutorConfig:
    """How many trials run at once; 0 means one a core."""

    workers: int = 0


@dataclass
class BudgetConfig:
    """What a trial may use. `agent_seconds` null: as the task says; `attempts` counts the first."""

    agent_seconds: float | None = None
    attempts: int = 3
    """how often a trial lost to infrastructure is tried in all"""


@dataclass
class VerificationConfig:
    """How much evidence a verdict takes (SCIENCE.md (b)): fresh starts and generated sequences."""

    starts: int = 3
    sequences: int = 500
    seed: int = 20260101


@dataclass
class RunConfig:
    """One study: the factors to cross, and how to run the cells."""

    name: str = MISSING
    """folder below results/"""
    tasks: list[str] = field(default_factory=lambda: ["*/*"])
    """globs over app/task"""
    arms: list[str] = field(default_factory=list)
    """arms to run; empty means every arm of the pair"""
    repeats: int = 1
    seed: int = 0
    agents: dict[str, AgentConfig] = field(default_factory=dict)
    sandbox: SandboxConfig = field(default_factory=SandboxConfig)
    executor: ExecutorConfig = field(default_factory=ExecutorConfig)
    budget: BudgetConfig = field(default_factory=BudgetConfig)
    verification: VerificationConfig = field(default_factory=VerificationConfig)
