"""Plays a recorded trial again: the recorded answers, the real sandbox, no network."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness.agents.protocol import Agent, AgentReport, Assignment
from harness.agents.session import Session, request_digest
from harness.agents.sessions import SessionSource
from harness.agents.trajectory import Trajectory, limits_of, read_trajectory
from harness.errors import BadInput
from harness.llm.replay import ReplayModel
from harness.paths import RunPaths
from harness.sandbox import Sandbox


@dataclass(frozen=True)
class Recorded:
    """Sessions that a record answers."""

    trajectory: Trajectory

    def open(self, assignment: Assignment) -> Session:
        calls = [(call.request_digest, call.answer) for call in self.trajectory.calls]
        limits = limits_of(self.trajectory)
        name = f"replay of {assignment.variant}"
        model = ReplayModel(name, limits.context_tokens, calls, request_digest)
        return Session(model, None, limits)


@dataclass(frozen=True)
class Replay:
    """The recorded trial is the assignment's variant; its scaffold works as it did."""

    source: RunPaths
    scaffolds: Mapping[str, Callable[[SessionSource], Agent]]
    is_control: bool = False

    def work(self, assignment: Assignment, sandbox: Sandbox) -> AgentReport:
        """Raises Diverged at the first call that differs from the record."""
        path = self.source.trial(assignment.variant or "").trajectory
        recorded = read_trajectory(path)
        scaffold = self.scaffolds.get(recorded.scaffold)
        if scaffold is None:
            raise BadInput(f"{path}: scaffold: {recorded.scaffold!r} is unknown")
        return scaffold(Recorded(recorded)).work(assignment, sandbox)
