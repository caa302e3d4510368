import re
from datetime import datetime, timedelta, timezone

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analysis.frame import (
    TABLES,
    parquet_records,
    read_parquet,
    read_run,
    read_tools,
    read_trials,
    schema,
    to_frame,
    to_table,
    write_parquet,
)
from harness.errors import BadInput
from harness.paths import RunPaths
from harness.records import (
    NAME_BYTES,
    UNSAFE_NAME,
    AttemptRecord,
    TestRecord,
    ToolRecord,
    TrialRecord,
    columns,
)
from harness.store import Entry
from tests.records_factory import demo_trials, entries, hidden_tests, trial, write_run
from tests.report_runs import call_record

EPOCH = datetime(1970, 1, 1, tzinfo=timezone(timedelta(hours=5, minutes=30)))
VALUES = {
    "bool": st.booleans(),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "float64": st.floats(allow_nan=False, allow_infinity=False),
    "datetime": st.integers(0, 10**16).map(lambda us: EPOCH + timedelta(microseconds=us)),
    "string": st.text(st.characters(exclude_categories=["Cs"])),
}
NAMES = VALUES["string"].filter(
    lambda name: not re.search(UNSAFE_NAME, name) and len(name.encode()) <= NAME_BYTES
)
CLOSED = {"trial_id": NAMES, "status": st.sampled_from(["scored", "failed", "lost"]),
          "outcome": st.sampled_from(["passed", "failed", "error", "skipped"])}  # fmt: skip


def any_record(kind):
    fields = {}
    for column in columns(kind):
        values = CLOSED.get(column.name, VALUES[column.dtype])
        fields[column.name] = st.none() | values if column.nullable else values
    return st.fixed_dictionaries(fields).map(kind.model_validate)


@given(
    attempt=any_record(AttemptRecord),
    record=any_record(TrialRecord),
    tests=st.lists(any_record(TestRecord), max_size=3, unique_by=lambda t: t.trial_id),
)
@settings(max_examples=60, deadline=None)
def test_a_record_survives_the_way_through_jsonl_and_parquet(
    attempt, record, tests, tmp_path_factory
):
    folder = tmp_path_factory.mktemp("run")
    write_run(folder, [Entry(attempt=attempt, trial=record, tests=tuple(tests))])
    write_parquet(read_run(folder), folder)
    back = {name: read_back(folder, name) for name in TABLES}
    ordered = sorted(tests, key=lambda t: t.trial_id)
    assert back == {
        "trials": [record],
        "attempts": [attempt],
        "calls": [],
        "tools": [],
        "tests": ordered,
    }


def read_back(folder, name):
    rows = pq.read_table(folder / f"{name}.parquet").to_pylist()
    return [TABLES[name].model_validate(row) for row in rows]


def test_the_schema_says_what_each_column_means_and_its_unit():
    field = schema(TrialRecord).field("verify_seconds")
    assert field.type == pa.float64()
    assert not field.nullable
    meaning = b"verification: starts, tests, replays"
    assert field.metadata == {b"meaning": meaning, b"unit": b"s"}


def test_a_missing_value_stays_missing_and_is_neither_nan_nor_zero():
    row = to_frame([trial(cost_usd=None, behaviour=None)], TrialRecord).iloc[0]
    frame = to_frame([trial()], TrialRecord)
    assert str(row["cost_usd"]) == str(row["behaviour"]) == "<NA>"
    assert [str(frame[c].dtype) for c in ("behaviour", "repeat", "cost_usd", "model")] == [
        "boolean", "Int64", "Float64", "string",
    ]  # fmt: skip
    assert str(frame["started_at"].dtype) == "datetime64[us, UTC]"


def demo_run(folder):
    write_run(folder, entries(demo_trials()))
    return RunPaths(folder).records


def test_the_order_of_lines_leaves_no_trace_in_the_files(tmp_path):
    rows = entries(demo_trials())
    for folder, order in ((tmp_path / "a", rows), (tmp_path / "b", rows[::-1])):
        write_parquet(read_run(write_run(folder, order)), folder)
    for name in TABLES:
        one, other = (tmp_path / folder / f"{name}.parquet" for folder in "ab")
        assert one.read_bytes() == other.read_bytes()


def test_a_line_torn_by_a_kill_is_left_out(tmp_path):
    log = demo_run(tmp_path)
    log.write_bytes(log.read_bytes()[:-200])
    assert len(read_trials(tmp_path)) == 23


def test_a_corrupt_line_is_bad_input_that_names_file_line_and_field(tmp_path):
    log = demo_run(tmp_path)
    lines = log.read_text().splitlines(keepends=True)
    lines[4] = lines[4].replace('"repeat":0', '"repeat":"none"')
    log.write_text("".join(lines))
    with pytest.raises(BadInput, match=r"records\.jsonl:5: trial\.repeat: ") as caught:
        read_trials(tmp_path)
    assert "\n" not in str(caught.value)


def test_half_a_line_in_the_middle_is_bad_input(tmp_path):
    log = demo_run(tmp_path)
    lines = log.read_text().splitlines(keepends=True)
    lines[2] = lines[2][:90] + "\n"
    log.write_text("".join(lines))
    with pytest.raises(BadInput, match=r"records\.jsonl:3: "):
        read_trials(tmp_path)


def test_the_last_row_of_a_trial_counts_with_its_own_tests_and_every_attempt_is_kept(tmp_path):
    first = trial(seed=1, behaviour=False, resolved=False)
    run = read_run(write_run(tmp_path, entries([first, trial(seed=2, attempt=2)])))
    assert [t.seed for t in run.trials] == [2]
    assert [a.attempt for a in run.attempts] == [1, 2]
    assert run.tests == sorted(hidden_tests([trial()]), key=lambda t: (t.start, t.test))
    assert {t.outcome for t in run.tests} == {"passed"}


def test_an_attempt_that_did_not_end_its_trial_is_an_attempt_only(tmp_path):
    done, open_ = entries([trial(), trial(trial_id="other")])
    run = read_run(write_run(tmp_path, [done, open_.model_copy(update={"trial": None})]))
    assert (len(run.trials), len(run.attempts), len(run.tests)) == (1, 2, 6)


@pytest.mark.parametrize("content", ["", '{"attempt": "torn'])
def test_no_ended_trial_is_one_clear_line(tmp_path, content):
    RunPaths(tmp_path).records.write_text(content)
    with pytest.raises(BadInput, match=r"records\.jsonl: no trial has ended yet"):
        read_trials(tmp_path)


def test_a_folder_that_is_no_run_is_one_clear_line(tmp_path):
    with pytest.raises(BadInput, match=r"records\.jsonl: no such file"):
        read_trials(tmp_path)


def test_a_run_without_tests_gets_an_empty_table_with_its_columns(tmp_path):
    rows = [row.model_copy(update={"tests": ()}) for row in entries(demo_trials())]
    write_parquet(read_run(write_run(tmp_path, rows)), tmp_path)
    assert pq.read_schema(tmp_path / "tests.parquet").names == list(TestRecord.model_fields)
    assert pq.read_table(tmp_path / "tests.parquet").num_rows == 0


def test_a_parquet_file_from_before_a_column_came_is_read_with_that_column_null(tmp_path):
    path = tmp_path / "trials.parquet"
    pq.write_table(to_table([trial()], TrialRecord).drop_columns(["behaviour_of"]), path)
    assert read_parquet(path, TrialRecord)["behaviour_of"].isna().all()
    (row,) = parquet_records(path, TrialRecord)
    assert row == trial()
    pq.write_table(to_table([trial()], TrialRecord).drop_columns(["arm"]), path)
    with pytest.raises(BadInput, match="column arm is missing"):
        read_parquet(path, TrialRecord)


def test_a_folder_of_tables_with_a_bad_row_gives_no_frame(tmp_path):
    path = tmp_path / "trials.parquet"
    whole = to_table([trial(), trial(trial_id="1" * 16, repeat=2)], TrialRecord)
    pq.write_table(whole, path)
    assert len(read_trials(tmp_path)) == 2
    pq.write_table(pa.concat_tables([whole, whole.slice(1)]), path)
    with pytest.raises(BadInput, match=r"trials\.parquet: 1{16}: stands there twice"):
        read_trials(tmp_path)
    at = whole.schema.get_field_index("status")
    pq.write_table(whole.set_column(at, "status", pa.array(["scored", None])), path)
    with pytest.raises(BadInput, match=r"trials\.parquet: row 2: status is null"):
        read_trials(tmp_path)
    at = whole.schema.get_field_index("cost_usd")
    odd = pa.array([0.5, float("nan")])
    pq.write_table(whole.set_column(at, "cost_usd", odd), path)
    with pytest.raises(BadInput, match=r"row 2: cost_usd is no finite number"):
        read_trials(tmp_path)
    pq.write_table(whole.slice(2), path)
    with pytest.raises(BadInput, match=r"trials\.parquet: no trial stands in it"):
        read_trials(tmp_path)


def use(number: int, *, attempt: int = 1, call: int = 1) -> ToolRecord:
    return ToolRecord(
        trial_id="0" * 16, attempt=attempt, call=call, number=number, tool="bash", kind="read",
        contexts_read="", contexts_edited="", request_tokens=5, result_tokens=9, seconds=0.1,
        ending="ok",
    )  # fmt: skip


def test_the_calls_and_tools_of_every_attempt_are_kept_those_of_a_lost_one_too(tmp_path):
    """What a lost attempt asked was paid for."""
    rows = [
        entry.model_copy(
            update={
                "calls": tuple(
                    call_record("0" * 16, n).model_copy(update={"attempt": attempt}) for n in (1, 2)
                ),
                "tools": tuple(use(1, attempt=attempt, call=n) for n in (1, 2)),
            }
        )
        for attempt in (1, 2)
        for entry in entries([trial(attempt=attempt)])
    ]
    rows[0] = rows[0].model_copy(update={"trial": None, "tests": ()})
    run = read_run(write_run(tmp_path / "run", rows))
    (tmp_path / "tables").mkdir()
    write_parquet(run, tmp_path / "tables")
    for found in (run, read_run(tmp_path / "tables")):
        assert [t.attempt for t in found.trials] == [2]
        assert found.calls == [*rows[0].calls, *rows[1].calls]
        assert found.tools == [*rows[0].tools, *rows[1].tools]
        for kept in (found.calls, found.tools):
            assert [(row.attempt, row.call) for row in kept] == [(1, 1), (1, 2), (2, 1), (2, 2)]


def test_uses_of_tools_that_stand_twice_are_refused(tmp_path):
    tools = to_table([use(1), use(2)], ToolRecord)
    pq.write_table(tools, tmp_path / "tools.parquet")
    assert len(read_tools(tmp_path)) == 2
    pq.write_table(pa.concat_tables([tools, tools.slice(0, 1)]), tmp_path / "tools.parquet")
    with pytest.raises(BadInput, match="stands there twice"):
        read_tools(tmp_path)


def test_a_parquet_file_of_other_types_is_read_where_the_values_fit_and_named_where_not(tmp_path):
    path = tmp_path / "trials.parquet"
    table = to_table([trial()], TrialRecord)
    at = table.schema.get_field_index("repeat")
    pq.write_table(table.set_column(at, "repeat", table["repeat"].cast(pa.int32())), path)
    frame = read_parquet(path, TrialRecord)
    assert frame["repeat"].dtype == to_frame([trial()], TrialRecord)["repeat"].dtype
    pq.write_table(table.set_column(at, "repeat", pa.array(["the first"])), path)
    with pytest.raises(BadInput, match="column repeat holds string, not int64"):
        read_parquet(path, TrialRecord)
    at = table.schema.get_field_index("arm")
    pq.write_table(table.set_column(at, "arm", pa.array([[1, 2]])), path)
    with pytest.raises(BadInput, match="column arm holds list"):
        read_parquet(path, TrialRecord)
