"""Plays a recorded trial again: the recorded answers, the real sandbox, no network."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness.agents.protocol import Agent, AgentReport, Assignment
from harness.agents.session import Ended, Ending, Session, request_digest
from harness.agents.sessions import SessionSource
from harness.agents.spend import Spend
from harness.agents.trajectory import Trajectory, limits_of, read_trajectory
from harness.errors import BadInput, ModelFailed
from harness.llm.replay import ReplayModel
from harness.paths import RunPaths
from harness.sandbox import Sandbox

BY_ITSELF: frozenset[Ending] = frozenset({"submitted", "stopped", "refusal", "context"})
"""Endings to which a replay comes by itself; the others are limits, and the record tells when."""


@dataclass(frozen=True)
class Recorded:
    """Sessions that a record answers."""

    trajectory: Trajectory

    def open(self, assignment: Assignment) -> Session:
        recorded, limits = self.trajectory, limits_of(self.trajectory)
        name = f"replay of {assignment.variant}"
        silence = f"{name}: no answer, as when it was recorded"
        calls = [
            (call.request_digest, call.answer or ModelFailed(silence, call.tries))
            for call in recorded.calls
        ]
        model = ReplayModel(name, limits.context_tokens, calls, request_digest)
        return _Replayed(model, None, limits, most=len(calls), ending=recorded.ending)


@dataclass
class _Replayed(Session):
    """Ends where the record does: before a question, or at one that had no answer."""

    most: int = 0
    ending: Ending | None = None

    def __post_init__(self) -> None:
        self.own = Spend()

    def _check(self) -> None:
        if len(self.calls) < self.most:
            return
        if self.ending is None:
            raise ModelFailed(f"{self.model.name}: its record was broken off here")
        if self.ending not in BY_ITSELF:
            raise Ended(self.ending)

    def _ending(self, error: ModelFailed) -> Ending | None:  # noqa: ARG002 - the record knows
        return self.ending


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
