"""What the trial asks of an agent."""

from dataclasses import dataclass
from typing import Protocol

from harness.sandbox import Sandbox
from harness.tasks import Task


@dataclass(frozen=True)
class Assignment:
    """One task on one arm, as an agent gets it. `seconds` bounds the agent's working time."""

    task: Task
    arm: str
    variant: str | None
    seed: int
    seconds: float


@dataclass(frozen=True)
class AgentReport:
    """What an agent says of its work; the work itself is the sandbox's workspace."""

    log: str
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = 0.0


class Agent(Protocol):
    """Works in a sandbox until it is done. Raises SandboxError for failures not its own."""

    @property
    def is_control(self) -> bool:
        """Whether everything it does is known beforehand; only controls run without isolation."""
        ...

    def work(self, assignment: Assignment, sandbox: Sandbox) -> AgentReport: ...
