"""Renders docs/columns.md: `python -m harness.analysis.columns > docs/columns.md`."""

import sys
from collections.abc import Iterator, Mapping

from harness.analysis.frame import TABLES
from harness.analysis.summary import DifferenceRow, SummaryRow
from harness.records import ColumnSpec, Record, columns

_HEAD = """# Columns

Made from the records by `python -m harness.analysis.columns > docs/columns.md`; do not edit.

A missing value is null: an empty field in CSV, `pd.NA` in a frame. Times are UTC.
The Parquet schema holds the same meanings and units in the metadata of each field.
"""
_FILES: dict[str, type[Record]] = {
    **{f"{name}.parquet": kind for name, kind in TABLES.items()},
    "summary.csv": SummaryRow,
    "tables/differences.csv": DifferenceRow,
}


def render() -> str:
    """The page, as Markdown."""
    return "\n".join([_HEAD, *sections(_FILES)])


def sections(files: Mapping[str, type[Record]]) -> Iterator[str]:
    """Lines of Markdown: a heading and a table a file."""
    for file, kind in files.items():
        yield from _section(file, kind)


def _section(file: str, kind: type[Record]) -> Iterator[str]:
    yield f"## {file}\n"
    yield f"{kind.__doc__}\n"
    yield "| column | type | null | unit | meaning |"
    yield "|---|---|---|---|---|"
    yield from map(_row, columns(kind))
    yield ""


def _row(column: ColumnSpec) -> str:
    null = "yes" if column.nullable else "no"
    meaning = column.meaning.replace("|", "\\|")
    return f"| `{column.name}` | {column.dtype} | {null} | {column.unit} | {meaning} |"


if __name__ == "__main__":
    sys.stdout.write(render())
