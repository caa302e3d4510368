"""What leaves a workspace as a patch comes back as the same tree, whatever is in it."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from harness.errors import BadInput, PatchRefused
from harness.patch import (
    EXECUTABLE,
    FILE,
    LINK,
    BaseRepository,
    Changes,
    Entry,
    FileChange,
    Limits,
    Tree,
    apply_patch,
    make_patch,
    read_workspace,
)
from harness.patch.git import scratch

EVIL = b"* text=auto eol=crlf ident filter=evil diff=evil merge=evil working-tree-encoding=UTF-16\n"
EVIL += (
    b"* export-ignore export-subst whitespace=trailing-space,cr-at-eol\n[attr]odd -diff\n* odd\n"
)
PROSE = b"".join(b"line %d of a text\n" % number for number in range(30))
FILES = {
    "a.py": Entry(FILE, PROSE),
    "b.bin": Entry(FILE, bytes(range(256)) * 8),
    "d/run": Entry(EXECUTABLE, b"#!/bin/sh\n"),
    "d/link": Entry(LINK, b"../a.py"),
    "empty": Entry(FILE, b""),
    "crlf": Entry(FILE, b"1\r\n2\r\n"),
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> BaseRepository:
    return BaseRepository.create(tmp_path_factory.mktemp("base") / "repository", Tree(FILES))


def tree_with(changes: Mapping[str, Entry | None]) -> Tree:
    """The base with files changed, added, or (None) removed."""
    merged = {**FILES, **changes}
    return Tree({path: entry for path, entry in merged.items() if entry is not None})


def text(content: bytes) -> Entry:
    return Entry(FILE, content)


CASES: dict[str, Mapping[str, Entry | None]] = {
    "binary changed": {"b.bin": text(bytes(range(256)) * 8 + b"\0")},
    "binary added": {"new": text(b"\0\1" * 500)},
    "binary removed": {"b.bin": None},
    "empty added": {"new": text(b"")},
    "empty removed": {"empty": None},
    "emptied": {"a.py": text(b"")},
    "filled": {"empty": text(b"x")},
    "all removed": dict.fromkeys(FILES),
    "renamed": {"a.py": None, "new/name.py": text(PROSE)},
    "renamed and changed": {"a.py": None, "n": text(PROSE.replace(b"line 7 ", b"row "))},
    "binary renamed": {"b.bin": None, "c.bin": FILES["b.bin"]},
    "sorted around a folder": {name: text(b"x") for name in ("s/x", "s-b", "s.b", "s0")},
    "renamed below itself": {"a.py": None, "a.py/a.py": text(PROSE), "d/link": None},
    "executable now": {"a.py": Entry(EXECUTABLE, PROSE)},
    "plain now": {"d/run": text(b"#!/bin/sh\n")},
    "renamed with mode": {"a.py": None, "x": Entry(EXECUTABLE, PROSE)},
    "file to link": {"crlf": Entry(LINK, b"a.py")},
    "link to file": {"d/link": text(b"../a.py")},
    "link moved": {"d/link": None, "d/other": Entry(LINK, b"../a.py")},
    "link moved for a folder": {
        "d/link": None,
        "d/other": Entry(LINK, b"../a.py"),
        "d/link/x": text(b"x"),
    },
    "link changed": {"d/link": Entry(LINK, b"run")},
    "folder to file": {"d/run": None, "d/link": None, "d": text(b"x")},
    "file to folder": {"empty": None, "empty/x": text(b"x")},
    "no last newline": {"a.py": text(PROSE[:-1])},
    "mixed line ends": {"crlf": text(b"1\n2\r\n3\r")},
    "blanks at the end": {"a.py": text(PROSE + b"\t \n\n\n")},
    "looks like a patch": {"a.py": text(b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-x\n+y\n")},
    "odd names": {
        name: text(b"x\n")
        for name in (
            "-x",
            "--help",
            "a b ",
            '"q"',
            "'",
            "日本",
            "e\u0301",
            "$(x)",
            "a\\b",
            "*?[",
            ":",
        )
    },
    "evil attributes": {
        ".gitattributes": text(EVIL),
        "d/.gitattributes": text(EVIL),
        "a.py": text(PROSE.replace(b"\n", b"\r\n")),
        "id": text(b"$Id$ $Format:%H$\r\n"),
    },
    "git's own files": {
        ".gitconfig": text(b"[core]\n\thooksPath = /work\n"),
        ".gitmodules": text(b'[submodule "x"]\n\tpath = x\n\turl = ../x\n'),
        ".gitignore": text(b"*\n"),
    },
}


@pytest.mark.parametrize("name", CASES)
def test_a_patch_leads_to_the_same_tree(base: BaseRepository, name: str) -> None:
    wanted = tree_with(CASES[name])
    patch = make_patch(base, read_workspace(wanted.tar()).tree)
    assert not patch.is_empty
    assert apply_patch(base, patch.text) == wanted
    assert make_patch(base, apply_patch(base, patch.text)).changes == patch.changes


def test_no_change_gives_an_empty_patch(base: BaseRepository) -> None:
    patch = make_patch(base, read_workspace(base.workspace_tar()).tree)
    assert (patch.is_empty, patch.text, patch.changes) == (True, b"", Changes())


NAMES = st.sampled_from(["a", "b", "-c", "d e", "ü", '"', ".gitattributes", "x"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
LINES = st.lists(
    st.sampled_from([b"a\n", b"b\r\n", b"", b" \n", b"c", b"$Id$\n", b"@@ -1 +1 @@\n"])
)
CONTENTS = (
    LINES.map(b"".join) | st.binary(max_size=40) | st.sampled_from([EVIL, PROSE, PROSE + b"x"])
)
LINKS = st.sampled_from([b"a", b"b/a", b"./x", b"missing", b"../a"]).map(lambda to: Entry(LINK, to))
ENTRIES = st.builds(Entry, st.sampled_from([FILE, EXECUTABLE]), CONTENTS) | LINKS


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    entries: dict[str, Entry] = {}
    for path, entry in draw(st.dictionaries(PATHS, ENTRIES, max_size=6)).items():
        if not any(
            path.startswith(f"{other}/") or other.startswith(f"{path}/") for other in entries
        ):
            entries[path] = entry
    tree = None
    try:
        tree = Tree(entries)
    except BadInput:
        assume(False)  # a link went out of the tree
    assert tree is not None
    return tree


@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(trees(), trees())
def test_any_tree_comes_back_from_a_patch_against_any_base(
    tmp_path_factory: pytest.TempPathFactory, before: Tree, after: Tree
) -> None:
    repository = BaseRepository.create(tmp_path_factory.mktemp("base") / "r", before)
    patch = make_patch(repository, after)
    assert patch.is_empty == (before == after)
    assert patch.is_empty or apply_patch(repository, patch.text) == after
    changed = {file.path for file in patch.changes.files if file.status != "D"}
    assert changed == {p for p, e in after.entries.items() if before.entries.get(p) != e}


def test_nothing_outside_reaches_git(
    base: BaseRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\ncat\n")
    trap.chmod(0o755)
    drivers = (
        f'[diff]\n\texternal = {trap}\n[diff "evil"]\n\tcommand = {trap}\n\ttextconv = {trap}\n'
    )
    drivers += f'\tbinary = true\n[filter "evil"]\n\tclean = {trap}\n\tsmudge = {trap}\n'
    drivers += f"[core]\n\thooksPath = {tmp_path}\n\tautocrlf = true\n[diff]\n\tnoprefix = true\n"
    (tmp_path / ".gitconfig").write_text(drivers)
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / ".gitconfig"))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(trap))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "absent"))
    monkeypatch.setenv("GIT_DIFF_OPTS", "--unified=0")
    monkeypatch.setenv("GIT_TRACE", str(tmp_path / "sprung"))
    wanted = tree_with(CASES["evil attributes"])
    patch = make_patch(base, wanted)
    assert apply_patch(base, patch.text) == wanted
    assert b"Binary" not in patch.text
    assert b"GIT binary patch" not in patch.text
    assert b"diff --git a/a.py b/a.py\n" in patch.text
    assert not (tmp_path / "sprung").exists()


def test_attributes_of_the_base_do_not_hide_changes(tmp_path: Path) -> None:
    before = Tree({".gitattributes": text(b"* -diff -text\n"), "a": text(b"1\n")})
    repository = BaseRepository.create(tmp_path / "r", before)
    patch = make_patch(repository, before.overlay(Tree({"a": text(b"2\n")})))
    assert b"\n-1\n+2\n" in patch.text


def test_changes_are_counted_as_git_counts_them(base: BaseRepository) -> None:
    moved = PROSE.replace(b"line 3 ", b"row ").replace(b"line 25 ", b"row 25\nmore ")
    changes = make_patch(
        base,
        tree_with(
            {
                "a.py": None,
                "ü\\ b": text(moved),
                "b.bin": text(b"\0"),
                "crlf": None,
                "d/link": text(b"x"),
                "new": text(b"1\n2"),
                "d/run": text(b"#!/bin/sh\n"),
            }
        ),
    ).changes
    assert set(changes.files) == {
        FileChange("ü\\ b", "a.py", "R", 3, 2, binary=False),
        FileChange("b.bin", None, "M", 0, 0, binary=True),
        FileChange("crlf", None, "D", 0, 2, binary=False),
        FileChange("d/link", None, "M", 1, 1, binary=False),
        FileChange("d/run", None, "M", 0, 0, binary=False),
        FileChange("new", None, "A", 2, 0, binary=False),
    }
    # two in the renamed file, one in crlf and new, two in d/link (removed and made again)
    assert changes.hunks == 6
    assert (changes.lines_added, changes.lines_deleted) == (6, 5)


def test_lines_that_look_like_hunks_are_not_counted_as_hunks(base: BaseRepository) -> None:
    assert make_patch(base, tree_with(CASES["looks like a patch"])).changes.hunks == 1


def test_attributes_in_the_index_say_nothing(tmp_path: Path) -> None:
    before = Tree({".gitattributes": text(EVIL), "a": text(b"x")})
    repository = BaseRepository.create(tmp_path / "r", before)
    with scratch(repository.folder) as own:
        own.index.write_bytes((repository.folder / "index").read_bytes())
        told = own.git("check-attr", "--cached", "--all", "a").expect()
    assert told == b"a: odd: set\n"  # what no git command acts on


HAND = b"""\
Some words before, as in a mail.

--- a/a.py
+++ b/a.py
@@ -1,3 +1,3 @@
 line 0 of a text
-line 1 of a text
+LINE ONE
 line 2 of a text
"""


def test_takes_a_patch_written_by_hand(base: BaseRepository) -> None:
    wanted = tree_with({"a.py": text(PROSE.replace(b"line 1 of a text", b"LINE ONE"))})
    assert apply_patch(base, HAND) == wanted
    changes = make_patch(base, wanted).changes
    assert changes.files == (FileChange("a.py", None, "M", 1, 1, binary=False),)


def new_file(path: str, line: str = "x", mode: str = "100644") -> bytes:
    return (
        f"diff --git a/{path} b/{path}\nnew file mode {mode}\n--- /dev/null\n+++ b/{path}\n"
        f"@@ -0,0 +1 @@\n+{line}\n\\ No newline at end of file\n"
    ).encode()


def literal(size: int) -> bytes:
    """A binary patch that claims to hold a file of `size` bytes."""
    return (
        "diff --git a/big b/big\nnew file mode 100644\n"
        f"index {'0' * 40}..{'1' * 40}\nGIT binary patch\nliteral {size}\n"
        "Mc${NkU|;|M00aO5\n\nliteral 0\nHcmV?d00001\n\n"
    ).encode()


HOSTILE = {
    "empty": (b"", "the patch is empty"),
    "blank": (b"\n \n", "the patch is empty"),
    "rubbish": (bytes(range(256)) * 50, "does not apply: "),
    "words": (b"I could not do it.\n", "does not apply: "),
    "too large": (b"+" * (100 * 2**20 + 1), "the patch is larger than 100 MB"),
    "other content": (HAND.replace(b"line 2", b"line 9"), "does not apply: patch failed: a.py:1"),
    "missing file": (HAND.replace(b"a.py", b"no.py"), "does not apply: no.py: does not exist"),
    "cut off": (HAND[:-20], "does not apply: corrupt patch"),
    "there already": (new_file("a.py"), "does not apply: a.py: already exists"),
    "path out": (new_file("../x"), r"does not apply: invalid path '\.\./x'"),
    "inner path out": (new_file("d/../../x"), "does not apply: invalid path"),
    "absolute path": (new_file("/etc/x"), "does not apply: invalid path '/etc/x'"),
    "git folder": (new_file(".git/hooks/x"), "does not apply: invalid path"),
    "git variant": (new_file("d/.GIT/x"), "does not apply: invalid path"),
    "git short name": (new_file("git~1"), "does not apply: invalid path"),
    "absolute link": (new_file("x", "/etc/passwd", "120000"), "'x' is a link to the absolute"),
    "link out": (new_file("d/x", "../../y", "120000"), "'d/x' is a link out of the tree"),
    "through a link": (new_file("d/link/x"), "does not apply: |both a file and a folder"),
    "below a file": (new_file("empty/x"), "does not apply: |both a file and a folder"),
    "submodule": (new_file("m", f"Subproject commit {'1' * 40}", "160000"), "mode 160000"),
    "control character": (new_file("x").replace(b"b/x", b'"b/x\\n"'), "does not apply|control"),
    "claims 30 GB": (literal(30 * 10**9), "does not apply: "),
    "claims 1.5 GB": (literal(3 * 2**29), "does not apply: "),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_refuses_a_hostile_patch_with_one_line(base: BaseRepository, name: str) -> None:
    patch, message = HOSTILE[name]
    with pytest.raises(PatchRefused, match=message) as caught:
        apply_patch(base, patch)
    assert str(caught.value).isprintable()
    assert apply_patch(base, HAND)


def test_refuses_a_patch_beyond_the_limits(base: BaseRepository) -> None:
    one = make_patch(base, tree_with({"n": text(b"x" * 5000)})).text
    two = make_patch(base, tree_with({"n": text(b"x" * 3000), "m": text(b"y" * 3000)})).text
    with pytest.raises(PatchRefused, match="'n' is larger than 4000 bytes"):
        apply_patch(base, one, Limits(file_bytes=4000))
    with pytest.raises(PatchRefused, match="more than 5000 bytes"):
        apply_patch(base, two, Limits(total_bytes=5000))
    with pytest.raises(PatchRefused, match="more than 8 files and folders"):
        apply_patch(base, two, Limits(entries=8))


@pytest.fixture(scope="module")
def patch(base: BaseRepository) -> bytes:
    cases = ("renamed", "binary changed", "file to link")
    return make_patch(base, tree_with({p: e for c in cases for p, e in CASES[c].items()})).text


@settings(max_examples=120, deadline=None, derandomize=True)
@given(at=st.integers(0, 2000), value=st.binary(max_size=8), cut=st.integers(0, 60))
def test_a_mutated_patch_applies_or_is_refused_and_nothing_else(
    base: BaseRepository, patch: bytes, at: int, value: bytes, cut: int
) -> None:
    at %= len(patch)
    refusal = ""
    try:
        apply_patch(base, patch[:at] + value + patch[at + cut :])
    except PatchRefused as caught:
        refusal = str(caught)
    assert refusal.isprintable()


def test_many_threads_share_one_base(base: BaseRepository) -> None:
    wanted = [tree_with({"a.py": text(b"%d\n" % n), f"n{n % 3}": text(b"x")}) for n in range(24)]

    def there_and_back(tree: Tree) -> Tree:
        return apply_patch(base, make_patch(base, tree).text)

    before = sorted(base.folder.rglob("*"))
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(there_and_back, wanted)) == wanted
    assert sorted(base.folder.rglob("*")) == before


def test_nothing_is_left_behind(
    base: BaseRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    apply_patch(base, make_patch(base, tree_with(CASES["binary added"])).text)
    with pytest.raises(PatchRefused):
        apply_patch(base, HOSTILE["path out"][0])
    assert list(tmp_path.iterdir()) == []
