"""Trees in and out of a sandbox."""

import io
import itertools
import os
import socket
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest

from harness.sandbox.inside.trees import DEEPEST, TarError, TooMuch, pack, unpack


def packed(path: Path, limit: int = 1 << 20, entries: int = 100) -> dict[str, tarfile.TarInfo]:
    raw = pack(str(path), limit=limit, entries=entries)
    with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
        return {entry.name: entry for entry in tar}


def tar_with(**facts: object) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        entry = tarfile.TarInfo("entry")
        for name, value in facts.items():
            setattr(entry, name, value)
        tar.addfile(entry)
    return out.getvalue()


def test_a_round_trip_keeps_content_modes_and_links(tmp_path):
    tree = tmp_path / "tree"
    (tree / "folder/empty").mkdir(parents=True)
    (tree / "folder/binary").write_bytes(bytes(range(256)) * 5)
    (tree / "run.sh").write_text("true")
    (tree / "run.sh").chmod(0o755)
    (tree / "link").symlink_to("folder/binary")
    unpack(pack(str(tree), limit=1 << 20, entries=100), str(tmp_path / "copy"))
    copy = tmp_path / "copy"
    assert (copy / "folder/binary").read_bytes() == bytes(range(256)) * 5
    assert (copy / "folder/empty").is_dir()
    assert (copy / "run.sh").stat().st_mode & 0o777 == 0o755
    assert (copy / "link").readlink() == Path("folder/binary")


def test_links_are_kept_and_not_followed(tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").write_text("secret")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/link").symlink_to(tmp_path / "outside")
    found = packed(tmp_path / "tree")
    assert list(found) == ["link"]
    assert found["link"].issym()


def test_fifos_and_sockets_are_named_and_never_read(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        found = packed(tmp_path)
    assert found["fifo"].isfifo()
    assert found["socket"].isfifo()


def test_a_sparse_giant_is_refused_without_reading_it(tmp_path):
    with (tmp_path / "giant").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(TooMuch, match="more than 1048576 bytes, at giant"):
        packed(tmp_path)


def make(kind: str, path: Path) -> None:
    match kind:
        case "folder":
            path.mkdir()
        case "link":
            path.symlink_to("nowhere")
        case "socket":
            with socket.socket(socket.AF_UNIX) as listening:
                listening.bind(str(path))
        case _:
            path.write_text("x")


def pack_and_meanwhile(change: Callable[[], None], tree: Path) -> None:
    """Pack a tree of one entry that changes between a look at it and what is done then."""
    looks = itertools.count(1)

    def watch(_frame: FrameType, event: str, called: object) -> None:
        if (event, called) == ("c_return", os.stat) and next(looks) == 2:  # the first: at the tree
            change()

    sys.setprofile(watch)
    try:
        packed(tree)
    finally:
        sys.setprofile(None)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("file", "link"),
        ("file", "folder"),
        ("file", "socket"),
        ("folder", "link"),
        ("folder", "file"),
        ("link", "file"),
    ],
)
def test_what_changes_its_kind_while_it_is_read_is_too_much(tmp_path, before, after):
    (tmp_path / "tree").mkdir()
    here, there = tmp_path / "tree/x", tmp_path / "there"
    make(before, here)
    make(after, there)

    def swap() -> None:
        here.rename(tmp_path / "aside")
        there.rename(here)

    with pytest.raises(TooMuch, match="x changed its kind while it was read"):
        pack_and_meanwhile(swap, tmp_path / "tree")


def test_too_many_entries_are_refused(tmp_path):
    for number in range(5):
        (tmp_path / str(number)).touch()
    assert len(packed(tmp_path, entries=5)) == 5
    with pytest.raises(TooMuch, match="too many entries"):
        packed(tmp_path, entries=4)


def test_folders_nested_too_deep_are_refused(tmp_path, monkeypatch):
    # Step by step, since no path may be as long as this one.
    for folder in [str(tmp_path), *["d"] * (DEEPEST + 2)]:
        Path(folder).mkdir(exist_ok=True)
        monkeypatch.chdir(folder)
    monkeypatch.undo()
    with pytest.raises(TooMuch, match="deeper"):
        packed(tmp_path, entries=10_000)


def test_a_file_is_packed_under_its_own_name_and_nothing_as_nothing(tmp_path):
    (tmp_path / "one").write_text("1")
    assert list(packed(tmp_path / "one")) == ["one"]
    assert packed(tmp_path / "none") == {}
    assert packed(tmp_path / "no/ne") == {}


def test_names_that_are_not_text_survive(tmp_path):
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe")).write_text("x")
    assert list(packed(tmp_path)) == [os.fsdecode(b"\xff\xfe")]


@pytest.mark.parametrize(
    "facts",
    [
        {"name": "/etc/passwd"},
        {"name": "a/../../b"},
        {"type": tarfile.SYMTYPE, "linkname": "/etc"},
        {"type": tarfile.SYMTYPE, "linkname": "../up"},
        {"type": tarfile.LNKTYPE, "linkname": "../up"},
        {"type": tarfile.CHRTYPE},
        {"type": tarfile.FIFOTYPE},
    ],
)
def test_a_tar_that_leads_out_or_holds_devices_is_refused(tmp_path, facts):
    with pytest.raises(TarError):
        unpack(tar_with(**facts), str(tmp_path / "here"))
    assert not list((tmp_path / "here").iterdir())
