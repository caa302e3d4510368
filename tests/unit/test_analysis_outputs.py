import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from harness.analysis.columns import render
from harness.analysis.outputs import write_outputs
from harness.errors import BadInput
from tests.records_factory import demo_trials, entries, write_run

ROOT = Path(__file__).parents[2]
FILES = {
    "trials.parquet", "attempts.parquet", "calls.parquet", "tools.parquet", "tests.parquet",
    "trials.csv", "summary.csv",
    "tables/differences.csv", "tables/overview.tex",
    "figures/overview.pdf", "figures/overview.png", "figures/overview.txt",
}  # fmt: skip


def test_a_run_gets_all_its_tables_and_figures_and_no_temporary_file_stays(tmp_path):
    paths = write_outputs(write_run(tmp_path, entries(demo_trials())))
    assert {path.relative_to(tmp_path).as_posix() for path in paths} == FILES
    found = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}
    assert found == FILES | {"records.jsonl"}


def test_the_same_records_give_the_same_bytes_in_every_file(tmp_path):
    trials = entries(demo_trials())
    once = write_outputs(write_run(tmp_path / "a", trials))
    again = write_outputs(write_run(tmp_path / "b", trials[::-1]))
    for one, other in zip(once, again, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


def test_the_csv_tells_a_missing_value_by_an_empty_field_and_times_in_utc(tmp_path):
    write_outputs(write_run(tmp_path, entries(demo_trials())))
    frame = pd.read_csv(tmp_path / "trials.csv", keep_default_na=False)
    assert len(frame) == 24
    assert set(frame["model"]) == {""}
    assert frame["started_at"].min() == "2026-05-04T09:30:00.000000Z"


def test_a_run_with_a_corrupt_record_leaves_the_tables_of_before(tmp_path):
    write_outputs(write_run(tmp_path, entries(demo_trials())))
    before = (tmp_path / "trials.parquet").read_bytes()
    (tmp_path / "records.jsonl").write_text("{}\n")
    with pytest.raises(BadInput, match=r"records\.jsonl:1: "):
        write_outputs(tmp_path)
    assert (tmp_path / "trials.parquet").read_bytes() == before


def test_the_page_of_columns_is_what_the_records_say():
    assert (ROOT / "docs" / "columns.md").read_text() == render()


def test_importing_the_package_loads_no_library_that_costs_time():
    code = (
        "import sys, harness.analysis; print({'pandas', 'matplotlib', 'pyarrow'} & {*sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
