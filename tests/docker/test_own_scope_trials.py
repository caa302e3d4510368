"""Whole trials in scope `own`: both scaffolds, the patch that comes back, and the replay."""

from pathlib import Path

import pytest

from harness.records import TrialRecord
from tests.benches import QUICK, checkout_with_venv, edit, seambench, trials_in
from tests.samples import BEYOND
from tests.wire.moves import Move, Say, Use
from tests.wire.server import scripted

pytestmark = [pytest.mark.docker, pytest.mark.long]

STUB = "def health() -> dict[str, str]: ...\n"
SOLVE = "sed -i s/next_value/advance/g tally/*.py"
LOOK = "ls -R . contracts; cat contracts/*; grep -r health /work /run /tmp; app up && app status"
LOOP = [
    Say(uses=(Use("bash", {"command": LOOK}, "a"),)),
    Say(uses=(Use("bash", {"command": SOLVE}, "b"), Use("bash", {"command": "app test"}, "c"))),
    Say(uses=(Use("submit", {}, "d"),)),
]
EDITS = """
tally/rules.py
<<<<<<< SEARCH
    return value + step
=======
    return step + value
>>>>>>> REPLACE
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small checkout, where the second program of the arm `two` is a context of its own."""
    root = checkout_with_venv(tmp_path_factory.mktemp("own") / "home")
    pair = root / "fixtures/tally/pair.yaml"
    edit(pair, "contexts: [tally]\n", "contexts: [tally, beyond]\n")
    edit(
        pair,
        "glue: [tally/main.py]}}\n    shared: [beyond.py]\n",
        "glue: [tally/main.py]}, beyond: {domain: [beyond.py]}}\n"
        "    shared: [app.toml]\n    contracts: ['contracts/*.pyi']\n",
    )
    contracts = root / "fixtures/tally/two/contracts"
    contracts.mkdir()
    (contracts / "beyond.pyi").write_text(STUB)
    return root


def play(home: Path, name: str, agent: str, moves: list[Move]) -> tuple[TrialRecord, str]:
    """The one trial of a run, and everything that was said in it."""
    with scripted(moves) as server:
        ended = seambench(
            home, "run", "model=compatible", f"name={name}", f"agent=[{agent}]", "arms=[two]",
            f"models.compatible.base_url={server.base_url('openai-chat')}",
            "models.compatible.key_env=TEST_KEY", "scopes=[own]", *QUICK, TEST_KEY="key",
        )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    (trial,) = trials_in(home / "results" / name).values()
    told = home / "results" / name / "trials" / trial.trial_id / "trajectory.json"
    return trial, told.read_text()


def patch_of(home: Path, name: str, trial: TrialRecord) -> bytes:
    return (home / "results" / name / "trials" / trial.trial_id / "patch.diff").read_bytes()


def test_a_loop_tries_its_work_against_what_it_does_not_see(home: Path) -> None:
    trial, told = play(home, "loop", "tool_loop", list(LOOP))
    assert (trial.scope, trial.resolved, trial.agent_ending) == ("own", True, "submitted")
    assert "http://127.0.0.1:8101  up" in told
    assert "1 passed" in told
    assert "def health() -> dict[str, str]: ..." in told
    assert "Answers nothing but its health" in BEYOND
    assert "Answers nothing" not in told
    assert told.count("beyond.py") == told.count("beyond.pyi")
    assert b"beyond" not in patch_of(home, "loop", trial)

    again = seambench(
        home, "run", "agent=replay", f"from={home}/results/loop", "name=again", *QUICK
    )
    assert again.returncode == 0, again.stderr
    (replayed,) = trials_in(home / "results/again").values()
    assert (replayed.scope, replayed.resolved) == ("own", True)
    assert patch_of(home, "again", replayed) == patch_of(home, "loop", trial)


def test_one_answer_is_packed_from_what_is_shown_and_gives_a_whole_patch(home: Path) -> None:
    trial, told = play(home, "shot", "one_shot", [Say(EDITS)])
    assert (trial.scope, trial.status, trial.edits_applied) == ("own", "scored", 1)
    assert "=== contracts/beyond.pyi" in told
    assert "=== tally/rules.py" in told
    assert "Answers nothing" not in told
    assert b"+    return step + value" in patch_of(home, "shot", trial)


def test_own_scope_without_isolation_is_one_line(home: Path) -> None:
    ended = seambench(
        home, "run", "sandbox=process", "agent=nop", "scopes=[own]", "name=no", *QUICK
    )
    assert ended.returncode == 2
    assert "sandbox=process: scopes=[own] needs isolation; use docker" in ended.stderr
    assert ended.stderr.count("\n") == 1
