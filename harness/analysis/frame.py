"""Records on disk become frames and Parquet files, with the columns that the records declare."""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar, get_args

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from harness.errors import BadInput
from harness.paths import RunPaths
from harness.records import (
    NAME_BYTES,
    UNSAFE_NAME,
    AttemptRecord,
    CallRecord,
    ColumnSpec,
    Record,
    TestRecord,
    ToolRecord,
    TrialRecord,
    columns,
)
from harness.store import latest_trials, opening, read_entries, write_atomically

R = TypeVar("R", bound=Record)

TABLES: dict[str, type[Record]] = {
    "trials": TrialRecord,
    "attempts": AttemptRecord,
    "calls": CallRecord,
    "tools": ToolRecord,
    "tests": TestRecord,
}

# What makes a row the same row: the later one in an append-only file replaces the earlier one.
IDENTITY: dict[type[Record], tuple[str, ...]] = {
    TrialRecord: ("trial_id",),
    AttemptRecord: ("trial_id", "attempt"),
    CallRecord: ("trial_id", "attempt", "call"),
    ToolRecord: ("trial_id", "attempt", "call", "number"),
    TestRecord: ("trial_id", "start", "test"),
}

# Rows are sorted by what a reader looks for, then by identity, so that file order leaves no trace.
SORTED_BY: dict[type[Record], tuple[str, ...]] = {
    TrialRecord: (
        "pair",
        "task",
        "arm",
        "scope",
        "context_budget",
        "dose",
        "agent",
        "model",
        "variant",
        "repeat",
    ),
}

_ARROW = {
    "bool": pa.bool_(),
    "int64": pa.int64(),
    "float64": pa.float64(),
    "datetime": pa.timestamp("us", tz="UTC"),
    "string": pa.string(),
}
_PANDAS = {
    pa.bool_(): pd.BooleanDtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.float64(): pd.Float64Dtype(),
    pa.string(): pd.StringDtype(na_value=pd.NA),
}


def schema(kind: type[Record]) -> pa.Schema:
    """The Arrow schema of a record type; each field's metadata holds its meaning and unit."""
    return pa.schema([_field(column) for column in columns(kind)])


@dataclass(frozen=True)
class Run:
    """The rows of one results folder, each identity once, in an order that files do not change."""

    trials: list[TrialRecord]
    attempts: list[AttemptRecord]
    calls: list[CallRecord]
    """those of every attempt: what was paid for, lost trials included"""
    tools: list[ToolRecord]
    tests: list[TestRecord]
    """those of the verification that gave the trial's row"""


def holds_tables_only(folder: Path) -> bool:
    """Whether the trials of a folder (a release, a simulated study) are Parquet, not records."""
    with opening(folder):
        return not RunPaths(folder).records.exists() and (folder / "trials.parquet").is_file()


def read_run(folder: Path) -> Run:
    """The rows of the record file in `folder`; a line torn by a kill is left out.

    A folder that holds tables only is read from them.

    Raises:
        BadInput: there is no record file, no trial in it has ended, or a line of it is corrupt; of
            tables, one is missing or has a bad row.
    """
    if holds_tables_only(folder):
        return _read_tables(folder)
    path = RunPaths(folder).records
    if not path.is_file():
        raise BadInput(f"{path}: no such file; is {folder} a results folder?")
    entries = list(read_entries(path))
    ended = latest_trials(iter(entries)).values()
    if not ended:
        raise BadInput(f"{path}: no trial has ended yet; run the experiment again to go on")
    return Run(
        _arrange(entry.trial for entry in ended if entry.trial),
        _arrange(entry.attempt for entry in entries),
        _arrange(call for entry in entries for call in entry.calls),
        _arrange(tool for entry in entries for tool in entry.tools),
        _arrange(test for entry in ended for test in entry.tests),
    )


def read_runs(folders: Sequence[Path]) -> Run:
    """The rows of several results folders as those of one study, for instance one a machine.

    Raises:
        BadInput: as `read_run` does; or a trial stands in two of them, and would count twice.
    """
    runs = [read_run(folder) for folder in folders]
    found: dict[str, Path] = {}
    for folder, run in zip(folders, runs, strict=True):
        for trial in run.trials:
            if trial.trial_id in found:
                told = f"trial {trial.trial_id} stands in {found[trial.trial_id]}, too"
                raise BadInput(f"{folder}: {told}; a trial counts once")
        found |= {trial.trial_id: folder for trial in run.trials}
    rows: dict[str, Any] = {
        name: _arrange(chain.from_iterable(vars(run)[name] for run in runs)) for name in TABLES
    }
    return Run(**rows)


def _read_tables(folder: Path) -> Run:
    files = {name: folder / f"{name}.parquet" for name in TABLES}
    missing = [path.name for path in files.values() if not path.is_file()]
    if missing:
        raise BadInput(f"{folder}: no records.jsonl there, and no {', '.join(missing)} either")
    rows: dict[str, Any] = {
        name: _arrange(parquet_records(path, TABLES[name])) for name, path in files.items()
    }
    return Run(**rows)


def read_trial_records(folder: Path) -> list[TrialRecord]:
    """The trials of a results folder in the order of the tables; raises as `read_run` does.

    Of a folder that holds tables only, no other table than theirs is needed.
    """
    if holds_tables_only(folder):
        return _arrange(parquet_records(folder / "trials.parquet", TrialRecord))
    return read_run(folder).trials


def to_table(records: Sequence[Record], kind: type[Record]) -> pa.Table:
    """Records as an Arrow table, one row a record."""
    return pa.Table.from_pylist([r.model_dump() for r in records], schema=schema(kind))


def to_frame(records: Sequence[Record], kind: type[Record]) -> pd.DataFrame:
    """Records as a frame with nullable dtypes: a missing value is pd.NA, never NaN or 0."""
    frame: pd.DataFrame = to_table(records, kind).to_pandas(types_mapper=_PANDAS.get)
    return frame


def sort_trials(trials: Iterable[TrialRecord]) -> list[TrialRecord]:
    """Each trial once, in the order of the tables."""
    return _arrange(trials)


def read_trials(folder: Path) -> pd.DataFrame:
    """The trials of a results folder, one row a trial; raises as `read_run` does."""
    if holds_tables_only(folder):
        return read_parquet(folder / "trials.parquet", TrialRecord)
    return to_frame(read_run(folder).trials, TrialRecord)


def read_tools(folder: Path) -> pd.DataFrame:
    """The uses of tools of a results folder; empty where only trials were kept."""
    if RunPaths(folder).records.exists():
        return to_frame(read_run(folder).tools, ToolRecord)
    path = folder / "tools.parquet"
    return read_parquet(path, ToolRecord) if path.is_file() else to_frame([], ToolRecord)


def read_parquet(path: Path, kind: type[Record]) -> pd.DataFrame:
    """A Parquet file of records as a frame with nullable dtypes.

    A column that may be missing from a record (it came later) may be missing here, too.

    Raises:
        BadInput: the file is no Parquet, lacks a column of the record, has one of another type, or
            holds no trial or a row that no record could give.
    """
    frame: pd.DataFrame = _read_checked(path, kind).to_pandas(
        types_mapper=_PANDAS.get, self_destruct=True
    )
    pa.default_memory_pool().release_unused()
    return frame


def parquet_records(path: Path, kind: type[R]) -> Iterator[R]:
    """The rows of a Parquet file as records; raises as `read_parquet` does."""
    table = _read_checked(path, kind).select(list(kind.model_fields))
    for row in chain.from_iterable(batch.to_pylist() for batch in table.to_batches()):
        yield kind.model_validate(row)


def _read_checked(path: Path, kind: type[Record]) -> pa.Table:
    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise BadInput(f"{path}: not a Parquet file that can be read ({error})") from error
    for field in schema(kind):
        if field.name not in table.column_names:
            table = _with_default(table, field, kind, path)
        elif table.schema.field(field.name).type != field.type:
            table = _with_type(table, field, path)
    for told in chain(_bad_values(table, kind), _twice(table, kind)):
        raise BadInput(f"{path}: {told}")
    if kind is TrialRecord and not len(table):
        raise BadInput(f"{path}: no trial stands in it")
    return table


def _bad_values(table: pa.Table, kind: type[Record]) -> Iterator[str]:
    """What the types of a record refuse, by column: a million rows take less than a second."""
    for column in columns(kind):
        values = table[column.name]
        if not column.nullable:
            choices = get_args(kind.model_fields[column.name].annotation)
            yield from _first(values.is_null(), f"{column.name} is null")
            if choices:
                known = pc.is_in(values, pa.array(choices))
                yield from _first(pc.invert(known), f"{column.name} is none of {choices}")
        if column.dtype == "float64":
            finite = pc.is_finite(values)
            yield from _first(pc.invert(finite), f"{column.name} is no finite number")
        if column.name == "trial_id":
            unsafe = pc.or_(
                pc.match_substring_regex(values, UNSAFE_NAME),
                pc.greater(pc.binary_length(values), NAME_BYTES),
            )
            yield from _first(unsafe, "trial_id is no plain name of a folder")


def _first(wrong: pa.ChunkedArray, told: str) -> Iterator[str]:
    """The first row that is wrong, if there is one."""
    row = pc.index(wrong, pa.scalar(value=True)).as_py()
    if row >= 0:
        yield f"row {row + 1}: {told}"


def _twice(table: pa.Table, kind: type[Record]) -> Iterator[str]:
    """A row that stands there twice would count twice."""
    names = IDENTITY[kind]
    counts = table.select(names).group_by(names).aggregate([([], "count_all")])
    for row in counts.filter(pc.greater(counts["count_all"], 1)).slice(0, 1).to_pylist():
        yield f"{', '.join(str(row[name]) for name in names)}: stands there twice"


def _with_type(table: pa.Table, field: pa.Field, path: Path) -> pa.Table:
    """The same values in the record's type; other writers keep whole numbers shorter."""
    column = table[field.name]
    try:
        return table.set_column(
            table.schema.get_field_index(field.name), field, column.cast(field.type)
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        told = f"column {field.name} holds {column.type}, not {field.type}"
        raise BadInput(f"{path}: {told}; is it of this kind of record?") from None


def _with_default(table: pa.Table, field: pa.Field, kind: type[Record], path: Path) -> pa.Table:
    declared = kind.model_fields[field.name]
    if declared.is_required():
        raise BadInput(f"{path}: column {field.name} is missing; is it of this kind of record?")
    values = pa.array([declared.default] * len(table), field.type)
    return table.append_column(field, values)


def write_parquet(run: Run, folder: Path) -> list[Path]:
    """Write `<name>.parquet` into `folder` for each of TABLES."""
    rows: dict[str, Sequence[Record]] = vars(run)
    return [write_file(folder / f"{name}.parquet", _parquet(rows[name], TABLES[name]))
            for name in TABLES]  # fmt: skip


def write_file(path: Path, content: bytes | str) -> Path:
    """Write a file whole or not at all; its path."""
    write_atomically(path, content.encode() if isinstance(content, str) else content)
    return path


def remove_file(path: Path) -> None:
    """Remove what was written there from other trials, where these give nothing to write."""
    with opening(path):
        path.unlink(missing_ok=True)


def _field(column: ColumnSpec) -> pa.Field:
    about = {"meaning": column.meaning, "unit": column.unit}
    return pa.field(column.name, _ARROW[column.dtype], column.nullable, about)


def _arrange(records: Iterable[R]) -> list[R]:
    latest = {_identity(record): record for record in records}
    return sorted(latest.values(), key=_sort_key)


def _identity(record: Record) -> tuple[object, ...]:
    return tuple(getattr(record, name) for name in IDENTITY[type(record)])


def _sort_key(record: Record) -> list[tuple[bool, object]]:
    names = (*SORTED_BY.get(type(record), ()), *IDENTITY[type(record)])
    values = [getattr(record, name) for name in names]
    return [(value is None, value) for value in values]


def _parquet(records: Sequence[Record], kind: type[Record]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(to_table(records, kind), buffer, compression="zstd")
    return buffer.getvalue()
