"""Records on disk: nothing finished is lost, nothing is doubled."""

import json
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analysis.frame import read_run, read_trials, to_frame
from harness.analysis.report.gather import gather
from harness.errors import BadInput, DiskFull  # noqa: F401 - used in the child process
from harness.paths import RunPaths
from harness.plan import read_plan
from harness.records import TrialRecord
from harness.store import (
    Entry,
    Spending,
    Store,
    latest_trials,
    read_entries,
    write_atomically,
)
from tests.records_factory import attempts, trial


def entry(trial_id: str, number: int = 1, *, ended: bool = True) -> Entry:
    record = trial(trial_id=trial_id, attempt=number)
    (attempt,) = attempts([record])
    attempt = attempt.model_copy(update={"attempt": number})
    return Entry(attempt=attempt, trial=record if ended else None)


def test_what_was_appended_is_read_back(tmp_path: Path) -> None:
    rows = [entry("a"), entry("b", ended=False), entry("b", 2)]
    with Store(RunPaths(tmp_path)) as store:
        for row in rows:
            store.append(row)
    assert list(read_entries(tmp_path / "records.jsonl")) == rows
    with Store(RunPaths(tmp_path)) as store:
        assert set(store.finished) == {"a", "b"}
        assert store.next_attempt("b") == 3
        assert store.next_attempt("c") == 1


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(min_value=0, max_value=5000), count=st.integers(1, 4))
def test_a_file_cut_anywhere_keeps_every_whole_line_and_takes_more(
    tmp_path_factory: pytest.TempPathFactory, cut: int, count: int
) -> None:
    folder = tmp_path_factory.mktemp("run")
    with Store(RunPaths(folder)) as store:
        for number in range(count):
            store.append(entry(f"t{number}"))
    path = folder / "records.jsonl"
    content = path.read_bytes()[:cut]
    path.write_bytes(content)
    with Store(RunPaths(folder)) as store:
        assert len(store.finished) == content.count(b"\n")
        store.append(entry("new"))
    found = latest_trials(read_entries(path))
    assert len(found) == content.count(b"\n") + 1


def test_a_corrupt_line_is_named_with_its_number(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text('{"attempt": {}}\n')
    with pytest.raises(BadInput, match=r"records\.jsonl:1: attempt\.trial_id"):
        list(read_entries(path))


UNSAFE = ["../x", "a/b", "..", "", "a\\b", "a\0b", "/etc", 128 * "é"]


@pytest.mark.parametrize("name", UNSAFE)
def test_a_trial_whose_name_is_that_of_no_folder_below_is_refused_by_every_reader(
    tmp_path: Path, name: str
) -> None:
    good, path = entry("good"), tmp_path / "records.jsonl"
    bad = good.model_dump_json().replace('"good"', json.dumps(name))
    path.write_text(good.model_dump_json() + "\n" + bad + "\n")
    readers = [lambda: list(read_entries(path)), lambda: Store(RunPaths(tmp_path)),
               lambda: read_run(tmp_path), lambda: gather(tmp_path)]  # fmt: skip
    for read in readers:
        with pytest.raises(BadInput, match=r"records\.jsonl:2: attempt\.trial_id: .*no plain name"):
            read()


@pytest.mark.parametrize("name", UNSAFE)
def test_neither_parquet_nor_a_plan_may_name_such_a_trial(tmp_path: Path, name: str) -> None:
    frame = to_frame([trial(trial_id="good")], TrialRecord).assign(trial_id=name)
    frame.to_parquet(tmp_path / "trials.parquet")
    with pytest.raises(BadInput, match=r"trials\.parquet: row 1: trial_id is no plain name"):
        read_trials(tmp_path)
    cell = {"trial_id": name, "repeat": 0, "seed": 0, "variant": None, "model": None}
    cell |= dict.fromkeys(("cell_id", "app", "arm", "task", "scope", "agent"), "x")
    cell |= {"kind": "nop"}
    plan = {"name": "n", "locks": {}, "cells": [cell]}
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    with pytest.raises(BadInput, match=r"plan\.json: cells\.0\.trial_id: .* no plain name"):
        read_plan(RunPaths(tmp_path))


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "tables").write_text("a file")
    with pytest.raises(BadInput, match=r"tables/a\.csv: cannot be written: File exists"):
        write_atomically(tmp_path / "tables/a.csv", b"x")


@pytest.mark.parametrize("name", ["records.jsonl", "plan.json"])
def test_what_lies_in_the_place_of_a_file_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()

    def read() -> None:
        with Store(RunPaths(tmp_path)):
            read_plan(RunPaths(tmp_path))

    with pytest.raises(BadInput, match=rf"{name}: cannot be opened: Is a directory$"):
        read()


def test_records_that_lead_nowhere_are_named(tmp_path: Path) -> None:
    (tmp_path / "records.jsonl").symlink_to("nowhere/at/all")
    with pytest.raises(BadInput, match=r"records\.jsonl: cannot be opened: No such file"):
        Store(RunPaths(tmp_path))
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match=r"file: cannot be opened: File exists"):
        Store(RunPaths(tmp_path / "file"))


def test_a_long_file_is_read_a_line_at_a_time(tmp_path: Path) -> None:
    line = entry("a").model_dump_json().encode() + b"\n"
    (tmp_path / "records.jsonl").write_bytes(line * 20_000 + b"torn")
    tracemalloc.start()
    assert sum(1 for _ in read_entries(tmp_path / "records.jsonl")) == 20_000
    with Store(RunPaths(tmp_path)) as store:
        assert set(store.finished) == {"a"}
    assert tracemalloc.get_traced_memory()[1] < 20_000 * len(line) / 10
    tracemalloc.stop()
    assert (tmp_path / "records.jsonl").stat().st_size == 20_000 * len(line)


@pytest.mark.parametrize("size", [0, 1, 2**16 - 1, 2**16, 2**16 + 1, 200_000])
@pytest.mark.parametrize("lines", [0, 1, 2])
def test_a_torn_line_of_any_length_is_cut_off(tmp_path: Path, size: int, lines: int) -> None:
    whole = (entry("a").model_dump_json().encode() + b"\n") * lines
    (tmp_path / "records.jsonl").write_bytes(whole + b"x" * size)
    with Store(RunPaths(tmp_path)) as store:
        assert len(store.finished) == min(1, lines)
    assert (tmp_path / "records.jsonl").read_bytes() == whole


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    with Store(RunPaths(tmp_path)), pytest.raises(BadInput, match="another run is writing"):
        Store(RunPaths(tmp_path))


def test_where_nothing_was_recorded_nothing_stays(tmp_path: Path) -> None:
    paths = RunPaths(tmp_path / "run")
    with Store(paths):
        paths.plan.write_text("{}")
    assert list(paths.root.iterdir()) == []
    paths.plan.write_text("{}")  # one that was there before, as for a regrade
    with Store(paths):
        pass
    assert list(paths.root.iterdir()) == [paths.plan]
    with Store(paths) as store:
        store.append(entry("a"))
    assert paths.records.is_file()


def test_what_is_spent_is_read_back_and_a_refused_request_leaves_nothing(tmp_path: Path) -> None:
    paths = RunPaths(tmp_path)
    taken = {"usd": 0.5, "turns": 2, "tokens": 300, "output_tokens": 20}
    taken |= {"agent_seconds": 4.5, "wall_seconds": 60.0}
    with Store(paths) as store:
        assert store.spending() == Spending()
        store.keep_spending(taken)
        assert store.spending() == Spending(**taken)
        store.keep_spending({"turns": 1, "tokens": 0})
    assert list(tmp_path.iterdir()) == []
    paths.spending.write_text('{"usd": "much"}')
    with (
        Store(paths) as store,
        pytest.raises(BadInput, match=r"spending\.json: usd: .*; is the file edited\?"),
    ):
        store.spending()


def test_a_full_disk_leaves_the_lines_before_whole(tmp_path: Path) -> None:
    program = f"""
import resource, signal, sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from tests.unit.test_store import *
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with Store(RunPaths(Path({str(tmp_path)!r}))) as store:
    store.append(entry("a"))
    size = (Path({str(tmp_path)!r}) / "records.jsonl").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, size + 100))
    try:
        store.append(entry("b"))
    except DiskFull as error:
        print("refused:", error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert "refused: " in done.stdout, done.stderr
    assert "the disk is full; free some space and run again" in done.stdout
    assert [row.attempt.trial_id for row in read_entries(tmp_path / "records.jsonl")] == ["a"]
    assert (tmp_path / "records.jsonl").read_bytes().endswith(b"\n")


def test_an_artefact_is_written_over_and_nothing_lies_beside_it(tmp_path: Path) -> None:
    write_atomically(tmp_path / "deep" / "file", b"one")
    write_atomically(tmp_path / "deep" / "file", b"two")
    assert (tmp_path / "deep" / "file").read_bytes() == b"two"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["file"]


def test_an_artefact_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"the old one")
    program = f"""
import resource, signal, sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from tests.unit.test_store import *
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
for name in ("file", "new"):
    try:
        write_atomically(Path({str(tmp_path)!r}) / name, b"x" * 101)
    except DiskFull as error:
        print("refused:", error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout.count("refused: ") == 2, done.stderr
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {"file": b"the old one"}
