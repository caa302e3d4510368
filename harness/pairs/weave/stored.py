"""What must hold of tables and queries: SQLite itself is asked whether it can run them."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import lru_cache

from harness.errors import BadInput
from harness.pairs.weave.expressions import is_plain
from harness.pairs.weave.sources import WRITES, App, Context, Method
from harness.pairs.weave.spec import TableSpec

SQL_TYPES = {"str": "TEXT", "int": "INTEGER", "bool": "BOOLEAN", "datetime": "TIME",
             "list[str]": "LIST"}  # fmt: skip
_TAKEN = {"kind", "sql"}
"""what the arms' `Rows` calls its own parameters, beside those of a query"""


def check_stored(app: App, context: Context) -> None:
    """Raises BadInput that names file, line and key."""
    for name, table in context.spec.tables.items():
        _check_table(app, context, name, table)
    _check_store(app, context)
    if context.store:
        for name, how in context.spec.queries.items():
            told = _problem(context, app.stores.methods(context.store)[name], how)
            if told:
                raise app.wrong(told, "contexts", context.name, "queries", name)


def order(method: Method) -> str:
    """What stands behind the condition of a query: lists have an order, and pages an end."""
    if not method.returns.startswith("list["):
        return ""
    return " ORDER BY rowid" + " LIMIT :limit OFFSET :offset" * ("limit" in _names(method))


def _check_table(app: App, context: Context, name: str, table: TableSpec) -> None:
    keys = ("contexts", context.name, "tables", name)
    module = context.module
    if table.record not in module.classes:
        raise app.wrong(f"{module.path} has no class {table.record}", *keys, "record")
    module.check_dataclass(table.record)
    first = next(key for key, each in context.spec.tables.items() if each.record == table.record)
    if first != name:
        raise app.wrong(f"the table {first} keeps {table.record} already", *keys, "record")
    columns = module.fields(table.record)
    for key, column in _columns(table):
        if column not in columns:
            told = f"{table.record} has no field {column!r}; it has {', '.join(columns)}"
            raise app.wrong(told, *keys, key)
    for column, other in table.refers.items():
        kept = [each.spec.tables[other] for each in app.contexts.values()
                if other in each.spec.tables]  # fmt: skip
        if not kept:
            raise app.wrong(f"no table {other!r}", *keys, "refers", column)
        if kept[0].key is None:
            raise app.wrong(f"the table {other} has no key", *keys, "refers", column)
    for field, annotation in columns.items():
        if annotation.removesuffix(" | None") not in SQL_TYPES:
            where = f"{module.path}:{module.line(table.record, field)}: {table.record}.{field}"
            raise BadInput(f"{where}: {annotation} cannot be stored; use {', '.join(SQL_TYPES)}")


def _columns(table: TableSpec) -> Iterator[tuple[str, str]]:
    """The columns that a table names, each with its key in app.yaml."""
    yield from [("key", table.key)] if table.key else []
    yield from (("unique", column) for column in table.unique)
    yield from (("index", column) for columns in table.index for column in columns)
    yield from (("refers", column) for column in table.refers)


def _check_store(app: App, context: Context) -> None:
    """The queries of app.yaml are the methods of the Protocol."""
    if context.store is None:
        for name in context.spec.queries:
            told = f"{context.service} has no field store"
            raise app.wrong(told, "contexts", context.name, "queries", name)
        return
    if context.store not in app.stores.classes:
        line = context.module.line(context.service, "store")
        raise BadInput(f"{context.module.path}:{line}: {context.store} is not in stores.py")
    needed = app.stores.methods(context.store)
    for method in needed.values():
        if not is_plain(method):
            place = f"{app.stores.path}:{method.node.lineno}: {context.store}.{method.name}"
            raise BadInput(f"{place}: a store takes its parameters by name: no *, ** or /")
        for name in _TAKEN & {each for each, _, _ in method.parameters}:
            place = f"{app.stores.path}:{method.node.lineno}: {context.store}.{method.name}"
            raise BadInput(f"{place}: no parameter of a store can be called {name!r}")
    for name in sorted(needed.keys() ^ context.spec.queries.keys()):
        known = "has no such method" if name not in needed else "asks for it"
        told = f"{context.store} in stores.py {known}"
        raise app.wrong(told, "contexts", context.name, "queries", name)


def _problem(context: Context, method: Method, how: str) -> str | None:
    """What is wrong with a query."""
    kept = {table.record: name for name, table in context.spec.tables.items()}
    if how in WRITES:
        return _write_problem(context, method, how, kept)
    if found := re.search(r'["\\\n]', how):
        return f"SQL has its words in single quotes and stands on one line: no {found[0]!r}"
    names = _names(method)
    if method.returns == "int":
        table, _, condition = how.partition(" WHERE ")
        if table not in context.spec.tables or not condition:
            return f"a count is `table WHERE condition`, and {how!r} is not"
    else:
        record = method.returns.removesuffix(" | None").removeprefix("list[").removesuffix("]")
        if record not in kept:
            return f"no table keeps {record}"
        if method.returns.startswith("list[") and len({"limit", "offset"} & set(names)) == 1:
            return f"a page has limit and offset, and {method.name} takes one of them"
        table, condition = kept[record], how + order(method)
    columns = tuple(context.module.fields(context.spec.tables[table].record))
    return _refused(table, columns, condition, names)


def _names(method: Method) -> tuple[str, ...]:
    return tuple(name for name, _, _ in method.parameters)


def _write_problem(context: Context, method: Method, how: str, kept: dict[str, str]) -> str | None:
    """What is wrong with a query that writes; `kept`: record -> table."""
    records = [annotation for _, annotation, _ in method.parameters]
    if len(records) != 1 or records[0] not in kept:
        return f"{how} takes one record that a table keeps; {method.name} takes {records}"
    table = context.spec.tables[kept[records[0]]]
    if how == "update" and table.key is None:
        return f"update needs a key of the table {kept[records[0]]}"
    if how == "upsert" and not (table.key or table.unique):
        return f"upsert needs a key, or unique columns, of the table {kept[records[0]]}"
    return None


@lru_cache(maxsize=8192)
def _refused(
    table: str, columns: tuple[str, ...], condition: str, names: tuple[str, ...]
) -> str | None:
    """What SQLite says against a condition."""
    with closing(sqlite3.connect(":memory:")) as db:
        try:
            db.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
            sql = f"EXPLAIN SELECT * FROM {table} WHERE {condition}"  # noqa: S608 - not run
            db.execute(sql, dict.fromkeys(names))
        except sqlite3.Error as error:
            return f"{error}: {condition}"
    return None
