"""Scaffolds in containers, driven by scripted models over real wires and by mutated answers."""

import importlib.util
import itertools
import json
import random
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from harness import build
from harness.agents import AgentReport, Assignment
from harness.agents.one_shot import OneShot
from harness.agents.session import Limits, Session
from harness.agents.tool_loop import ToolLoop
from harness.config import RunConfig, SandboxKind
from harness.llm import Answer, Message, Text
from harness.llm.arguments import read_call
from harness.paths import Checkout
from harness.sandbox import Sandbox, Sandboxes
from tests.benches import (
    attempt,
    bench_of,
    checkout_with_venv,
    seambench,
    trial_of,
    trials_in,
)
from tests.samples import FILES, ROOT
from tests.sandboxes import shell, tar_of
from tests.wire.moves import Fail, Move, Say, Use
from tests.wire.scripted import ScriptedModel, answer, fails, says, uses
from tests.wire.server import Scripted, scripted
from tests.wire.storm import COLUMNS, gust

pytestmark = pytest.mark.docker
KEY = "never-to-be-seen-4711"
SOLVE = "sed -i s/next_value/advance/g tally/*.py"
VIEW = {"command": "view", "path": "tally/rules.py"}
TALK = [
    Say("looking", uses=(Use("bash", {"command": "ls"}, "a"), Use("frobnicate", {}, "b"))),
    Fail(429, "0", told="not now, {key}"),
    Say(
        uses=(
            Use("bash", "{broken", "c"),
            Use("edit", {"command": "view", "path": "tally/rules.py"}, "d"),
        )
    ),
    Say(uses=(Use("bash", {"command": SOLVE}, "e"), Use("bash", {"command": "app test"}, "f"))),
    Say("", cut=True, uses=(Use("bash", {"command": "rm -rf tally"}, "g"),)),
    Say("I am thinking"),
    Say(uses=(Use("submit", {}, "h"),)),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkout_with_venv(tmp_path_factory.mktemp("models") / "home")


def run(
    home: Path, server: Scripted, *words: str, models: str = "compatible"
) -> "subprocess.CompletedProcess[str]":
    return seambench(
        home,
        "run",
        f"model=[{models}]",
        f"models.compatible.base_url={server.base_url('openai-chat')}",
        "models.compatible.key_env=TEST_KEY",
        "agent=[tool_loop]",
        "arms=[one]",
        "verification=quick",
        "executor.workers=1",
        *words,
        TEST_KEY=KEY,
    )


def test_a_model_refactors_and_its_record_plays_again_byte_for_byte(home: Path) -> None:
    with scripted(TALK) as server:
        ended = run(home, server, "name=live")
        assert ended.returncode == 0, ended.stderr
    (trial,) = trials_in(home / "results/live").values()
    assert trial.resolved
    assert (trial.agent_ending, trial.model_calls, trial.tool_calls) == ("submitted", 6, 8)
    assert (trial.input_tokens, trial.output_tokens) == (66, 30)
    assert trial.cost_usd is None
    folder = home / "results/live/trials" / trial.trial_id
    told = json.loads((folder / "trajectory.json").read_text())
    endings = [use["ending"] for use in told["uses"]]
    assert endings == ["ok", "error", "error", "ok", "ok", "ok", "error", "ok"]
    kinds = [use["kind"] for use in told["uses"]]
    assert kinds == ["navigate", "other", "other", "read", "edit", "test", "edit", "other"]
    assert_no_key(ended, home / "results/live")

    again = seambench(
        home, "run", "agent=replay", f"from={home}/results/live", "name=again",
        "verification=quick", "executor.workers=1",
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    (replayed,) = trials_in(home / "results/again").values()
    other = home / "results/again/trials" / replayed.trial_id
    assert (other / "patch.diff").read_bytes() == (folder / "patch.diff").read_bytes()
    assert (other / "score.json").read_bytes() == (folder / "score.json").read_bytes()
    assert replayed.input_tokens == trial.input_tokens

    # A record whose second answer has been changed no longer asks the third question.
    shutil.copytree(home / "results/live", home / "results/forged")
    forged = home / "results/forged/trials" / trial.trial_id / "trajectory.json"
    forged.write_text(forged.read_text().replace('"command": "ls"', '"command": "pwd"'))
    diverged = seambench(
        home, "run", "agent=replay", f"from={home}/results/forged", "name=forgery",
        "verification=quick", "executor.workers=1",
    )  # fmt: skip
    assert diverged.returncode == 2
    assert "call 2: the first that differs" in diverged.stderr


def assert_no_key(ended: "subprocess.CompletedProcess[str]", folder: Path) -> None:
    assert KEY not in ended.stdout + ended.stderr
    for path in folder.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path


@pytest.mark.parametrize("status", [400, 403])
def test_a_provider_that_is_gone_loses_the_trial_and_no_call(home: Path, status: int) -> None:
    """Its last words quote the key; a key that is refused stops the sweep at the next trial."""
    refusal = Fail(status, told="no more of {key}")
    moves: list[Move] = [Say(uses=(Use("bash", {"command": "ls {key}"}),)), *[refusal] * 9]
    with scripted(moves) as server:
        ended = run(home, server, f"name=gone{status}", "budget.attempts=1", "repeats=2")
    assert_no_key(ended, home / f"results/gone{status}")
    assert "no more of [left out]" in ended.stderr
    assert ended.returncode == (2 if status == 403 else 1)
    trials = trials_in(home / f"results/gone{status}")
    trial = next(trial for trial in trials.values() if trial.model_calls == 2)
    assert (trial.status, trial.failure_cause) == ("lost", "provider")
    assert (trial.model_calls, trial.input_tokens) == (2, 11)
    assert len(trials) == (1 if status == 403 else 2)


def test_a_limit_ends_cleanly_and_what_is_there_is_scored(home: Path) -> None:
    moves = [Say(uses=(Use("bash", {"command": SOLVE}),))]
    with scripted(moves) as server:
        run(home, server, "name=short", "budget.turns=1")
    (trial,) = trials_in(home / "results/short").values()
    assert (trial.status, trial.agent_ending, trial.resolved) == ("scored", "turns", True)


@pytest.mark.long
def test_a_study_that_is_spent_begins_no_more_trials(home: Path) -> None:
    words = ("name=poor", "repeats=3")
    with scripted(lambda _number, _body: Say("x")) as server:
        for _ in range(2):  # what an earlier run spent is spent: the same sum asks nothing more
            ended = run(home, server, *words, "budget.study_turns=1")
            assert ended.returncode == 1
            assert "3 trials were not begun or not finished" in ended.stderr
            assert trials_in(home / "results/poor") == {}  # what money ended has no outcome
            assert len(server.ledger.requests) == 1
        more = run(home, server, *words, "budget.study_turns=1000")
        assert more.returncode == 0, more.stderr
        assert len(trials_in(home / "results/poor")) == 3


@pytest.mark.long
@pytest.mark.skipif(importlib.util.find_spec("xllamacpp") is None, reason="extra `local` missing")
def test_the_smallest_run_of_the_embedded_model_is_recorded_word_for_word(tmp_path: Path) -> None:
    """A server that we did not write, a loop of tools, a shipped app: all that a newcomer runs."""
    ended = seambench(
        ROOT, "run", "experiment=smoke", "model=local", "budget=small", "arms=[monolith]",
        "verification=quick", "budget.turns=2", "budget.max_output_tokens=24",
        SEAMBENCH_RESULTS=str(tmp_path),
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    (trial,) = trials_in(tmp_path / "smoke").values()
    assert (trial.agent, trial.model, trial.status) == ("tool_loop", "local", "scored")
    assert (trial.agent_ending, trial.model_calls, trial.cost_usd) == ("turns", 2, 0.0)
    assert trial.input_tokens > 300  # the prompt and the task, which the second turn reads again
    assert 2 <= trial.output_tokens <= 48
    path = tmp_path / "smoke/trials" / trial.trial_id / "trajectory.json"
    told = json.loads(path.read_text())
    assert [tool["name"] for tool in told["tools"]] == ["bash", "edit", "submit"]
    # What it did, or that it only talked.
    said = [part for call in told["calls"] for part in call["answer"]["message"]["parts"]]
    used = sum(part["kind"] == "tool_call" for part in said)
    assert len(told["uses"]) == trial.tool_calls == used
    assert used or any(part["text"] for part in said)


class OneSession:
    """Sessions with a scripted model."""

    def __init__(self, model: ScriptedModel, limits: Limits) -> None:
        self.model, self.limits = model, limits

    def open(self, assignment: Assignment) -> Session:
        del assignment
        return Session(self.model, None, self.limits)


@pytest.fixture(scope="module")
def assignment(home: Path) -> Assignment:
    study = build.load_study(RunConfig(name="t"), Checkout(home))
    (task,) = study.tasks
    return Assignment(task, "one", None, 1, 60.0, pair=study.pairs["tally"])


@pytest.fixture
def agent_sandbox(containers: Sandboxes) -> Iterator[Sandbox]:
    with containers.open("agent") as opened:
        opened.put(tar_of(dict(FILES)), "/work")
        yield opened


def test_one_shot_shows_the_files_and_applies_the_edits(
    assignment: Assignment, agent_sandbox: Sandbox
) -> None:
    text = """
tally/rules.py
<<<<<<< SEARCH
def next_value(value: int, step: int) -> int:
=======
def advance(value: int, step: int) -> int:
>>>>>>> REPLACE

tally/none.py
<<<<<<< SEARCH
a
=======
b
>>>>>>> REPLACE

.git/hooks/x
<<<<<<< FILE
a
>>>>>>> END
"""
    model = ScriptedModel([says(text)])
    report = OneShot(OneSession(model, Limits())).work(assignment, agent_sandbox)
    assert (report.ending, report.edits_applied, report.edits_failed) == ("stopped", 1, 2)
    (request,) = model.requests
    shown = request.messages[0].text
    assert shown.index("=== tally/main.py") < shown.index("=== tests/test_tally.py")
    assert "def advance" in shell(agent_sandbox, "cat tally/rules.py").stdout
    assert shell(agent_sandbox, "ls -a").stdout.split() == [".", "..", "tally", "tests"]


@pytest.mark.parametrize(
    ("said", "failed"),
    [(says("I would rename it."), 1), (says(""), 1), (says("no", stop="refusal"), 0)],
)
def test_an_answer_without_an_edit_is_measured_as_one_that_failed(
    assignment: Assignment, agent_sandbox: Sandbox, said: Answer, failed: int
) -> None:
    report = OneShot(OneSession(ScriptedModel([said]), Limits())).work(assignment, agent_sandbox)
    assert (report.edits_applied, report.edits_failed) == (0, failed)


def test_the_edit_tool_stays_inside_and_says_what_is_wrong(
    assignment: Assignment, agent_sandbox: Sandbox
) -> None:
    calls = [
        ("edit", {"command": "create", "path": "new/a.py", "text": "a\nb\n"}),
        ("edit", {"command": "insert", "path": "new/a.py", "line": 1, "text": "x"}),
        ("edit", {"command": "str_replace", "path": "new/a.py", "old": "b", "new": "c"}),
        ("edit", {"command": "str_replace", "path": "new/a.py", "old": "z", "new": "c"}),
        ("edit", {"command": "view", "path": "new/a.py", "start": 2, "end": 3}),
        ("edit", {"command": "view", "path": "../etc/passwd"}),
        ("edit", {"command": "frob", "path": "a"}),
        ("edit", {"path": "a"}),
        ("bash", {"command": 7}),
        ("bash", {"command": "exit 3"}),
        ("submit", {}),
    ]
    report = ToolLoop(OneSession(ScriptedModel([uses(*calls)]), Limits())).work(
        assignment, agent_sandbox
    )
    assert [use.ending for use in report.tools] == [
        "ok", "ok", "ok", "error", "ok", "error", "error", "error", "error", "exit", "ok",
    ]  # fmt: skip
    assert shell(agent_sandbox, "cat new/a.py").stdout == "a\nx\nc\n"
    assert report.ending == "submitted"


@pytest.mark.parametrize(
    ("script", "ending"),
    [
        ([says("", stop="refusal")], "refusal"),
        ([says("hm"), says("hm")], "stopped"),
        ([says("")], "stopped"),
        ([uses(("bash", {"command": "true"}))] * 60, "turns"),
    ],
)
def test_a_loop_ends_in_words(
    assignment: Assignment, agent_sandbox: Sandbox, script: list[Answer], ending: str
) -> None:
    limits = Limits(turns=5)
    report = ToolLoop(OneSession(ScriptedModel(script), limits)).work(assignment, agent_sandbox)
    assert (report.ending, report.failure) == (ending, None)


def test_a_failing_model_is_reported_with_its_calls(
    assignment: Assignment, agent_sandbox: Sandbox
) -> None:
    model = ScriptedModel([uses(("bash", {"command": "true"})), fails()])
    report = ToolLoop(OneSession(model, Limits())).work(assignment, agent_sandbox)
    assert report.failure is not None
    assert len(report.calls) == 2


GOOD = [
    '{"command": "ls -la"}',
    '{"command": "create", "path": "a/b.py", "text": "x = 1"}',
    '{"command": "str_replace", "path": "tally/rules.py", "old": "step", "new": "by"}',
    '{"command": "echo héllo > out.txt && cat out.txt"}',
    "tally/rules.py\n<<<<<<< SEARCH\n        return value\n=======\n    pass\n>>>>>>> REPLACE\n",
    "b.py\n<<<<<<< FILE\nx = 1\n>>>>>>> END\n",
]
MUTANTS = 2000
BEGUN = re.compile(r"^<{5,9} ?(?:SEARCH|FILE)[^\S\n]*$", re.MULTILINE)
PIECES = ["", "\0", "\ud800", "../", "/etc/passwd", "{", "}", '"', "\\", "<<<<<<< FILE\n", "\n",
          "=======\n", ">>>>>>> END\n", "null", "[]", "-1", "1e999", "é" * 50, "$(touch /tmp/z)",
          "a" * 3000, "[" * 300, "Infinity", "\x1b[2J", "{{ 7 * 7 }}", ".git/config",
          "'; exit 9; '", "\u202e"]  # fmt: skip


def mutated(rng: random.Random) -> str:
    text = rng.choice(GOOD)
    for _ in range(rng.randrange(4)):
        at = rng.randrange(len(text) + 1)
        cut = at + rng.choice([0, 0, 1, 5])
        text = text[:at] + rng.choice(PIECES) + text[cut:]
    return text


def mutant(rng: random.Random) -> Answer:
    """Some answer, often a hostile one; arguments are whatever text came out."""
    stop = rng.choice(["end", "tool_calls", "max_tokens", "tool_calls", "tool_calls"])
    parts: list[object] = [Text(text=mutated(rng))] if rng.random() < 0.5 else []
    for number in range(rng.randrange(3)):
        name = rng.choice(["bash", "edit", "edit", "bash", "submit", "", "no\ud800ne", "view"])
        parts.append(read_call(rng.choice([f"c{number}", ""]), name, mutated(rng)))
    return answer(parts, stop)


def scripted_loop(seed: int) -> ToolLoop:
    """A loop whose model answers at random, the same for the same seed."""
    rng = random.Random(seed)
    return ToolLoop(OneSession(ScriptedModel([mutant(rng) for _ in range(4)]), Limits(turns=4)))


def blocks(seed: int) -> str:
    """One answer to `one_shot`, the same for the same seed."""
    rng = random.Random(-1 - seed)
    return "\n".join(mutated(rng) for _ in range(rng.randrange(1, 4)))


def scripted_shot(seed: int) -> OneShot:
    return OneShot(OneSession(ScriptedModel([says(blocks(seed))]), Limits()))


def near() -> list[list[str]]:
    """What lies where an answer that left its sandbox would write; of /tmp, what answers name."""
    whole = [sorted(map(str, Path(folder).iterdir())) for folder in (".", "/", "/etc")]
    return [*whole, sorted(map(str, Path("/tmp").glob("z*")))]


def test_two_thousand_mutated_answers_crash_no_scaffold_and_stay_in_the_sandbox(
    assignment: Assignment,
    agent_sandbox: Sandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So many for each of both. Seeds are told in the failure; each answer has its report."""
    monkeypatch.chdir(tmp_path)  # empty, and what most answers name is relative
    before = near()
    answers = shots = 0
    seeds = itertools.count()
    while answers < MUTANTS:
        seed = next(seeds)
        report = scripted_loop(seed).work(assignment, agent_sandbox)
        assert_whole(report, seed)
        answers += len(report.calls)
    for seed in range(MUTANTS):
        if seed % 50 == 0:
            shell(agent_sandbox, "rm -rf /work/*")
            agent_sandbox.put(tar_of(dict(FILES)), "/work")
        report = scripted_shot(seed).work(assignment, agent_sandbox)
        assert_whole(report, seed)
        # Each block that was begun counts, whatever became of it; none swallows another.
        begun = len(BEGUN.findall(blocks(seed)))
        assert report.edits_applied + report.edits_failed == max(1, begun), seed
        shots += report.edits_applied
    assert shots > 100
    assert near() == before


@pytest.mark.long
def test_mutated_answers_end_in_a_record_of_their_trial(home: Path) -> None:
    """A few seeds of each scaffold go the whole way: patch, verdict, row, and what was said."""
    loops = {f"loop{seed}": scripted_loop(seed) for seed in range(3)}
    agents = loops | {f"shot{seed}": scripted_shot(seed) for seed in range(3)}
    with bench_of(home, SandboxKind.docker, agents) as bench:
        for name in agents:
            result = attempt(bench, name)
            trial = trial_of(result)
            assert trial.status in {"scored", "failed"}, (name, trial.failure_detail)
            assert trial.resolved is False, name
            assert trial.model_calls == len(result.entry.calls) > 0, name
            assert len(json.loads(result.files["trajectory.json"])["calls"]) == trial.model_calls


def assert_whole(report: AgentReport, seed: int) -> None:
    assert report.failure is None, seed
    assert report.ending is not None, seed
    assert json.loads(report.trajectory)["calls"], seed
    assert len(report.calls) >= 1, seed


def test_a_message_can_be_dumped_and_read_again() -> None:
    message = Message(role="assistant", parts=(Text(text="a"), read_call("1", "x", "{")))
    assert Message.model_validate_json(message.model_dump_json()) == message
    assert replace(Limits(), turns=1).turns == 1


STORM_CALLS = 500


@pytest.mark.long
def test_the_calls_of_a_stormy_sweep_add_up_to_the_servers_ledger(home: Path) -> None:
    """Three wires at once, on one server; every trial ends with a record."""

    def weather(number: int, body: dict[str, object]) -> Move:
        return gust(number, body, (Use("bash", {"command": "true"}),))

    with scripted(weather) as server:
        others = [
            f"models.{name}.{key}={value}"
            for name, wire in (("claude", "anthropic"), ("gpt", "openai-responses"))
            for key, value in (("base_url", server.base_url(wire)), ("key_env", "TEST_KEY"))
        ]
        ended = run(
            home, server, "name=storm", "arms=[one,two]", "repeats=2", "budget.turns=42",
            "executor.workers=4", "models.compatible.context_tokens=100000", *others,
            models="compatible,claude,gpt",
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr
    calls = pd.read_parquet(home / "results/storm/calls.parquet")
    trials = pd.read_parquet(home / "results/storm/trials.parquet")
    assert len(trials) == 2 * 2 * 3
    assert calls["tries"].sum() == len(server.ledger.requests) > len(calls) >= STORM_CALLS
    assert 0.15 < 1 - server.ledger.moves["Say"] / len(server.ledger.requests) < 0.25
    assert {"Fail", "HangUp", "Garbage"} <= set(server.ledger.moves)
    summed = {short: int(calls[f"{name}_tokens"].sum()) for short, name in COLUMNS.items()}
    assert summed == dict(server.ledger.told)
    assert set(calls["trial_id"]) == set(trials["trial_id"])
    kept = calls.groupby("trial_id")["output_tokens"].sum()
    assert kept.to_dict() == trials.set_index("trial_id")["output_tokens"].to_dict()
