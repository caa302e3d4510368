"""Control agents: what each trial must give is known, so they calibrate every task."""

from dataclasses import dataclass

from harness.agents.protocol import AgentReport, Assignment
from harness.errors import BadInput
from harness.sandbox import Command, Sandbox
from harness.tasks.load import PatchKind


@dataclass(frozen=True)
class Nop:
    """Changes nothing: no task may count this as resolved."""

    is_control: bool = True

    def work(self, assignment: Assignment, sandbox: Sandbox) -> AgentReport:  # noqa: ARG002
        return AgentReport(log="nop: left everything as it was\n")


@dataclass(frozen=True)
class PatchPlayer:
    """Applies a known patch inside the sandbox: `solutions` is the oracle, `sabotages` the foil."""

    kind: PatchKind
    is_control: bool = True

    def work(self, assignment: Assignment, sandbox: Sandbox) -> AgentReport:
        """Raises BadInput when the stored patch does not apply to its own arm."""
        if assignment.variant is None:
            raise BadInput(f"{assignment.task.id}: no variant chosen from {self.kind}")
        path = assignment.task.patch(self.kind, assignment.variant, assignment.arm)
        command = ("git", "apply", "--whitespace=nowarn", "-")
        patch = path.read_bytes()
        if not patch.strip():
            return AgentReport(log=f"{path.name}: empty, nothing to apply\n")
        end = sandbox.run(Command(command, timeout=assignment.seconds, stdin=patch))
        if not end.ok:
            problem = (end.stderr.strip().splitlines() or [end.ending])[0]
            raise BadInput(f"{path}: does not apply: {problem}")
        return AgentReport(log=f"applied {self.kind}/{assignment.variant}\n{end.stdout}")
