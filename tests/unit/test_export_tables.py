"""Export of a folder that holds tables only: what can be written is, the rest is said."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from inspect_ai.log import list_eval_logs, read_eval_log

from harness.analysis.frame import TABLES, read_run, write_parquet
from harness.config import AgentKind
from harness.errors import BadInput
from harness.export import release
from harness.paths import RunPaths
from harness.plan import Cell, Plan, dump_plan, judge_anew, read_plans, write_plan
from harness.predictions import Instance, read_predictions
from harness.records import TrialRecord
from harness.results import EXPORTS, export
from tests.benches import seambench
from tests.records_factory import demo_trials, entries, replayed, trial, write_run

ROOT = Path(__file__).parents[2]


def write_patched(folder: Path, rows: list[TrialRecord]) -> Path:
    """A results folder whose every trial has a patch of its own."""
    for row in rows:
        patch = RunPaths(folder).trial(row.trial_id).patch
        patch.parent.mkdir(parents=True, exist_ok=True)
        patch.write_text(f"diff --git a/{row.trial_id} b/x\n")
    return write_run(folder, entries(rows))


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """The 24 trials of the demo with a patch each."""
    return write_patched(tmp_path / "records", demo_trials())


@pytest.fixture
def tables(records: Path, tmp_path: Path) -> Path:
    """The same as its release: five tables."""
    folder = tmp_path / "tables"
    write_parquet(read_run(records), folder)
    return folder


def refused(folder: Path, form: str) -> str:
    done = seambench(ROOT, "export", str(folder), "--format", form)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    return line


def test_a_release_is_released_again_as_it_is(tables, tmp_path):
    EXPORTS["parquet"](tables, tmp_path / "again")
    for name in TABLES:
        first, second = (
            pd.read_parquet(f / f"{name}.parquet") for f in (tables, tmp_path / "again")
        )
        pd.testing.assert_frame_equal(first, second)
    assert "- trials: 24 rows" in (tmp_path / "again/README.md").read_text()


def lock(folder: Path, image: str, cells: tuple[Cell, ...] = ()) -> Plan:
    plan = Plan(name=folder.name, locks={"image": image}, cells=cells)
    RunPaths(folder).plan.write_text(dump_plan(plan))
    return plan


def cell(trial_id: str) -> Cell:
    return Cell(
        trial_id=trial_id, cell_id="c", app="atelier", arm="monolith", task="atelier/t",
        scope="all", agent="oracle", kind=AgentKind.oracle, variant=None, model=None, repeat=0,
        seed=1,
    )  # fmt: skip


@pytest.fixture
def halves(tmp_path: Path) -> tuple[Path, Path]:
    """The demo as two machines ran it, an arm each, under a plan of its own."""
    folders = []
    for arm in ("monolith", "microservices"):
        folder = tmp_path / arm
        image = f"sha256:{arm}"
        plan = Plan(name=arm, locks={"image": image}, cells=())
        rows = [
            row.model_copy(update={"plan_digest": plan.digest, "image_digest": image})
            for row in demo_trials()
            if row.arm == arm
        ]
        write_run(folder, entries(rows))
        assert lock(folder, image).digest == plan.digest
        folders.append(folder)
    return folders[0], folders[1]


def test_studies_are_joined_as_if_they_were_one(halves, tables, tmp_path):
    out = tmp_path / "joined"
    done = seambench(ROOT, "export", *map(str, halves), "--format", "parquet", "--out", str(out))
    assert done.returncode == 0, done.stderr
    for name in TABLES:
        whole, joined = (pd.read_parquet(f / f"{name}.parquet") for f in (tables, out))
        told_apart = ["plan_digest", "image_digest"]
        pd.testing.assert_frame_equal(
            *(f.drop(columns=told_apart, errors="ignore") for f in (whole, joined))
        )
    plans = read_plans(RunPaths(out))
    assert {plan.name for plan in plans} == {"monolith", "microservices"}
    trials = pd.read_parquet(out / "trials.parquet")
    assert set(trials["plan_digest"]) == {plan.digest for plan in plans}
    card = (out / "README.md").read_text()
    assert "# SeamBench results: joined" in card
    for plan in plans:
        assert f"- plan: {plan.digest}, image: {plan.locks['image']}" in card


def test_studies_under_the_same_locks_are_joined_with_the_cells_of_both(halves, tmp_path):
    """Two machines that ran an arm each under the same locks have plans of one digest."""
    locks = {"image": "sha256:one"}
    cells = [cell(name) for name in ("first", "second")]
    for folder, one in zip(halves, cells, strict=True):
        plan = Plan(name="study", locks=locks, cells=(one,), earlier={one.trial_id: {}})
        RunPaths(folder).plan.write_text(dump_plan(plan))
    release.join(halves, tmp_path / "out")
    (plan,) = read_plans(RunPaths(tmp_path / "out"))
    assert (plan.cells, plan.locks) == (tuple(cells), locks)
    assert plan.earlier == {"first": {}, "second": {}}


def test_a_study_that_was_judged_anew_keeps_its_locks_beside_one_run_under_the_new(
    halves, tmp_path
):
    """What agents worked under is told for both, whichever folder is named first."""
    fresh = Plan(name="fresh", locks={"task/a/t": "2", "verifier": "2"}, cells=())
    regraded = judge_anew(
        Plan(name="regraded", locks={"task/a/t": "1", "verifier": "1"}, cells=()), fresh.locks
    )
    assert fresh.digest == regraded.digest
    for folder, plan in zip(halves, (fresh, regraded), strict=True):
        RunPaths(folder).plan.write_text(dump_plan(plan))
    for name, order in (("one", halves), ("other", halves[::-1])):
        release.join(order, tmp_path / name)
        plans = {plan.name: plan for plan in read_plans(RunPaths(tmp_path / name))}
        assert plans == {"fresh": fresh, "regraded": regraded}


def test_a_study_that_was_extended_is_released_with_the_digests_of_all_its_rows(tmp_path):
    """First controls alone, then an agent that asks a model: the second go has more locks."""
    folder, rows = tmp_path / "run", demo_trials()[:2]
    folder.mkdir()
    told = [
        write_plan(RunPaths(folder), "study", locks, [cell(row.trial_id)])
        for row, locks in zip(rows, ({"image": "i"}, {"image": "i", "model/m": "m"}), strict=True)
    ]
    digests = [plan.digest for plan in told]
    rows = [row.model_copy(update={"plan_digest": d}) for row, d in zip(rows, digests, strict=True)]
    write_run(folder, entries(rows))
    release.export(folder, tmp_path / "out")
    (plan,) = read_plans(RunPaths(tmp_path / "out"))
    assert [*plan.earlier, plan.digest] == digests
    trials = pd.read_parquet(tmp_path / "out/trials.parquet")
    assert sorted(trials["plan_digest"]) == sorted(digests)


def test_a_release_of_joined_studies_is_released_again_with_its_plans(halves, tmp_path):
    first, again = tmp_path / "first", tmp_path / "again"
    release.join(halves, first)
    release.export(first, again)
    assert read_plans(RunPaths(again)) == read_plans(RunPaths(first))
    assert len(list(again.iterdir())) == len(TABLES) + 2


def test_a_trial_of_two_studies_is_refused_before_anything_is_written(records, tables, tmp_path):
    out = tmp_path / "joined"
    done = seambench(
        ROOT, "export", str(records), str(tables), "--format", "parquet", "--out", str(out)
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert f"{tables}: trial " in line
    assert f"stands in {records}, too" in line
    assert not out.exists()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (["--format", "atif", "--out", "x"], "--format atif: takes one folder"),
        (["--format", "parquet"], "--out: must say where the 2 folders are joined"),
    ],
)
def test_what_cannot_be_joined_is_said(halves, asked, told):
    done = seambench(ROOT, "export", *map(str, halves), *asked)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert told in line


def test_the_tables_that_a_release_lacks_are_named(tables):
    (tables / "calls.parquet").unlink()
    (tables / "tests.parquet").unlink()
    assert "no calls.parquet, tests.parquet" in refused(tables, "parquet")


def test_a_plan_that_is_none_is_named(tables):
    (tables / "plan.json").write_bytes(b"caf\xe9")
    assert str(tables / "plan.json") in refused(tables, "parquet")


def test_logs_of_inspect_need_the_table_of_trials_alone(tables, records, tmp_path):
    for name in TABLES.keys() - {"trials"}:
        (tables / f"{name}.parquet").unlink()
    shutil.rmtree(records / "trials")  # a table holds no patch
    for folder, out in ((tables, "of-tables"), (records, "of-records")):
        EXPORTS["inspect"](folder, tmp_path / out)
    told = [
        [one.model_dump() for one in read_eval_log(log).samples or []]
        for out in ("of-tables", "of-records")
        for log in sorted(list_eval_logs(str(tmp_path / out)), key=lambda log: log.name[-29:])
    ]
    assert sum(map(len, told)) == 2 * 24
    assert sorted(map(str, told[:3])) == sorted(map(str, told[3:]))


@pytest.mark.parametrize(
    ("form", "lacks"), [("swebench", "patch.diff"), ("atif", "trajectory.json")]
)
def test_what_only_the_trials_own_files_hold_is_said_to_be_missing(tables, form, lacks):
    line = refused(tables, form)
    assert str(tables / "trials") in line
    assert lacks in line


def test_a_patch_goes_through_a_prediction_byte_for_byte_or_is_said_to_be_left_out(
    records, tmp_path, capsys
):
    folder = shutil.copytree(records, tmp_path / "run")
    first, second, third, *_ = sorted(folder.glob("trials/*/patch.diff"))
    carriage = b"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-one\r\n+caf\xc3\xa9\r\n"
    first.write_bytes(carriage)
    second.write_bytes(b"+caf\xe9\n")
    third.unlink()
    export([folder], "swebench", tmp_path)
    made = read_predictions(tmp_path / "predictions.jsonl")
    assert len(made) == 22
    assert carriage in [one.model_patch.encode() for one in made.values()]
    assert set(capsys.readouterr().err.splitlines()) == {
        f"left out, its patch.diff is not UTF-8: {second.parent.name}",
        f"left out, no patch.diff there: {third.parent.name}",
    }


ONE = {"instance_id": "atelier__t__monolith__all__full__0", "model_name_or_path": "gpt"}


def predictions(folder: Path, **fields: object) -> list[str]:
    """The patches of a file of one line, written as other tools do: any sign as it is."""
    path = folder / "p.jsonl"
    path.write_text(json.dumps(ONE | fields, ensure_ascii=False) + "\n", encoding="utf-8")
    return [made.model_patch for made in read_predictions(path).values()]


def test_predictions_of_other_tools_are_read_with_what_they_keep_besides(tmp_path):
    assert predictions(tmp_path, model_patch="+a\n", text="asked", full_output=["said"]) == ["+a\n"]
    assert predictions(tmp_path, model_patch=None) == [""]


@pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\u0085"])
def test_only_the_end_of_a_line_ends_a_prediction(tmp_path, sign):
    assert predictions(tmp_path, model_patch=f"+a{sign}b\n") == [f"+a{sign}b\n"]


def test_a_key_that_a_prediction_lacks_or_misspells_is_named(tmp_path):
    with pytest.raises(BadInput, match=r"p.jsonl:1: model_patch: Field required$"):
        predictions(tmp_path, model_pach="+a\n")


def test_the_scaffolds_of_a_study_that_is_played_again_are_told_apart(tmp_path):
    rows = [replayed(played) for played in ("tool_loop", "one_shot")]
    EXPORTS["swebench"](write_patched(tmp_path / "run", rows), tmp_path)
    made = read_predictions(tmp_path / "predictions.jsonl")
    assert {model for model, _ in made} == {"replay:tool_loop:m", "replay:one_shot:m"}


def test_two_trials_of_one_name_are_refused_before_a_file_that_nobody_can_read(tmp_path):
    rows = [trial(trial_id=name, seed=seed) for seed, name in enumerate(("first", "second"))]
    folder = write_patched(tmp_path / "run", rows)
    assert refused(folder, "swebench").endswith(
        f"{folder}: trials first and second are both "
        "atelier__price-tiers-as-table__monolith__all__full__0 of oracle:reference, and a file of "
        "predictions holds one of them; export joined studies one by one, and give each "
        "seed a name= of its own"
    )
    assert not (folder / "export").exists()


@pytest.mark.parametrize("name", ["rename__x", "x__dose2", "_x__", "a__b__c__d__e__f__g"])
@pytest.mark.parametrize("dose", [None, 2])
def test_a_task_with_the_sign_between_parts_in_its_name_comes_back(tmp_path, name, dose):
    row = trial(task=f"atelier/{name}", dose=dose, repeat=3, scope="own")
    EXPORTS["swebench"](write_patched(tmp_path / "run", [row]), tmp_path)
    ((_, instance),) = read_predictions(tmp_path / "predictions.jsonl")
    assert instance == Instance(row.task, "monolith", "own", "full", 3, dose)


@pytest.mark.parametrize(
    "name", ["t", "a__t", "a__one__all__full__0", "a__t__one__all__full__0__dose"]
)
def test_an_id_that_no_instance_has_is_refused(tmp_path, name):
    with pytest.raises(BadInput, match=f"p.jsonl:1: instance_id '{name}': must be app__task__arm"):
        predictions(tmp_path, instance_id=name, model_patch="")


def test_where_the_trials_own_files_came_along_they_are_exported(tables, records, tmp_path):
    shutil.copytree(records / "trials", tables / "trials")
    for folder in (tables, records):
        EXPORTS["swebench"](folder, tmp_path / folder.name)
    told = [(tmp_path / name / "predictions.jsonl").read_text() for name in ("tables", "records")]
    assert told[0] == told[1]
    assert told[0].count("\n") == 24
