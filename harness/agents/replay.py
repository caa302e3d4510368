"""Plays a recorded trial again: the recorded answers, the real sandbox, no network."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness.agents.protocol import Agent, AgentReport, Assignment
from harness.agents.session import NOT_REPLAYED, Ended, Ending, Session, request_digest
from harness.agents.sessions import SessionSource
from harness.agents.trajectory import Trajectory, limits_of, read_trajectory
from harness.errors import BadInput, ContextOverflow, ModelFailed
from harness.llm.replay import ReplayModel
from harness.paths import RunPaths
from harness.sandbox import Sandbox


@dataclass(frozen=True)
class Recorded:
    """Sessions that a record answers."""

    trajectory: Trajectory

    def open(self, assignment: Assignment) -> Session:
        recorded, limits = self.trajectory, limits_of(self.trajectory)
        name = f"replay of {assignment.variant}"
        kind = ContextOverflow if recorded.ending == "context" else ModelFailed
        silence = f"{name}: no answer, as when it was recorded"
        calls = [
            (call.request_digest, call.answer or kind(silence, call.tries))
            for call in recorded.calls
        ]
        model = ReplayModel(name, limits.context_tokens, calls, request_digest)
        return _Replayed(model, None, limits, most=len(calls), ending=recorded.ending)


@dataclass
class _Replayed(Session):
    """Ends where the record does if that is by a clock or by money: no replay comes to it."""

    most: int = 0
    ending: Ending | None = None

    def _check(self) -> float:
        if self.ending in NOT_REPLAYED and len(self.calls) == self.most:
            raise Ended(self.ending)
        return super()._check()


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
