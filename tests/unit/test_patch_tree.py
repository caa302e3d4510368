"""A tree is a value that cannot hold what git or a sandbox must not get."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from harness.errors import BadInput
from harness.patch import EXECUTABLE, FILE, LINK, Entry, Tree
from harness.verifier.globs import matching
from tests.tars import unpack


def tree(*paths: str) -> Tree:
    return Tree({path: Entry(FILE, path.encode(errors="replace")) for path in paths})


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/etc/passwd", "absolute"),
        ("../x", ".."),
        ("a/../../x", ".."),
        ("a//b", "plain form"),
        ("./a", "plain form"),
        ("a/", "plain form"),
        ("", "empty"),
        ("a\nb", "control"),
        ("a\x7fb", "control"),
        ("a\u2028b", "control"),
        ("a\udcffb", "UTF-8"),
        ("é" * 128, "part longer"),
        ("a/" * 500 + "a", "longer than"),
        (".git/config", ".git"),
        ("a/.GIT", ".git"),
        ("git~1/x", ".git"),
        (".git /x", ".git"),
        (".git./x", ".git"),
        (".git::$INDEX_ALLOCATION/x", ".git"),
        (".git\\x", ".git"),
        (".g\u200cit/x", ".git"),
    ],
)
def test_refuses_a_path_that_is_not_plain(path: str, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        tree(path)


@pytest.mark.parametrize(
    "path", [".gitignore", ".github/x", "a.git/x", "-x", "a b", '"', "日本", "~"]
)
def test_takes_odd_names_that_are_legal(path: str) -> None:
    assert list(tree(path).entries) == [path]


def test_refuses_a_path_below_a_file() -> None:
    with pytest.raises(BadInput, match="'a' is both a file and a folder"):
        tree("a", "a-b", "a/b/c")


def test_refuses_a_mode_that_is_no_file() -> None:
    with pytest.raises(BadInput, match="160000"):
        Tree({"module": Entry(0o160000, b"")})


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("x", b"/etc/passwd"),
        ("x", b".."),
        ("a/x", b"../../y"),
        ("x", b"here/../y"),  # inside by its text, outside by what `here` points to
        ("x", b"deep/up/../../y"),
        ("x", b"missing/../../y"),
        ("x", b"low/../../y"),  # outside by its text, inside by what `low` points to
        ("x", b"x"),
        ("x", b"loop"),
        ("x", b""),
        ("x", b"a\nb"),
        ("x", b"\xff"),
        ("x", b"a/" * 501),
        ("x", b".git/config"),
        ("a/.gitmodules", b"../f"),
    ],
)
def test_refuses_a_link_out_of_the_tree(path: str, target: bytes) -> None:
    files = {
        "f": Entry(FILE, b""),
        "here": Entry(LINK, b"."),
        "deep/up": Entry(LINK, b"../here"),
        "loop": Entry(LINK, b"x"),
        "deep/er/f": Entry(FILE, b""),
        "low": Entry(LINK, b"deep/er"),
        path: Entry(LINK, target),
    }
    with pytest.raises(BadInput, match="link"):
        Tree(files)


@pytest.mark.parametrize("target", [b"f", b"./d/../f", b"to-d/../f", b"missing", b"d/back/f", b"."])
def test_takes_a_link_inside_the_tree(target: bytes) -> None:
    files = {
        "f": Entry(FILE, b""),
        "to-d": Entry(LINK, b"d"),
        "d/back": Entry(LINK, b".."),
        "x": Entry(LINK, target),
    }
    assert Tree(files).entries["x"].content == target


def test_reads_a_folder_with_modes_and_links_and_without_ignored_files(tmp_path: Path) -> None:
    (tmp_path / "d" / "__pycache__").mkdir(parents=True)
    (tmp_path / "d" / "__pycache__" / "m.pyc").write_bytes(b"x")
    (tmp_path / "d" / "m.py").write_bytes(b"1\r\n")
    (tmp_path / "run").write_bytes(b"#!")
    (tmp_path / "run").chmod(0o744)
    (tmp_path / "link").symlink_to("d")
    (tmp_path / "empty").mkdir()
    assert Tree.read(tmp_path, ("**/__pycache__/**",)) == Tree(
        {
            "d/m.py": Entry(FILE, b"1\r\n"),
            "link": Entry(LINK, b"d"),
            "run": Entry(EXECUTABLE, b"#!"),
        }
    )


def test_refuses_to_read_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadInput, match="pipe is neither"):
        Tree.read(tmp_path)
    with pytest.raises(BadInput, match="absent is not a folder"):
        Tree.read(tmp_path / "absent")


def test_overlay_puts_the_other_tree_on_top_below_its_prefix() -> None:
    below = Tree({"tests/a": Entry(FILE, b"old"), "b": Entry(FILE, b"b")})
    laid = below.overlay(tree("a", "c"), "tests/")
    assert list(laid.entries) == ["b", "tests/a", "tests/c"]
    assert laid.entries["tests/a"].content == b"a"
    assert below.overlay(tree("b")).entries["b"].content == b"b"


def test_digest_depends_on_everything_but_the_order() -> None:
    one, other = Entry(FILE, b"1"), Entry(FILE, b"2")
    same = {Tree({"a": one, "b": other}).digest, Tree({"b": other, "a": one}).digest}
    assert len(same) == 1
    different = [
        Tree({"a": one, "b": one}),
        Tree({"a": one, "c": other}),
        Tree({"a": Entry(EXECUTABLE, b"1"), "b": other}),
        Tree({"a": one}),
    ]
    assert len({each.digest for each in different} | same) == 5


def test_tar_is_the_same_every_time_and_unpacks_to_the_tree(tmp_path: Path) -> None:
    files = {
        "d/ü" * 60: Entry(EXECUTABLE, b"x"),
        "d/link": Entry(LINK, b"../top"),
        "top": Entry(FILE, b"\0" * 700),
    }
    packed = Tree(files).tar("pre/fix")
    assert packed == Tree(dict(reversed(files.items()))).tar("/pre/fix/")
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        unpack(tar, tmp_path)
    assert Tree.read(tmp_path / "pre" / "fix") == Tree(files)


@pytest.mark.parametrize(
    ("glob", "path", "expected"),
    [
        ("**/__pycache__/**", "__pycache__/a.pyc", True),
        ("**/__pycache__/**", "a/b/__pycache__/c/d", True),
        ("**/__pycache__/**", "a/my__pycache__/c", False),
        ("**/*.pyc", "a.pyc", True),
        ("**/*.pyc", "a/b.pyc", True),
        ("**/*.pyc", "a.pyc/b", False),
        ("*.py", "a/b.py", False),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("a.c", "abc", False),
        ("tests/**", "tests/a/b", True),
    ],
)
def test_globs_match_as_in_a_gitignore(glob: str, path: str, *, expected: bool) -> None:
    assert matching([glob])(path) is expected


def test_no_globs_match_nothing() -> None:
    assert not matching([])("")
    assert not matching([])("a")
