"""What an app keeps in memory alone is found: it is started again on its data, and asked again."""

import json
from collections.abc import Iterator

import pytest

from harness.config import SandboxKind
from harness.trial import Bench
from tests.benches import ScriptAgent, attempt, bench_of, edit, failing, trial_of
from tests.samples import APP, FILES, PATCHES, make_checkout, make_patch, write

RENAME = "sed -i s/next_value/advance/g tally/*.py"
SCRIPTS = {
    "keeps": RENAME,
    "forgets": f"{RENAME}; sed -i /write_text/d tally/main.py",
    "never_again": f"{RENAME}; printf 'if values:\\n    raise RuntimeError(\"no more\")\\n' "
    ">> tally/main.py",
}
STORED = """\
kept = Path(os.environ["APP_DATA"]) / "values.json"
values: dict[str, int] = json.loads(kept.read_text()) if kept.exists() else {}
"""
SHOWN = """


@app.get("/v1/tallies/{name}")
def show(name: str) -> Value:
    return Value(value=values[name])
"""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    home = make_checkout(tmp_path_factory.mktemp("home"))
    for arm in APP:
        main = home / "fixtures/tally" / arm / "tally/main.py"
        edit(main, "values: dict[str, int] = {}\n", STORED)
        edit(
            main, "from fastapi", "import json\nimport os\nfrom pathlib import Path\n\nfrom fastapi"
        )
        stored = "step.step)\n    kept.write_text(json.dumps(values))\n"
        edit(main, "step.step)\n", stored)
        main.write_text(main.read_text() + SHOWN)
        patch = make_patch(FILES | {"tally/main.py": main.read_text()}, PATCHES["solutions/plain"])
        write(home / "tasks/tally/rename/solutions/plain" / f"{arm}.patch", patch)
    sequences = home / "fixtures/tally/contract/sequences.py"
    look = "] + [dict(method='GET', path=f'/v1/tallies/s{n}', headers=dict(), save=dict())])"
    edit(sequences, "    ])", look)
    agents = {name: ScriptAgent(script) for name, script in SCRIPTS.items()}
    with bench_of(home, SandboxKind.process, agents) as made:
        yield made


def test_state_that_is_stored_outlives_a_restart(bench: Bench) -> None:
    result = attempt(bench, "keeps")
    assert trial_of(result).resolved
    told = json.loads(str(result.files["evidence.json"]))
    assert told["replay"]["looks"] == told["restart"]["looks"] == 20


def test_state_that_only_memory_holds_is_no_equivalence(bench: Bench) -> None:
    trial = trial_of(attempt(bench, "forgets"))
    assert failing(trial) == {"equivalence"}
    assert trial.reason is not None
    assert trial.reason.startswith(
        "equivalence: after a restart, sequence s0000, GET /v1/tallies/s0: status 500 "
    )


def test_an_app_that_does_not_start_again_on_its_data_fails_equivalence_alone(bench: Bench) -> None:
    result = attempt(bench, "never_again")
    trial = trial_of(result)
    assert (trial.status, failing(trial)) == ("scored", {"equivalence"})
    assert trial.reason is not None
    assert trial.reason.startswith("equivalence: after a restart: tally/one did not start (start ")
    assert "no more" in trial.reason
    assert trial.tests_passed == trial.tests_total
    assert trial.collateral_break_share == 0
    assert "no more" in json.loads(str(result.files["evidence.json"]))["not_restarted"]
