"""The tables that files create, as SQLite itself understands them."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

_CREATED = re.compile(
    r"\bCREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?[\w\"`\[\].]+\s*\(", re.IGNORECASE
)


@dataclass(frozen=True)
class Table:
    """A table: its name, and its columns in order with the types that were declared."""

    name: str
    columns: dict[str, str]
    """name -> type, names in lower case and types in upper case"""


def created_tables(text: str) -> Iterator[Table]:
    """The tables of a text that holds SQL; what SQLite does not understand creates none."""
    for found in _CREATED.finditer(text):
        with closing(sqlite3.connect(":memory:")) as db:
            try:
                db.execute(_statement(text[found.start() :]))
            except sqlite3.Error:
                continue
            for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'"):
                rows = db.execute("SELECT name, type FROM pragma_table_xinfo(?)", (name,))
                yield Table(name.lower(), {column.lower(): kind.upper() for column, kind in rows})


def _statement(text: str) -> str:
    """The first statement of a text, up to the semicolon that ends it or the text's end."""
    for found in re.finditer(";", text):
        if sqlite3.complete_statement(text[: found.end()]):
            return text[: found.end()]
    return text
