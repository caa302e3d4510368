"""Effort counts code, by context and kind."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.patch import FILE, BaseRepository, Entry, Tree, make_patch
from harness.verifier.effort import Edits, changed_lines, code_lines, effort
from harness.verifier.globs import matches
from harness.verifier.job import ContextGlobs, Settings
from harness.verifier.limited import limited


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("a.py", '"""Doc."""\n\n# c\nx = 1  # c\n', ["x = 1"]),
        (
            "a.py",
            'def f():\n    """Doc\n    more."""\n    return  1\n',
            ["def f ( ) :", "return 1"],
        ),
        ("a.py", 'x = """a\nb"""\n', ['x = """a', 'b"""']),
        ("a.py", "f(1,\n  2)\n", ["f ( 1 ,", "2 )"]),
        ("a.py", "def (:\n\n# c\n", ["def (:"]),
        ("a.py", "x = '''\n# c\n\ny", ["x = '''", "y"]),
        ("a.sql", "-- c\nselect 1\n\n", ["select 1"]),
        ("a.toml", "# c\nx = 1\n", ["x = 1"]),
        ("a.bin", "a\0b", []),
    ],
)
def test_code_lines_leave_out_what_is_no_code(path: str, text: str, expected: list[str]) -> None:
    assert code_lines(path, text.encode()) == expected


def test_lines_are_counted_as_a_diff_does() -> None:
    assert changed_lines(["a", "b", "c"], ["a", "x", "y", "c"]) == (2, 1)
    assert changed_lines([], ["a"]) == (1, 0)
    assert changed_lines(["a"], ["a"]) == (0, 0)


def test_effort_is_split_by_context_and_kind() -> None:
    settings = Settings(
        contexts={"jobs": ContextGlobs(("jobs/rules.py",), ("jobs/api.py",))},
        ignored=("**/*.pyc",),
    )
    base = {"jobs/rules.py": b"x = 1\n", "jobs/api.py": b"y = 1\n", "gone.py": b"z = 1\n"}
    tree = {
        "jobs/rules.py": b"x = 2\n# why\n",
        "jobs/api.py": b"y = 1  # only a comment\n",
        "jobs/table.py": b"t = 1\nu = 2\n",
        "jobs/x.pyc": b"",
        "empty.py": b"",
    }
    told = effort(base, tree, settings).to_json()
    assert told == {
        "total": {"files": 5, "added": 3, "deleted": 2},
        "domain": {"files": 2, "added": 3, "deleted": 1},
        "glue": {"files": 3, "added": 0, "deleted": 1},
        "contexts": {
            "shared": {"files": 2, "added": 0, "deleted": 1},
            "jobs": {"files": 3, "added": 3, "deleted": 1},
        },
    }


def test_contracts_are_no_code_and_edit_no_context() -> None:
    settings = Settings(
        contexts={"jobs": ContextGlobs(("jobs/rules.py",), ("openapi/jobs.json",))},
        contracts=("openapi/*.json",),
    )
    base = {"jobs/rules.py": b"x = 1\n", "openapi/jobs.json": b"{\n}\n"}
    brought = {"openapi/jobs.json": b'{\n"a": 1\n}\n', "openapi/fees.json": b"{}\n"}
    told = effort(base, {**base, **brought}, settings).to_json()
    assert told == effort(base, base, settings).to_json()
    told = effort(base, {**base, **brought, "jobs/rules.py": b"x = 2\n"}, settings).to_json()
    assert told["total"] == told["domain"] == {"files": 1, "added": 1, "deleted": 1}


def test_a_contract_that_is_code_counts_and_so_does_code_that_becomes_a_contract() -> None:
    settings = Settings(contracts=("api/*",), renamed={"api/rules.json": "rules.py"})
    base = {"api/face.py": b"x = 1\n", "rules.py": b"{\n}\n"}
    tree = {"api/face.py": b"x = 2\n", "api/rules.json": b"{\n1\n}\n"}
    assert effort(base, tree, settings).total == Edits(files=2, added=2, deleted=1)


def test_a_renamed_file_counts_with_what_was_edited_in_it_as_git_counts_it(tmp_path: Path) -> None:
    contexts = {"jobs": ContextGlobs(("jobs/*",)), "fees": ContextGlobs(("fees/*",))}
    text = b"".join(b"x%d = %d\n" % (n, n) for n in range(50))
    base = {"jobs/rules.py": text, "jobs/api.py": text + b"y = 1\n"}
    tree = {"fees/rules.py": text, "jobs/calls.py": text + b"y = 2\n"}
    changes = make_patch(
        BaseRepository.create(tmp_path / "base", entries(base)), entries(tree)
    ).changes
    told = effort(base, tree, Settings(contexts=contexts, renamed=changes.renamed))
    assert (told.total.added, told.total.deleted) == (changes.lines_added, changes.lines_deleted)
    assert (told.total.added, told.total.deleted, told.total.files) == (1, 1, len(changes.files))
    # It left one context and came into another: both were edited.
    assert {name: (e.files, e.added) for name, e in told.contexts.items()} == {
        "fees": (1, 0),
        "jobs": (2, 1),
    }
    told = effort(base, tree, Settings(contexts=contexts))
    assert (told.total.added, told.total.deleted, told.total.files) == (101, 101, 4)


def entries(files: dict[str, bytes]) -> Tree:
    return Tree({path: Entry(FILE, content) for path, content in files.items()})


@pytest.mark.parametrize(
    ("glob", "path", "taken"),
    [
        ("**/*.pyc", "a.pyc", True),
        ("**/*.pyc", "a/b/c.pyc", True),
        ("a/**", "a/b/c", True),
        ("a/*", "a/b/c", False),
        ("a/*.py", "a/b.py", True),
        ("a/**/b.py", "a/b.py", True),
        ("a.py", "aXpy", False),
        ("a?.py", "ab.py", True),
        ("a?.py", "a/.py", False),
    ],
)
def test_globs_cross_folders_only_with_two_stars(glob: str, path: str, *, taken: bool) -> None:
    assert matches(path, [glob]) is taken


def test_a_child_that_crashes_or_hangs_loses_only_what_it_had_left() -> None:
    def crash() -> Iterator[int]:
        yield 1
        os.abort()

    def hang() -> Iterator[int]:
        yield 1
        while True:
            pass

    assert (limited(crash, 5, 512).items, limited(crash, 5, 512).died) == ((1,), "ended by a crash")
    assert limited(hang, 0.3, 512).died == "ran out of time"
    assert limited(lambda: [1, 2], 5, 512).items == (1, 2)
