"""Applies patches made elsewhere, so that they are scored like any agent's."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.agents.protocol import AgentReport, Assignment
from harness.predictions import Prediction
from harness.sandbox import Command, Sandbox


@dataclass(frozen=True)
class PredictionPlayer:
    """The assignment's variant names the prediction: its model and instance."""

    patches: Mapping[str, Prediction]
    is_control: bool = False

    def work(self, assignment: Assignment, sandbox: Sandbox) -> AgentReport:
        """A patch that does not apply is its maker's outcome: nothing is changed."""
        prediction = self.patches[assignment.variant or ""]
        patch = prediction.model_patch
        if not patch.strip():
            return AgentReport(log="the prediction is empty: left everything as it was\n")
        text = patch if patch.endswith("\n") else patch + "\n"
        command = ("git", "apply", "--whitespace=nowarn", "-")
        end = sandbox.run(Command(command, timeout=assignment.seconds, stdin=text.encode()))
        if end.ok:
            return AgentReport(log="applied the prediction\n")
        problem = (end.stderr.strip().splitlines() or [end.ending])[0]
        return AgentReport(log=f"the prediction does not apply: {problem}\n")
