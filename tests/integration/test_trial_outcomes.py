"""What becomes of a trial whose agent, app or suite misbehaves."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.agents import Agent, AgentReport, Assignment
from harness.agents.session import Call
from harness.agents.trajectory import ToolUse
from harness.config import SandboxKind, VerificationConfig
from harness.errors import (
    BadInput,
    DiskFull,
    EngineGone,
    ModelFailed,
    SandboxError,
    SeamBenchError,
)
from harness.executors import LocalExecutor
from harness.experiment import Sweep, run_sweep
from harness.llm import Try, Usage
from harness.paths import RunPaths
from harness.plan import Plan, expand
from harness.sandbox import Sandbox
from harness.store import Store, read_entries
from harness.trial import Bench
from tests.benches import ScriptAgent, Witness, attempt, bench_of, edit, failing, trial_of

RENAME = "sed -i s/next_value/advance/g tally/*.py"
SCRIPTS = {
    "starts_not": "echo 'raise RuntimeError(\"no tally today\")' >> tally/main.py",
    "starts_once": f'{RENAME}; printf \'from pathlib import Path\\nif Path("seen").exists():\\n    '
    'raise RuntimeError("once is enough")\\nPath("seen").touch()\\n\' >> tally/main.py',
    "syntax": f"{RENAME}; echo 'def (' >> tally/main.py",
    "link_out": "ln -s /etc/passwd leak.txt",
    "climbing_link": "ln -s ../../../../etc/passwd leak.txt",
    "folded_link": "mkdir -p b/c/d; touch b/c/d/f; ln -s b/c/d a; ln -s a/../../x leak.txt",
    "fifo": "mkfifo pipe",
    "large_file": "head -c 20000000 /dev/zero > large.bin",
    "hundred_mb": "for n in 1 2 3 4 5 6 7 8 9 10 11; do head -c 10000000 /dev/zero > $n; done",
    "empty": "touch tally/rules.py; mkdir -p nothing/here; mkdir -p __pycache__; "
    "echo x > __pycache__/a.pyc",
    "history": f"{RENAME}; git add -A; git -c user.name=a -c user.email=a@b commit -qm x; "
    "git update-ref -d HEAD; rm -rf .git; git init -q; echo '* -diff' > .git/info/attributes",
    "binary": f"{RENAME}; printf 'a\\0b\\377' > picture.bin; chmod +x picture.bin",
    "moves": f"{RENAME}; mv tally/rules.py tally/steps.py; "
    "sed -i s/tally.rules/tally.steps/ tally/main.py",
    "fails": f"{RENAME}; exit 3",
    "branches": "sed -i 's/^    return .*/    if step:\\n        return value + step\\n"
    "    return value/' tally/rules.py; seq -f 'x%g = 0' 6 > tally/x.py; cp tally/x.py tally/y.py",
    # The old code runs, and what can be read is a decoy.
    "text_run": "sed -i s/next_value/advance/g tally/main.py; mv tally/rules.py tally/old; "
    "echo 'advance = next_value' >> tally/old; "
    "printf 'def advance(value: int, step: int) -> int:\n    return 0\n\n\n"
    'exec(open(__file__.replace("rules.py", "old")).read())\n\' > tally/rules.py',
    "link": "sed -i s/next_value/advance/g tally/main.py; mv tally/rules.py tally/old; "
    "echo 'advance = next_value' >> tally/old; ln -s old tally/rules.py; "
    "printf 'def advance(value: int, step: int) -> int:\n    return 0\n' > tally/names.py",
    "nested": f"{RENAME}; git init -q inner; echo x > inner/a; mkdir data; echo 1 > data/tally.db",
    # The verifier keeps its own in folders of these names, the hidden test in a file of this one.
    "named_hidden": f"{RENAME}; mkdir -p hidden tmp/job/hidden; echo 'assert False' | "
    "tee hidden/test_zero.py tmp/job/hidden/test_zero.py",
    "forged": f"{RENAME}; sed -i 's/value + step/value + (step or 1)/' tally/rules.py; "
    "mkdir -p hidden tmp/job/hidden; echo 'def test_zero_keeps_the_value(): pass' | "
    "tee hidden/test_zero.py tmp/job/hidden/test_zero.py",
}


@pytest.fixture(scope="module")
def bench(shared_home: Path) -> Iterator[Bench]:
    agents = {name: ScriptAgent(script) for name, script in SCRIPTS.items()}
    with bench_of(shared_home, SandboxKind.process, agents) as made:
        yield made


@pytest.mark.parametrize(("agent", "word"), [("starts_not", "no tally today"), ("syntax", "def (")])
def test_an_app_that_does_not_start_is_the_agents_failure_with_its_log(
    bench: Bench, agent: str, word: str
) -> None:
    result = attempt(bench, agent)
    trial = trial_of(result)
    assert (trial.status, trial.failure_cause) == ("failed", "app_did_not_start")
    assert "did not start" in (trial.failure_detail or "")
    assert word in str(result.files["app.log"])
    assert trial.resolved is False
    # What the files alone tell is judged all the same.
    assert trial.integrity is True
    assert trial.structure is False


def test_a_later_start_that_fails_keeps_what_was_seen_and_is_named(bench: Bench) -> None:
    result = attempt(bench, "starts_once")
    trial = trial_of(result)
    assert (trial.status, trial.failure_cause) == ("failed", "app_did_not_start")
    assert "tally/one did not start (start 2)" in (trial.failure_detail or "")
    assert failing(trial) == {"behaviour", "equivalence", "contract"}
    assert (trial.tests_passed, trial.tests_total, len(result.entry.tests)) == (4, 4, 4)
    assert trial.collateral_break_share is None  # what the start that failed broke is not known


TIRES = f"""{RENAME}
cat >> tally/main.py <<'P'
from pathlib import Path

with Path("starts").open("a") as starts:
    starts.write("x")


def tired(value: int, step: int) -> int:
    return value + 1 if step == 0 else value + max(step, 0)


if Path("starts").stat().st_size > 2:
    advance = tired
P
"""
"""Wrong from the third start on, where only the hidden test asks."""


def test_the_hidden_suite_runs_in_every_fresh_start_that_is_asked_for(shared_home: Path) -> None:
    agents: dict[str, Agent] = {"good": ScriptAgent(RENAME), "tires": ScriptAgent(TIRES)}
    rules = VerificationConfig(starts=3, sequences=20)
    with bench_of(shared_home, SandboxKind.process, agents, verification=rules) as bench:
        good, tires = (attempt(bench, name) for name in agents)
    assert trial_of(good).resolved, trial_of(good).reason
    for result in (good, tires):
        assert [test.start for test in result.entry.tests] == [1] * 4 + [2] * 4 + [3] * 4
    trial = trial_of(tires)
    assert failing(trial) == {"behaviour"}
    assert "test_zero_keeps_the_value failed in start 3: " in (trial.reason or "")
    assert (trial.tests_passed, trial.tests_total) == (3, 4)


REFUSED = {
    "link_out": "'leak.txt' is a link to the absolute path '/etc/passwd'",
    "climbing_link": "'leak.txt' is a link out of the tree by its names ('../../../../etc/passwd')",
    "folded_link": "'leak.txt' is a link out of the tree by its names ('a/../../x')",
    "fifo": "'pipe' is a device, a FIFO or a socket",
    "large_file": "'large.bin' is larger than 10485760 bytes",
    "hundred_mb": "/work: more than 100663296 bytes, at ",
}


@pytest.mark.parametrize(("agent", "told"), REFUSED.items())
def test_a_workspace_that_cannot_be_a_patch_is_refused_and_counts(
    bench: Bench, agent: str, told: str
) -> None:
    result = attempt(bench, agent)
    trial = trial_of(result)
    assert (trial.status, trial.failure_cause) == ("failed", "patch_refused")
    assert (trial.failure_detail or "").startswith(told)
    assert (trial.resolved, trial.integrity) == (False, False)
    assert trial.reason == f"integrity: {trial.failure_detail}"
    # Nothing was counted, which is not the same as nothing changed.
    assert (trial.code_lines_added, trial.contexts_changed, trial.churn_ratio) == (None,) * 3
    assert (trial.dependencies_change, trial.repeated_lines_change) == (None, None)
    assert "\n" not in (trial.failure_detail or "")


def test_an_empty_change_is_scored_as_the_untouched_base(bench: Bench) -> None:
    result = attempt(bench, "empty")
    trial = trial_of(result)
    assert trial.status == "scored"
    assert result.files["patch.diff"] in {b"", ""}
    assert failing(trial) == {"structure"}
    assert (trial.files_changed, trial.churn_ratio) == (0, 0.0)
    assert (trial.dependencies_change, trial.propagation_cost_change) == (0, 0.0)
    # No function was touched, so there is no complexity to compare.
    assert trial.complexity_mean_change is None


def test_what_a_patch_makes_of_the_code_stands_in_the_row(bench: Bench) -> None:
    trial = trial_of(attempt(bench, "branches"))
    assert (trial.complexity_mean_change, trial.complexity_max_change) == (1.0, 1)
    assert (trial.complexity_change, trial.repeated_lines_change) == (1, 12)
    unparsed = trial_of(attempt(bench, "syntax"))
    assert (unparsed.dependencies_change, unparsed.repeated_lines_change) == (None, None)
    assert (unparsed.code_lines_added or 0) > 0


@pytest.mark.parametrize("agent", ["history", "binary", "fails"])
def test_work_counts_whatever_the_agent_did_to_its_repository_or_exit_code(
    bench: Bench, agent: str
) -> None:
    trial = trial_of(attempt(bench, agent))
    assert trial.status == "scored", trial.failure_detail
    assert trial.resolved, trial.reason


@pytest.mark.parametrize(
    ("agent", "told"),
    [
        ("text_run", "integrity: tally/rules.py:5: runs code that is not looked at: exec"),
        ("link", "integrity: tally/rules.py:1: a link, and what it leads to is not looked at"),
    ],
)
def test_old_code_behind_what_can_be_read_is_tampering(bench: Bench, agent: str, told: str) -> None:
    trial = trial_of(attempt(bench, agent))
    assert (trial.status, failing(trial), trial.reason) == ("scored", {"integrity"}, told)


def test_a_protected_file_outside_the_tests_is_not_to_be_touched(home: Path) -> None:
    edit(home / "fixtures/tally/pair.yaml", '"tests/**"', '"tests/**", requirements.txt')
    (home / "fixtures/tally/one/requirements.txt").write_text("fastapi\n")
    agents = {"needs": ScriptAgent(f"{RENAME}; echo httpx >> requirements.txt")}
    with bench_of(home, SandboxKind.process, agents) as bench:
        needs = trial_of(attempt(bench, "needs"))
    assert (needs.status, failing(needs)) == ("scored", {"integrity"})
    assert needs.reason == "integrity: requirements.txt:2: a protected file was changed"


def test_a_file_that_moves_counts_the_same_in_lines_and_in_code_lines(bench: Bench) -> None:
    trial = trial_of(attempt(bench, "moves"))
    assert trial.resolved, trial.reason
    assert (trial.lines_added, trial.lines_deleted, trial.files_changed) == (3, 3, 2)
    assert (trial.code_lines_added, trial.code_lines_deleted) == (3, 3)


def test_what_was_left_out_of_a_workspace_stands_in_the_agents_log(bench: Bench) -> None:
    result = attempt(bench, "nested")
    log = str(result.files["agent.log"])
    assert log.startswith("exit 0\n")
    assert log.endswith("\n'inner/.git' was left out: a repository within the workspace\n")
    patch = str(result.files["patch.diff"])
    assert "inner/a" in patch
    assert "inner/.git" not in patch
    assert "data/tally.db" not in patch, "what programs keep is no work of the agent's"


def test_files_named_like_the_hidden_tests_give_nothing_and_take_nothing(bench: Bench) -> None:
    named, forged = (attempt(bench, agent) for agent in ("named_hidden", "forged"))
    for result in (named, forged):
        assert "tmp/job/hidden/test_zero.py" in str(result.files["patch.diff"])
        # One hidden, three of the contract, as without such files.
        assert [test.test.split("::")[0] for test in result.entry.tests] == [
            "hidden/test_zero.py", *["contract/test_tally.py"] * 3,
        ]  # fmt: skip
    assert trial_of(named).resolved, trial_of(named).reason
    trial = trial_of(forged)
    assert (failing(trial), trial.tests_passed) == ({"behaviour"}, 3)
    assert "assert {'value': 1} == {'value': 0}" in (trial.reason or "")


class Defect:
    """An agent of ours with a mistake in it."""

    is_control = True

    def work(self, assignment: Assignment, sandbox: Sandbox) -> AgentReport:
        del sandbox
        raise KeyError(f"{assignment.arm}\n")


class Waits:
    """An agent of ours whose one call waits for a place; `played` says so of a record's call."""

    is_control = True

    def __init__(self, *, played: bool) -> None:
        self.played = played

    def work(self, assignment: Assignment, sandbox: Sandbox) -> AgentReport:
        del assignment, sandbox
        if not self.played:
            time.sleep(0.6)
        one = Try(status="answered", http_status=200, seconds=0.1, waited=0.5)
        call = Call(
            turn=1, request_digest="", context_tokens=1, compacted=False, new_messages=(),
            answer=None, tries=(one,), seconds=0.0 if self.played else 0.6, cost_usd=None,
        )  # fmt: skip
        return AgentReport(log="", calls=(call,))


def test_waiting_is_told_beside_working_time_unless_the_call_is_played_again(home: Path) -> None:
    agents = {"waits": Waits(played=False), "played": Waits(played=True)}
    with bench_of(home, SandboxKind.process, agents) as bench:
        waits, played = (trial_of(attempt(bench, name)) for name in agents)
    assert waits.waited_seconds == 0.5
    assert 0.1 <= waits.agent_seconds < 0.5
    assert (played.waited_seconds, played.agent_seconds < 0.5) == (0.0, True)
    assert played.agent_seconds >= 0


class Queues:
    """An agent of ours whose work ends while it waits for a place."""

    is_control = True

    def work(self, assignment: Assignment, sandbox: Sandbox) -> AgentReport:
        del assignment, sandbox
        time.sleep(0.6)
        return AgentReport(log="", ending="wall_seconds", idle=0.5)


def test_a_wait_in_which_the_work_ends_is_no_working_time(home: Path) -> None:
    with bench_of(home, SandboxKind.process, {"queues": Queues()}) as bench:
        trial = trial_of(attempt(bench, "queues"))
    assert trial.waited_seconds == 0.5
    assert 0.1 <= trial.agent_seconds < 0.5


def paid(cost: float | None, context: int, *usages: Usage, compacted: bool = False) -> Call:
    """A call with one try for each usage."""
    tries = [Try(status="answered", http_status=200, seconds=0.1, usage=one) for one in usages]
    return Call(
        turn=1, request_digest="", context_tokens=context, compacted=compacted, new_messages=(),
        answer=None, tries=tuple(tries), seconds=0.1, cost_usd=cost,
    )  # fmt: skip


class Spends:
    """An agent of ours that says it asked a model."""

    is_control = True

    def __init__(self, *calls: Call, failure: SeamBenchError | None = None) -> None:
        self.calls, self.failure = calls, failure

    def work(self, assignment: Assignment, sandbox: Sandbox) -> AgentReport:
        del assignment, sandbox
        use = ToolUse(
            turn=1, number=1, name="bash", kind="read", contexts_read=(), contexts_edited=(),
            request_tokens=1, result_tokens=1, seconds=0.1, ending="0",
        )  # fmt: skip
        return AgentReport(log="", ending="submitted", calls=self.calls, tools=(use,) * 3,
                           edits_applied=4, edits_failed=5, failure=self.failure)  # fmt: skip


def test_what_was_spent_stands_in_the_row_class_by_class(home: Path) -> None:
    failed = Usage(fresh_input=1000)
    first = Usage(fresh_input=100, cache_read=20, cache_write=3, output=50, reasoning=40)
    second = Usage(fresh_input=1, cache_read=400, output=7)
    calls = (paid(0.5, 123, failed, first), paid(0.25, 401, second, compacted=True))
    agents = {"known": Spends(*calls), "unknown": Spends(calls[0], paid(None, 1, second))}
    with bench_of(home, SandboxKind.process, agents) as bench:
        known, unknown = (trial_of(attempt(bench, name)) for name in agents)
    spent = known.model_dump(include={
        "agent_ending", "model_calls", "tool_calls", "input_tokens", "fresh_input_tokens",
        "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens",
        "compactions", "peak_context_tokens", "mean_context_tokens", "edits_applied",
        "edits_failed", "cost_usd",
    })  # fmt: skip
    assert spent == {
        "agent_ending": "submitted",
        "model_calls": 2,
        "tool_calls": 3,
        "input_tokens": 1524,
        "fresh_input_tokens": 1101,
        "cache_read_tokens": 420,
        "cache_write_tokens": 3,
        "output_tokens": 57,
        "reasoning_tokens": 40,
        "compactions": 1,
        "peak_context_tokens": 401,
        "mean_context_tokens": 262.0,
        "edits_applied": 4,
        "edits_failed": 5,
        "cost_usd": 0.75,
    }
    # A part that nobody knows makes the whole unknown.
    assert (unknown.cost_usd, unknown.model_calls) == (None, 2)


def test_what_broke_an_agent_off_loses_its_trial_and_keeps_what_was_paid(home: Path) -> None:
    broke = Spends(paid(0.5, 9, Usage(fresh_input=9)), failure=ModelFailed("no answer in 5 tries"))
    with bench_of(home, SandboxKind.process, {"broke": broke}) as bench:
        result = attempt(bench, "broke")
    trial = trial_of(result)
    assert (trial.status, trial.failure_cause) == ("lost", "provider")
    assert trial.failure_detail == "no answer in 5 tries"
    assert (trial.cost_usd, trial.input_tokens, len(result.entry.calls)) == (0.5, 9, 1)
    assert (trial.tests_total, "patch.diff" in result.files) == (0, False)


def test_a_defect_of_the_harness_costs_its_trial_alone_and_is_told(home: Path) -> None:
    with bench_of(home, SandboxKind.process, {"nop": Defect()}) as bench:
        trial = trial_of(attempt(bench, "nop"))
    assert (trial.status, trial.failure_cause) == ("lost", "harness")
    told = r"KeyError in harness/trial\.py:\d+: 'one\\n'; please report it"
    assert re.fullmatch(told, trial.failure_detail or "")


PRICES = """

@app.get("/v1/prices/{name}")
def price(name: str) -> dict[str, int]:
    return {"price": len(name)}
"""
RECITES = f"""{RENAME}
python3 - <<'P'
import json, sys
from pathlib import Path
sys.path.insert(0, ".")
import beyond
Path("beyond.json").write_text(json.dumps(beyond.app.openapi()))
text = Path("beyond.py").read_text()
head = "import json\\nfrom pathlib import Path\\n"
last = "app.openapi = lambda: json.loads(Path('beyond.json').read_text())\\n"
Path("beyond.py").write_text(head + text[:text.index('@app.get("/v1/prices')] + last)
P
"""


def test_a_document_that_is_recited_does_not_stand_for_what_is_gone(home: Path) -> None:
    beyond = home / "fixtures/tally/two/beyond.py"
    beyond.write_text(beyond.read_text() + PRICES)
    agents = {"good": ScriptAgent(RENAME), "recites": ScriptAgent(RECITES)}
    with bench_of(home, SandboxKind.process, agents) as bench:
        good, recites = (trial_of(attempt(bench, name, "two")) for name in agents)
    assert good.resolved, good.reason
    assert failing(recites) == {"contract"}
    told = "beyond: /v1/prices/{name}: the document names it and nothing is there"
    assert recites.reason == f"contract: {told}"


def sweep_of(bench: Bench, out: Path) -> Witness:
    """Run every cell over the first arm, in the way of a study."""
    cells = tuple(cell for cell in expand(bench.study) if cell.arm == "one")
    plan, witness = Plan(name="t", locks={}, cells=cells), Witness()
    with Store(RunPaths(out)) as store:
        executor = LocalExecutor(1, bench.sandboxes.abort)
        run_sweep(Sweep(bench, plan, store, executor, witness), cells)
    return witness


def test_a_defect_of_the_harness_is_not_tried_again_at_the_cost_of_the_agent(
    home: Path, tmp_path: Path
) -> None:
    with bench_of(home, SandboxKind.process, {"nop": Defect()}) as bench:
        witness = sweep_of(bench, tmp_path / "out")
    (trial,) = witness.ended_trials
    assert (trial.failure_cause, trial.attempt, witness.retries) == ("harness", 1, [])


def test_a_hidden_suite_that_collects_nothing_is_lost_after_its_attempts(
    home: Path, tmp_path: Path
) -> None:
    (home / "tasks/tally/rename/hidden/test_zero.py").write_text("VALUE = 0\n")
    with bench_of(home, SandboxKind.process, {"nop": ScriptAgent("true")}) as bench:
        witness = sweep_of(bench, tmp_path / "out")
    (trial,) = witness.ended_trials
    assert (trial.status, trial.failure_cause, trial.attempt) == ("lost", "verifier", 2)
    assert "hidden/ collected no tests" in (trial.failure_detail or "")
    assert len(witness.retries) == 1
    entries = list(read_entries(tmp_path / "out/records.jsonl"))
    assert [(e.attempt.attempt, e.trial is not None) for e in entries] == [(1, False), (2, True)]


@dataclass
class Recovers:
    """Fails once, in the way it is given, and then does its work."""

    error: SeamBenchError | None
    is_control: bool = True

    def work(self, assignment: Assignment, sandbox: Sandbox) -> AgentReport:
        error, self.error = self.error, None
        if error is not None:
            raise error
        return ScriptAgent(RENAME).work(assignment, sandbox)


@pytest.mark.parametrize(
    ("error", "cause"),
    [(SandboxError("gone once"), "sandbox"), (ModelFailed("gone once"), "provider")],
)
def test_what_infrastructure_loses_once_is_scored_at_its_second_attempt(
    shared_home: Path, tmp_path: Path, error: SeamBenchError, cause: str
) -> None:
    agents: dict[str, Agent] = {"nop": Recovers(error)}
    with bench_of(shared_home, SandboxKind.process, agents) as bench:
        witness = sweep_of(bench, tmp_path / "out")
    (trial,) = witness.ended_trials
    assert (trial.status, trial.attempt, trial.resolved) == ("scored", 2, True)
    assert witness.retries == ["gone once"]
    first, second = (e.attempt for e in read_entries(tmp_path / "out/records.jsonl"))
    assert (first.attempt, first.status, first.failure_cause) == (1, "lost", cause)
    assert (second.attempt, second.status, second.failure_cause) == (2, "scored", None)


@pytest.mark.parametrize("error", [DiskFull("no room"), EngineGone("no engine")])
def test_where_nothing_can_go_on_the_sweep_stops_and_its_trial_is_as_if_not_begun(
    shared_home: Path, tmp_path: Path, error: SeamBenchError
) -> None:
    agents: dict[str, Agent] = {"nop": Recovers(error)}
    with (
        bench_of(shared_home, SandboxKind.process, agents) as bench,
        pytest.raises(type(error), match=str(error)),
    ):
        sweep_of(bench, tmp_path / "out")
    with bench_of(shared_home, SandboxKind.process, agents) as bench:
        witness = sweep_of(bench, tmp_path / "out")
    (trial,) = witness.ended_trials
    assert (trial.status, trial.attempt, witness.reused) == ("scored", 1, 0)
    assert len(list(read_entries(tmp_path / "out/records.jsonl"))) == 1


def test_a_trial_whose_files_cannot_be_written_keeps_what_it_paid(
    shared_home: Path, tmp_path: Path
) -> None:
    agents: dict[str, Agent] = {"nop": Spends(paid(0.5, 200, Usage(fresh_input=1000)))}
    with bench_of(shared_home, SandboxKind.process, agents) as bench:
        (cell,) = (cell for cell in expand(bench.study) if cell.arm == "one")
        RunPaths(tmp_path).trial(cell.trial_id).score.mkdir(parents=True)
        with pytest.raises(BadInput, match=r"score\.json: cannot be written: Is a directory"):
            sweep_of(bench, tmp_path)
    (kept,) = read_entries(RunPaths(tmp_path).records)
    assert (kept.trial, [call.cost_usd for call in kept.calls]) == (None, [0.5])


def test_a_trial_whose_files_are_not_in_place_has_no_line(
    shared_home: Path, tmp_path: Path
) -> None:
    with bench_of(shared_home, SandboxKind.process, {"nop": ScriptAgent("true")}) as bench:
        (cell,) = (cell for cell in expand(bench.study) if cell.arm == "one")
        RunPaths(tmp_path).trial(cell.trial_id).score.mkdir(parents=True)
        with pytest.raises(BadInput, match=r"score\.json: cannot be written: Is a directory"):
            sweep_of(bench, tmp_path)
    assert list(read_entries(RunPaths(tmp_path).records)) == []
