"""What predicates can ask, and what becomes of a predicate on hostile code."""

import ast
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from harness.verifier.job import ContextGlobs, Job, NoVerdict, Settings
from harness.verifier.structure import structure
from harness.verifier.syntax import (
    FunctionNode,
    branches_on,
    cognitive_complexity,
    definitions_equal,
    fingerprint,
    occurrences,
)
from harness.verifier.tree import SHARED, Function, Missing, Tree, Unparsable

SETTINGS = Settings(
    contexts={
        "jobs": ContextGlobs(domain=("domain/jobs.py",), glue=("api/jobs.py", "jobs_store/**")),
        "catalogue": ContextGlobs(domain=("domain/catalogue.py",)),
    },
    shared=("api/main.py",),
    protected=("app.toml",),
    ignored=("**/*.pyc",),
)
BASE = {
    "app.toml": b"",
    "README.md": b"",
    "tests/test_a.py": b"",
    "domain/jobs.py": b"def state(job):\n    return job.state\n",
    "domain/catalogue.py": b"def price(tier):\n    return 3\n",
    "api/jobs.py": b"from ..domain.jobs import state\n",
    "api/main.py": b"",
    "jobs_store/rows.py": b"SQL = 'select * from jobs where tier = 1'\n",
}


def function(text: str) -> FunctionNode:
    node = ast.parse(text).body[0]
    assert isinstance(node, FunctionNode)
    return node


COMPLEXITY = [
    ("def f(a):\n    return a", 0),
    ("def f(a):\n    if a:\n        pass", 1),
    (
        "def f(a):\n    if a:\n        b()\n    elif a > 1:\n        b()\n    else:\n        b()",
        3,
    ),
    ("def f(a):\n    for x in a:\n        if x:\n            while x:\n                pass", 6),
    ("def f(a):\n    for x in a:\n        pass\n    else:\n        pass", 2),
    ("def f(a, b, c):\n    return a and b and c", 1),
    ("def f(a, b, c):\n    return a and b or c", 2),
    ("def f(a):\n    return 1 if a else (2 if a > 1 else 3)", 3),
    ("def f(a):\n    try:\n        pass\n    except E:\n        if a:\n            pass", 3),
    ("def f(a):\n    try:\n        pass\n    finally:\n        pass", 0),
    (
        "def f(a):\n    match a:\n        case 1: b()\n        case _: b()",
        1,
    ),
    ("def f(a):\n    return f(a - 1) if a else 0", 2),
    ("def f(a):\n    return [x for x in a]", 0),
    ("def f(a):\n    x = lambda b: 1 if b else 2\n    return x", 2),
    ("def f(a):\n    def g(b):\n        if b:\n            pass\n    g(a)", 2),
    ("def f(a):\n    def g(b):\n        if b:\n            pass\n    return g", 1),
    ("def f(a):\n    with a:\n        if a:\n            pass", 1),
]


@pytest.mark.parametrize(("text", "expected"), COMPLEXITY)
def test_cognitive_complexity_follows_campbell(text: str, expected: int) -> None:
    assert cognitive_complexity(function(text)) == expected


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("def f(k):\n    if k == 1:\n        pass\n    elif k == 2:\n        pass", 2),
        ("def f(j):\n    return 1 if j.k else 2", 1),
        (
            "def f(k):\n    match k:\n        case 1: b()\n        case _: b()",
            1,
        ),
        ("def f(k, x):\n    match x:\n        case 1 if k:\n            pass", 1),
        ("def f(k, x):\n    return [y for y in x if y == k]", 1),
        ("def f(k):\n    return TABLE[k]", 0),
    ],
)
def test_branches_on_a_name_are_counted(text: str, count: int) -> None:
    assert branches_on(function(text), ["k"]) == count


def test_definitions_are_equal_up_to_layout_docstrings_and_annotations() -> None:
    one = function('def f(a: int) -> int:\n    """Doc."""\n    b: int = a\n    return (b)')
    other = function("def f(a):\n    b = a\n\n    return b  # same")
    renamed = function("def g(x):\n    y = x\n    return y")
    changed = function("def g(x):\n    y = x\n    return x")
    assert definitions_equal(one, other)
    assert not definitions_equal(one, renamed)
    assert fingerprint(one) == fingerprint(renamed)
    assert fingerprint(one) != fingerprint(changed)


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("p * (100 - off) // 100", 1),
        ("(100 - self.off) * job.price() // 100", 1),
        ("p * (off - 100) // 100", 0),
        ("p * (100 - off) / 100", 0),
        ("f(p * (100 - off) // 100, x * (100 - y) // 100)", 2),
    ],
)
def test_a_rule_is_found_whatever_its_parts_are_called(code: str, found: int) -> None:
    assert len(occurrences(ast.parse(code), "_price * (100 - _off) // 100")) == found


def test_a_named_wildcard_means_the_same_each_time() -> None:
    assert occurrences(ast.parse("a + a"), "_x + _x")
    assert not occurrences(ast.parse("a + b"), "_x + _x")
    assert occurrences(ast.parse("a + b"), "_ + _")


def test_files_belong_to_contexts_and_protected_ones_to_none() -> None:
    tree = Tree(BASE, SETTINGS)
    placed = {f.path: (f.context, f.kind) for f in tree.files}
    assert placed == {
        "README.md": (SHARED, "glue"),
        "api/jobs.py": ("jobs", "glue"),
        "api/main.py": (SHARED, "glue"),
        "domain/catalogue.py": ("catalogue", "domain"),
        "domain/jobs.py": ("jobs", "domain"),
        "jobs_store/rows.py": ("jobs", "glue"),
    }


@pytest.mark.parametrize(
    ("path", "content", "place"),
    [
        ("jobs_store/more.py", b"", ("jobs", "glue")),
        ("jobs_store/deep/more.py", b"", ("jobs", "glue")),
        ("domain/tiers.py", b"", (SHARED, "domain")),
        ("new.py", b"", (SHARED, "glue")),
        ("domain/jobs/more.py", b"", ("jobs", "domain")),
    ],
)
def test_a_new_file_belongs_where_its_folder_belongs(
    path: str, content: bytes, place: tuple[str, str]
) -> None:
    tree = Tree({**BASE, path: content}, SETTINGS, Tree(BASE, SETTINGS))
    assert next((f.context, f.kind) for f in tree.files if f.path == path) == place


def test_a_file_that_a_base_adds_to_the_app_belongs_where_its_folder_belongs() -> None:
    base = Tree({**BASE, "jobs_store/more.py": b"", "domain/more.py": b""}, SETTINGS)
    places = {file.path: file.context for file in base.files}
    assert (places["jobs_store/more.py"], places["domain/more.py"]) == ("jobs", SHARED)
    tree = Tree({"jobs_store/more.py": b"", "domain/more.py": b""}, SETTINGS, base)
    assert [file.context for file in tree.files] == [SHARED, "jobs"]


@pytest.mark.parametrize(
    ("content", "kind"), [(b"import sqlite3\n", "glue"), (b"X = 1\n", "domain"), (b"(", "glue")]
)
def test_in_a_mixed_folder_imports_tell_glue_from_domain(content: bytes, kind: str) -> None:
    settings = Settings(contexts={"jobs": ContextGlobs(("jobs/rules.py",), ("jobs/api.py",))})
    base = {"jobs/rules.py": b"", "jobs/api.py": b""}
    tree = Tree({**base, "jobs/new.py": content}, settings, Tree(base, settings))
    assert [(f.context, f.kind) for f in tree.files if f.path == "jobs/new.py"] == [("jobs", kind)]


def test_definitions_calls_strings_imports_and_references_are_found() -> None:
    code = b'''"""Module."""
from . import rules
import domain.jobs as jobs

class Price(Base):
    """Doc."""
    def of(self, job, *, tier):
        return rules.price(job.tier, f"{tier} of")

def outer():
    def inner():
        return QUERY["select tier from tiers"]
    return inner()
'''
    tree = Tree({"jobs_store/rows.py": code}, SETTINGS)
    jobs = tree.context("jobs")
    assert [f.qualname for f in jobs.functions()] == ["Price.of", "outer", "outer.inner"]
    assert jobs.function("of").parameters == ("self", "job", "tier")
    assert (jobs.class_("Price").bases, jobs.class_("Price").methods) == (("Base",), ("of",))
    assert [p.text for p in jobs.calls()] == ["inner", "rules.price"]
    assert [str(p) for p in jobs.calls("price")] == ["jobs_store/rows.py:8: rules.price"]
    assert {p.text for p in jobs.string_literals()} == {" of", "select tier from tiers"}
    assert [(i.module, i.name) for i in jobs.imports] == [
        ("jobs_store", "rules"),
        ("domain.jobs", None),
    ]
    assert [p.line for p in jobs.references("tiers")] == []
    assert [p.line for p in jobs.references("tiers", in_strings=True)] == [12]
    assert {"rules", "price", "tier", "Price", "QUERY"} <= jobs.names()


def test_what_a_function_leads_to_is_found_through_others() -> None:
    code = b"def a(): b()\ndef b(): return c\ndef c(): a()\ndef d(): a()\n"
    jobs = Tree({"domain/jobs.py": code}, SETTINGS).context("jobs").domain
    start = jobs.function("a")
    assert [f.name for f in jobs.onward(start)] == ["a", "b", "c"]
    assert [f.name for f in jobs.onward(start, by=Function.called)] == ["a", "b"]


def test_who_names_a_class_leads_to_what_makes_it() -> None:
    code = b"""
def a(): return Lot(3)
class Lot:
    def __init__(self, left): check(left)
    def take(self): spend()
def check(left): ...
def spend(): ...
"""
    jobs = Tree({"domain/jobs.py": code}, SETTINGS).context("jobs").domain
    found = jobs.onward(jobs.function("a"), by=Function.called)
    assert [f.qualname for f in found] == ["a", "Lot.__init__", "check"]


def test_statements_are_those_of_a_file_and_of_its_classes_one_by_one() -> None:
    code = b"A = 1\nclass B:\n    C = 2\n    def d(self):\n        return 3\n"
    (file,) = Tree({"domain/jobs.py": code}, SETTINGS).context("jobs").domain.python
    assert [each.lineno for each in file.statements] == [1, 3, 4]


def test_contexts_are_looked_at_together() -> None:
    tree = Tree(BASE, SETTINGS)
    both = tree.together("catalogue", SHARED)
    alone = (tree.context("catalogue"), tree.context(SHARED))
    assert set(both.files) == {file for each in alone for file in each.files}
    assert len(both.modules) == len(both.python) < len(both.files)


def test_a_class_mentions_names_also_in_quoted_annotations() -> None:
    code = b"class A(B):\n    c: 'D'\n    e: str = 'no name'\n"
    found = Tree({"domain/jobs.py": code}, SETTINGS).class_("A")
    assert found.mentions() == {"B", "c", "D", "e", "str"}


def test_the_fields_of_a_class_are_what_it_declares_with_a_type() -> None:
    code = b"class Lot:\n    id: str\n    LIMIT = 3\n    left: int = 0\n\n    def take(self): ...\n"
    tree = Tree({"domain/jobs.py": code}, SETTINGS)
    assert tree.context("jobs").class_("Lot").fields == ("id", "left")


ONE_LINE = "CREATE TABLE lots(id TEXT PRIMARY KEY, left INTEGER NOT NULL CHECK (left >= 0))"
SCRIPT = """
CREATE TABLE IF NOT EXISTS "jobs_lots" (
    ID text, -- of the lot; a comment
    left DECIMAL(10, 2) DEFAULT (1 + 2),
    note TEXT DEFAULT ';)',
    FOREIGN KEY (id) REFERENCES others (id)
);
CREATE INDEX by_left ON jobs_lots (left);
CREATE TABLE marks (at TEXT) STRICT;
"""


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        ("domain/jobs.py", f"SQL = {ONE_LINE!r}", {"lots": {"id": "TEXT", "left": "INTEGER"}}),
        ("domain/jobs.py", "SQL = ('CREATE TABLE '\n  'lots (a)')", {"lots": {"a": ""}}),
        ("domain/jobs.py", f"SQL = '''{SCRIPT}'''", SCRIPT),
        ("jobs_store/schema.sql", SCRIPT, SCRIPT),
        ("domain/jobs.py", f"# {ONE_LINE}", {}),
        ("jobs_store/notes.md", f"    {ONE_LINE};", {}),
        ("domain/jobs.py", f'def f():\n    """{ONE_LINE}"""', {}),
        ("domain/jobs.py", "SQL = f'CREATE TABLE {name} (a)'", {}),
        ("domain/jobs.py", "SQL = 'CREATE TABLE lots (a, a)'", {}),
        ("domain/jobs.py", "SQL = 'CREATE TABLE lots (a'", {}),
    ],
)
def test_tables_are_found_as_sqlite_reads_them(path: str, text: str, found: object) -> None:
    if found == SCRIPT:
        lots = {"id": "TEXT", "left": "DECIMAL(10, 2)", "note": "TEXT"}
        found = {"jobs_lots": lots, "marks": {"at": "TEXT"}}
    tree = Tree({path: text.encode()}, SETTINGS)
    assert {table.name: table.columns for table in tree.context("jobs").tables()} == found


def test_whom_a_context_asks_is_held_against_what_is_wanted() -> None:
    tree = Tree(BASE | {"domain/jobs.py": b"from .catalogue import price\n"}, SETTINGS)
    assert tree.asked == {"jobs": {"catalogue"}, "catalogue": frozenset()}
    nobody = dict.fromkeys(tree.asked, frozenset[str]())
    one = nobody | {"jobs": frozenset({"catalogue"})}
    both = one | {"catalogue": frozenset({"jobs"})}
    assert tree.asks_more(nobody) == "jobs should not ask catalogue"
    assert tree.asks_more(one) is tree.asks_more(both) is tree.asks_otherwise(one) is None
    assert tree.asks_otherwise(both) == "catalogue should ask jobs"
    assert tree.asks_otherwise(nobody) == "jobs should not ask catalogue"


def test_the_programs_are_those_that_app_toml_starts() -> None:
    files = {"app.toml": b"[programs.jobs]\nport = 1\n[programs.edge]\nport = 2\n"}
    unprotected = replace(SETTINGS, protected=())
    assert Tree(files, unprotected).programs == {"jobs", "edge"}
    assert Tree({}, unprotected).programs == frozenset()


def test_a_part_is_there_and_started_where_each_is_for_itself() -> None:
    unprotected = replace(SETTINGS, protected=())
    code = {"domain/jobs.py": b"def f(): ...\n", "domain/catalogue.py": b"def g(): ...\n"}
    told = [Tree(code | {"app.toml": f"[programs.{name}]\n".encode()}, unprotected).no_part("jobs")
            for name in ("jobs", "catalogue", "shop")]  # fmt: skip
    assert told == [None, "jobs are not started as the other parts are", None]
    assert Tree({}, unprotected).no_part("jobs") == "there is no part jobs"


@pytest.mark.timeout(30)
def test_an_app_of_hundreds_of_contexts_is_placed_and_read_once() -> None:
    """Seconds; where each glob was compiled anew for each file it took more than the time given."""
    names = [f"part_{number}" for number in range(400)]
    globs = {
        name: ContextGlobs((f"{name}/rules/**", f"{name}/shapes/*.py"), (f"{name}/web.py",))
        for name in names
    }
    files = {f"{name}/{part}.py": b"x = 1" for name in names for part in ("rules/a/b", "web", "c")}
    settings = Settings(contexts=globs)
    base = Tree(files, settings)
    now = Tree({**files, "part_7/web.py": b"y = 2"}, settings, base)
    assert len(now.context("part_399").files) == 3
    assert now.context("part_399").domain.files[0] is base.context("part_399").domain.files[0]
    assert now.context("part_7").glue.names() == {"y"}
    assert base.context("part_7").glue.names() == {"x"}


def test_a_copy_of_a_function_is_found_under_another_name() -> None:
    files = {
        "domain/jobs.py": b"def fee(job):\n    x = job.price\n    return x * 3\n",
        "api/main.py": b"def cost(item):\n    p = item.price\n    return p * 3\n",
    }
    tree = Tree(files, SETTINGS)
    copies = tree.duplicates(tree.context("jobs").function("fee"))
    assert [str(c) for c in copies] == ["api/main.py:1 cost"]


def test_what_is_not_there_or_not_python_is_said() -> None:
    tree = Tree({**BASE, "domain/catalogue.py": b"def (", "api/jobs.py": b"x\0"}, SETTINGS)
    with pytest.raises(Missing, match=r"jobs \(domain\) should have one function x, but has none"):
        tree.context("jobs").domain.function("x")
    with pytest.raises(Missing, match="one function f, but has 2 of them"):
        Tree({"a.py": b"def f(): 1", "b.py": b"def f(): 1"}, SETTINGS).function("f")
    with pytest.raises(Missing, match="no context nowhere"):
        tree.context("nowhere")
    for name in ("catalogue", "jobs"):
        with pytest.raises(Unparsable, match=r"could not be parsed: (SyntaxError|ValueError)"):
            tree.context(name).functions()


PREDICATES = b"""
from verifier.tree import Tree

def holds(tree):
    return ""

def fails(tree):
    return "two\\nlines"

def parses(tree):
    tree.functions()

def stumbles(tree):
    return tree.context("jobs").function("state").node.body[9]

def recurses(tree):
    return recurses(tree)

def eats(tree):
    return len([0] * 10**10)

def grows(tree):
    held = []
    for _ in range(400):
        held.append(bytearray(2**20))

def hangs(tree):
    while True:
        pass

def odd(tree):
    return 3
"""


def check(
    tmp_path: Path, names: tuple[str, ...], tree: Mapping[str, bytes], mb: int = 768
) -> dict[str, object]:
    (tmp_path / "predicates.py").write_bytes(PREDICATES)
    for folder, files in (("base", BASE), ("tree", tree)):
        for path, content in files.items():
            place = tmp_path / folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
    settings = Settings(
        contexts=SETTINGS.contexts, predicates=names, inspect_seconds=2.0, inspect_mb=mb
    )
    return {str(r["name"]): r["reason"] for r in structure(Job(tmp_path, settings))}


def test_a_predicate_that_cannot_look_does_not_hold(tmp_path: Path) -> None:
    names = ("holds", "fails", "stumbles", "recurses", "eats", "odd", "parses", "hangs", "holds")
    assert check(tmp_path, names[:-1], BASE) == {
        "holds": None,
        "fails": "two lines",
        "stumbles": "could not be checked: IndexError: list index out of range",
        "recurses": "could not be parsed: RecursionError",
        "eats": "could not be parsed: MemoryError",
        "odd": "the predicate returned 3",
        "parses": None,
        "hangs": "could not be checked: ran out of time",
    }


@pytest.mark.parametrize(("mb", "reason"), [(64, "could not be parsed: MemoryError"), (768, None)])
def test_a_predicate_that_takes_memory_bit_by_bit_gets_what_the_settings_give(
    tmp_path: Path, mb: int, reason: str | None
) -> None:
    assert check(tmp_path, ("grows",), BASE, mb) == {"grows": reason}


@pytest.mark.parametrize(
    "hostile",
    [
        b"def (",
        b"x = '\0'",
        b"(" * 5000,
        b"x = " + b"-" * 100_000 + b"1",
        b"x = " + b"a." * 50_000 + b"b",
        b"x = " + b"[" * 90 + b"]" * 90 + b"\n" + b"y = 1\n" * 400_000,
        b"# coding: nonsense\nx = 1",
        b"\xff\xfe\x00",
    ],
)
def test_hostile_source_never_passes_a_predicate(tmp_path: Path, hostile: bytes) -> None:
    reasons = check(tmp_path, ("parses",), {**BASE, "domain/jobs.py": hostile})
    assert "could not be" in str(reasons["parses"])


@pytest.mark.parametrize("names", [("absent",), ("Tree2",)])
def test_a_predicate_that_the_task_lacks_is_an_error(tmp_path: Path, names: tuple[str]) -> None:
    with pytest.raises(NoVerdict, match="has no function"):
        check(tmp_path, names, BASE)
