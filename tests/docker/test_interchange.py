"""Patches leave as SWE-bench predictions, and come back scored like any agent's."""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml

from harness.analysis.frame import read_trials
from tests.benches import CONTROLS, QUICK, checkout_with_venv
from tests.benches import seambench as run_command

RUN = ("run", *QUICK)
pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkout_with_venv(tmp_path_factory.mktemp("interchange") / "home")


@pytest.fixture(scope="module")
def exported(shared_home: Path) -> tuple[Path, list[dict[str, str]]]:
    """A checkout with a run of the controls, and its predictions."""
    done = run_command(shared_home, *RUN, CONTROLS, "name=made")
    assert done.returncode == 0, done.stderr
    results = shared_home / "results/made"
    done = run_command(shared_home, "export", str(results), "--format", "swebench")
    assert done.returncode == 0, done.stderr
    path = results / "export/swebench/predictions.jsonl"
    return path, [json.loads(line) for line in path.read_text().splitlines()]


FACTORS = ["behaviour", "equivalence", "structure", "contract", "integrity", "resolved"]


@pytest.mark.long
def test_patches_from_elsewhere_get_the_verdict_that_their_makers_got(shared_home, exported):
    path, lines = exported
    done = run_command(shared_home, *RUN, "agent=predictions", f"from={path}", "name=back")
    assert done.returncode == 0, done.stderr
    made, back = (read_trials(shared_home / "results" / name) for name in ("made", "back"))
    names = made["agent"] + (":" + made["variant"]).fillna("")
    made = made.assign(model=names).set_index(["task", "arm", "model"])[FACTORS].sort_index()
    back = back.set_index(["task", "arm", "model"])[FACTORS].sort_index()
    assert len(made) == len(lines)
    assert made["resolved"].any()
    assert not made["resolved"].all()
    pd.testing.assert_frame_equal(made, back, check_index_type=False, check_dtype=False)


@pytest.mark.long
def test_patches_from_elsewhere_are_scored_again_without_their_file(
    shared_home, exported, tmp_path
):
    path = tmp_path / "one.jsonl"
    path.write_text(json.dumps(exported[1][0]))
    done = run_command(shared_home, *RUN, "agent=predictions", f"from={path}", "name=one")
    assert done.returncode == 0, done.stderr
    path.unlink()
    done = run_command(shared_home, "regrade", str(shared_home / "results/one"))
    assert done.returncode == 0, done.stderr
    assert read_trials(shared_home / "results/one")["attempt"].tolist() == [2]


def test_a_patch_that_does_not_apply_is_its_makers_outcome(shared_home, exported, tmp_path):
    line = exported[1][0] | {
        "model_patch": "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"
    }
    path = tmp_path / "bad.jsonl"
    path.write_text(json.dumps(line))
    done = run_command(shared_home, *RUN, "agent=predictions", f"from={path}", "name=bad")
    assert done.returncode == 0, done.stderr
    (trial,) = read_trials(shared_home / "results/bad").to_dict("records")
    assert (trial["status"], trial["resolved"], trial["structure"]) == ("scored", False, False)
    log = shared_home / "results/bad/trials" / trial["trial_id"] / "agent.log"
    assert "does not apply" in log.read_text()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"instance_id": "tally"}, "must be app__task__arm__scope__budget__repeat"),
        ({"instance_id": "tally__none__one__all__full__0"}, "tally/none"),
        ({"instance_id": "{arm}"}, "arm"),
        ({"model_patch": 3}, "model_patch"),
        ("not json", "Invalid JSON"),
        ("again", "twice"),
    ],
)
def test_bad_predictions_are_one_line_and_nothing_runs(
    shared_home, exported, tmp_path, change, words
):
    first = exported[1][0]
    if change == "again":
        text = json.dumps(first) + "\n" + json.dumps(first)
    elif isinstance(change, str):
        text = json.dumps(first) + "\n" + change
    else:
        arm = first["instance_id"].split("__")
        arm[2] = "pyramid"
        named = {k: "__".join(arm) if v == "{arm}" else v for k, v in change.items()}
        text = json.dumps(first | named)
    path = tmp_path / "bad.jsonl"
    path.write_text(text)
    done = run_command(shared_home, *RUN, "agent=predictions", f"from={path}", "name=never")
    assert done.returncode == 2
    assert words in done.stderr
    assert "bad.jsonl" in done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("seambench:")]) == 1
    assert not list((shared_home / "results/never").glob("trials/*"))


def test_a_release_is_parquet_with_a_card_that_hubs_can_read(shared_home, exported, tmp_path):
    results = shared_home / "results/made"
    done = run_command(
        shared_home, "export", str(results), "--format", "parquet", "--out", str(tmp_path)
    )
    assert done.returncode == 0, done.stderr
    card = (tmp_path / "README.md").read_text()
    front = yaml.safe_load(card.split("---\n")[1])
    for entry in front["configs"]:
        assert (tmp_path / entry["data_files"]).is_file()
    plan = read_trials(results)["plan_digest"].iloc[0]
    assert plan in card
    pd.testing.assert_frame_equal(read_trials(tmp_path), read_trials(results))


def test_an_unknown_format_is_named(shared_home, exported):
    done = run_command(shared_home, "export", "results/made", "--format", "xml")
    assert done.returncode == 2
    assert "--format xml: unknown; choose one of swebench, parquet" in done.stderr
