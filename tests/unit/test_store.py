"""Records on disk: nothing finished is lost, nothing is doubled."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import BadInput, DiskFull  # noqa: F401 - used in the child process
from harness.paths import RunPaths
from harness.store import Entry, Store, latest_trials, read_entries, write_atomically
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


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    with Store(RunPaths(tmp_path)), pytest.raises(BadInput, match="another run is writing"):
        Store(RunPaths(tmp_path))


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


def test_an_artefact_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    write_atomically(tmp_path / "deep" / "file", b"one")
    write_atomically(tmp_path / "deep" / "file", b"two")
    assert (tmp_path / "deep" / "file").read_bytes() == b"two"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["file"]
