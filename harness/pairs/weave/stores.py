"""The repositories: one class a context, the same SQL in every arm but for the tables' names."""

import re
from collections.abc import Callable, Collection, Iterator

from harness.pairs.weave.sources import App, Context, Method
from harness.pairs.weave.spec import CouplingSpec, TableSpec
from harness.pairs.weave.stored import SQL_TYPES, order
from harness.pairs.weave.trees import template

_LONGEST_SQL = 84
_LONGEST_LINE = 100
_CLAUSE = re.compile(r" (?=WHERE |ORDER BY )")
Naming = Callable[[str, str], str]
"""context and table -> the name of the table in the arm"""


COUNTING = '''\
COUNTERS = """
CREATE TABLE IF NOT EXISTS counters (prefix TEXT PRIMARY KEY, last INTEGER NOT NULL);
"""
NEXT = """
INSERT INTO counters (prefix, last) VALUES (?, 1)
ON CONFLICT DO UPDATE SET last = last + 1 RETURNING last
"""
'''
_VERBS = {"insert": "add", "update": "save", "upsert": "put"}


def rows(app: App, contexts: Collection[Context]) -> str:
    """The module of rows, with the methods alone that the contexts ask of it."""
    asked = {_verb(app.stores.methods(str(each.store))[name], how)
             for each in contexts for name, how in each.spec.queries.items()}  # fmt: skip
    asked |= {"__init__"} | ({"all"} if "first" in asked else set())
    counts = any("new_id" in each.parts for each in contexts)
    asked |= {"new_id"} if counts else set()
    constants = ('T = TypeVar("T")\n' if "all" in asked else "") + (COUNTING if counts else "")
    about = "Records as rows of SQLite, and new ids." if counts else "Records as rows of SQLite."
    head, *methods = re.split(r"\n(?=    def )", template("rows.py", ABOUT=about))
    kept = [each for each in methods if each.split("(")[0].removeprefix("    def ") in asked]
    return "\n".join([head.replace("CONSTANTS\n", f"{constants}\n" * bool(constants)), *kept])


def _verb(method: Method, how: str) -> str:
    """The method of the rows that answers a query."""
    if how in _VERBS:
        return _VERBS[how]
    if method.returns == "int":
        return "count"
    return "all" if method.returns.startswith("list[") else "first"


def tables(app: App, context: Context, naming: Naming, *, tangled: bool) -> str:
    """The statements that create the tables of a context."""
    parts = [
        _table(app, context, name, spec, naming, tangled=tangled)
        for name, spec in context.spec.tables.items()
    ]
    return "\n".join(parts)


def with_tables(app: App, context: Context, imports: str, naming: Naming) -> str:
    """The module of a store that has the statements for its tables, too: `TABLES`."""
    head, body = store(app, context, imports, naming).split("\n\n\nclass ", 1)
    made = tables(app, context, naming, tangled=False)
    return f'{head}\n\nTABLES = """\n{made}\n"""\n\n\nclass {body}'


def _table(
    app: App, context: Context, name: str, spec: TableSpec, naming: Naming, *, tangled: bool
) -> str:
    columns = list(_columns(app, context, spec, naming, tangled=tangled))
    if spec.unique:
        columns.append(f"UNIQUE ({', '.join(spec.unique)})")
    table = naming(context.name, name)
    body = ",\n".join(f"    {column}" for column in columns)
    indexes = [_index(table, each) for each in spec.index]
    return "\n".join([f"CREATE TABLE IF NOT EXISTS {table} (\n{body}\n);", *indexes])


def _index(table: str, columns: tuple[str, ...]) -> str:
    head = f"CREATE INDEX IF NOT EXISTS {table}_by_{'_'.join(columns)}"
    tail = f"ON {table} ({', '.join(columns)});"
    return f"{head} {tail}" if len(head + tail) < _LONGEST_LINE else f"{head}\n    {tail}"


def _columns(
    app: App, context: Context, spec: TableSpec, naming: Naming, *, tangled: bool
) -> Iterator[str]:
    fields = context.module.fields(spec.record)
    for field in sorted(fields, key=lambda each: each != spec.key):  # its key is a table's first
        annotation = fields[field]
        kind, null = annotation.removesuffix(" | None"), annotation.endswith(" | None")
        words = [field, SQL_TYPES[kind]]
        words.append("PRIMARY KEY" if field == spec.key else "" if null else "NOT NULL")
        owner, target = _referred(app, context, spec.refers.get(field))
        if target and (tangled or owner == context.name):
            key = app.contexts[owner].spec.tables[target].key
            words.append(f"REFERENCES {naming(owner, target)} ({key})")
        yield " ".join(word for word in words if word)


def _referred(app: App, context: Context, table: str | None) -> tuple[str, str | None]:
    if table is None:
        return context.name, None
    return next(name for name, other in app.contexts.items() if table in other.spec.tables), table


def store(
    app: App, context: Context, imports: str, naming: Naming, cached: CouplingSpec | None = None
) -> str:
    """The module of the repository. `imports`: where rows and records come from."""
    records = sorted(set(_records(context)))
    methods = app.stores.methods(str(context.store))
    bodies = [_query(context, method, naming, cached) for method in methods.values()]
    return "\n".join([
        f'"""{context.spec.title}: what is stored, in SQLite."""\n',
        "from datetime import datetime\n",
        imports.format(records=", ".join(records)),
        f"\n\nclass {context.store}:",
        "    def __init__(self, rows: Rows) -> None:",
        "        self.rows = rows\n",
        "\n\n".join(bodies),
        "",
    ])  # fmt: skip


def _records(context: Context) -> Iterator[str]:
    return (spec.record for spec in context.spec.tables.values())


def signature(method: Method) -> str:
    """`(self, a: str, b: int = 0) -> X`."""
    parts = ["self"]
    for name, annotation, default in method.parameters:
        parts.append(f"{name}: {annotation}" + (f" = {default}" if default else ""))
    return f"({', '.join(parts)}) -> {method.returns}"


def _query(context: Context, method: Method, naming: Naming, cached: CouplingSpec | None) -> str:
    how = context.spec.queries[method.name]
    head = f"    def {method.name}{signature(method)}:\n"
    verb = _verb(method, how)
    if how in _VERBS:
        ((name, record, _),) = method.parameters
        table, spec = _table_of(context, record)
        key = f', key="{spec.key}"' if how != "insert" and spec.key != "id" else ""
        if verb == "put":
            key = ""
        return f'{head}        self.rows.{verb}("{naming(context.name, table)}", {name}{key})'
    if cached and cached.query == method.name:
        return head + _cached(context, method, how, naming, cached)
    return head + _select(context, method, how, naming, verb)


def _select(context: Context, method: Method, how: str, naming: Naming, verb: str) -> str:
    names = [name for name, _, _ in method.parameters]
    values = "".join(f", {name}={name}" for name in names)
    if verb == "count":
        table, condition = how.split(" WHERE ", 1)
        sql = f"SELECT count(*) FROM {naming(context.name, table)} WHERE {condition}"  # noqa: S608 - source code, not run
        return f"{_statement(sql)}        return self.rows.count(sql{values})"
    record = method.returns.removesuffix(" | None").removeprefix("list[").removesuffix("]")
    table, _ = _table_of(context, record)
    sql = f"SELECT * FROM {naming(context.name, table)} WHERE {how}{order(method)}"  # noqa: S608 - source code
    return f"{_statement(sql)}        return self.rows.{verb}({record}, sql{values})"


def _statement(sql: str) -> str:
    """The statement as a variable: on one line, or clause by clause where that is too long."""
    if len(sql) <= _LONGEST_SQL:
        return f'        sql = "{sql}"\n'
    lines = [line for clause in _CLAUSE.split(sql) for line in _wrapped(clause)]
    text = "\n".join(f"            {line}" for line in lines)
    return f'        sql = """\n{text}\n        """\n'


def _wrapped(clause: str) -> list[str]:
    if len(clause) <= _LONGEST_SQL:
        return [clause]
    first, *others = clause.split(" AND ")
    return [first, *(f"    AND {each}" for each in others)]


def _cached(
    context: Context, method: Method, how: str, naming: Naming, coupling: CouplingSpec
) -> str:
    ((name, _, _),) = method.parameters
    record = method.returns.removesuffix(" | None")
    table, _ = _table_of(context, record)
    sql = f"SELECT * FROM {naming(context.name, table)} WHERE {how}"  # noqa: S608 - source code
    return (
        f'        key = "{coupling.key}" + {name}\n'
        "        if key not in cache:\n"
        f'            sql = "{sql}"\n'
        f"            found = self.rows.first({record}, sql, {name}={name})\n"
        "            if found is None:\n"
        "                return None\n"
        "            cache[key] = found\n"
        "        return replace(cache[key])"
    )


def _table_of(context: Context, record: str) -> tuple[str, TableSpec]:
    return next(each for each in context.spec.tables.items() if each[1].record == record)
