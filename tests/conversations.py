"""A results folder whose one conversation a real scaffold had, with every kind of message in it."""

from pathlib import Path

from harness.agents import Assignment
from harness.agents.session import Limits, Session
from harness.agents.tool_loop import ToolLoop
from harness.agents.trajectory import Trajectory
from harness.config import RunConfig
from harness.llm import Answer, Text, Thinking, ToolCall, Usage
from harness.llm.prices import Price, Tier
from harness.paths import Checkout, RunPaths
from harness.records import TrialRecord
from harness.sandbox import Sandboxes
from tests.records_factory import trial
from tests.report_runs import entry, write_lines
from tests.samples import FILES, make_checkout
from tests.sandboxes import tar_of
from tests.wire.scripted import ScriptedModel, answer, fails, says

USED = Usage(fresh_input=100, cache_read=40, cache_write=7, output=30, reasoning=12)
PRICE = Price((Tier(1.0, 0.1, 1.25, 5.0),), "a page", "2026-05-04")


class OneSession:
    """Opens the session that a test made."""

    def __init__(self, script: list[Answer]) -> None:
        self.script = script

    def open(self, assignment: Assignment) -> Session:
        return Session(ScriptedModel(self.script), PRICE, Limits(seconds=float("inf")))


def turn(text: str, *calls: tuple[str, str, dict | None, str]) -> Answer:
    """An answer with reasoning, words and calls (id, name, arguments, as written)."""
    tools = [ToolCall(id=i, name=n, arguments=a, raw=r) for i, n, a, r in calls]
    thought = Thinking(text=f"thinking of {text}", sealed='{"signature": "abc"}')
    return answer([thought, Text(text=text), *tools], "tool_calls", USED)


SCRIPT = [
    turn(
        "looking",
        ("a", "bash", {"command": "cat tally/rules.py"}, "{}"),
        ("b", "frobnicate", {}, "{}"),
    ),
    turn("broken", ("a", "bash", None, "{broken"), ("", "bash", {"command": "exit 3"}, "{}")),
    says("I wonder what to do"),
    turn("</script>\u2028 € \x07", ("c", "submit", {}, "{}")),
]


def converse(processes: Sandboxes, home: Path, script: list[Answer] | None = None) -> Trajectory:
    """The trajectory of a tool loop whose model answers as `script` says."""
    from harness import build

    study = build.load_study(RunConfig(name="t"), Checkout(make_checkout(home)))
    asked = Assignment(study.tasks[0], "one", None, 1, 60.0, pair=study.pairs["tally"])
    with processes.open("agent") as sandbox:
        sandbox.put(tar_of(dict(FILES)), "/work")
        report = ToolLoop(OneSession(script or SCRIPT)).work(asked, sandbox)
    return Trajectory.model_validate_json(report.trajectory)


def asked_trial(**changes: object) -> TrialRecord:
    """A trial of a model that `converse` may belong to."""
    return trial(**{"agent": "tool_loop", "model": "m", "variant": None, **changes})


def write_conversation(folder: Path, row: TrialRecord, told: Trajectory) -> Path:
    """A results folder with one trial and its conversation."""
    path = RunPaths(folder).trial(row.trial_id).trajectory
    path.parent.mkdir(parents=True)
    path.write_text(told.model_dump_json())
    return write_lines(folder, [entry(row)])


__all__ = ["SCRIPT", "asked_trial", "converse", "fails", "turn", "write_conversation"]
