"""What the trial asks of an agent."""

from dataclasses import dataclass
from typing import Protocol

from harness.agents.session import Call, Ending
from harness.agents.trajectory import ToolUse
from harness.pairs import Pair
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
    scope: str = "all"
    context_budget: str = "full"
    pair: Pair | None = None
    """whose contexts own which files; labels of tools need it"""


@dataclass(frozen=True)
class AgentReport:
    """What an agent says of its work; the work itself is the sandbox's workspace."""

    log: str
    ending: Ending | None = None
    calls: tuple[Call, ...] = ()
    tools: tuple[ToolUse, ...] = ()
    trajectory: str = ""
    idle: float = 0.0
    """seconds of waits that no call tells of: the work ended in them"""
    edits_applied: int = 0
    edits_failed: int = 0
    failure: Exception | None = None
    """what broke the work off: the trial raises it, and keeps what the work cost"""


class Agent(Protocol):
    """Works in a sandbox until it is done. Raises SandboxError for failures not its own."""

    @property
    def is_control(self) -> bool:
        """Whether everything it does is known beforehand; only controls run without isolation."""
        ...

    def work(self, assignment: Assignment, sandbox: Sandbox) -> AgentReport: ...
