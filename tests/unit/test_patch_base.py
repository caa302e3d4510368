"""The base repository: what an agent starts from, and what a host that fails does to it."""

import io
import os
import subprocess
import tarfile
import time
from pathlib import Path

import pytest

from harness.errors import BadInput, DiskFull, PatchRefused, SandboxError
from harness.patch import (
    EXECUTABLE,
    FILE,
    LINK,
    BaseRepository,
    Entry,
    Tree,
    apply_patch,
    make_patch,
    read_workspace,
)
from harness.patch.git import scratch
from tests.tars import unpack

FILES = {
    "a.py": Entry(FILE, b"1\n"),
    "crlf": Entry(FILE, b"1\r\n2\r\n"),
    "d/link": Entry(LINK, b"../a.py"),
    "d/run": Entry(EXECUTABLE, b"#!/bin/sh\n"),
    "empty": Entry(FILE, b""),
}
NEW = Entry(FILE, b"new\n")
HAND = b"--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-1\n+new\n"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> BaseRepository:
    return BaseRepository.create(tmp_path_factory.mktemp("base") / "repository", Tree(FILES))


def test_the_same_files_give_the_same_commit_and_the_same_tar(tmp_path: Path) -> None:
    one = BaseRepository.create(tmp_path / "one", Tree(FILES))
    two = BaseRepository.create(tmp_path / "two", Tree(dict(reversed(FILES.items()))))
    assert one.workspace_tar("work") == two.workspace_tar("work")
    assert one.tree == two.tree


def test_a_base_needs_a_new_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="is not empty: a base repository needs a new folder"):
        BaseRepository.create(tmp_path, Tree(FILES))


def git(folder: Path, *arguments: str) -> str:
    """git as an agent runs it in its workspace."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def workspace(base: BaseRepository, tmp_path: Path) -> Path:
    with tarfile.open(fileobj=io.BytesIO(base.workspace_tar("work"))) as tar:
        unpack(tar, tmp_path)
    return tmp_path / "work"


def test_the_workspace_is_a_clean_clone_with_one_commit_and_no_past(workspace: Path) -> None:
    assert Tree.read(workspace, (".git/**",)) == Tree(FILES)
    assert git(workspace, "status", "--porcelain", "--branch") == "## main\n"
    assert git(workspace, "log", "--all", "--format=%s") == "Initial commit\n"
    assert (
        git(workspace, "remote") + git(workspace, "reflog") + git(workspace, "stash", "list") == ""
    )
    assert git(workspace, "fsck", "--strict", "--full") == ""
    assert not (workspace / ".git" / "hooks").exists()
    assert not (workspace / ".git" / "logs").exists()


def test_the_agent_may_commit_and_its_history_does_not_matter(
    base: BaseRepository, workspace: Path
) -> None:
    (workspace / "a.py").write_bytes(b"new\n")
    git(workspace, "add", "-A")
    git(workspace, "commit", "-q", "-m", "work")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.add(workspace, arcname=".")
    read = read_workspace(buffer.getvalue())
    assert (read.tree, read.notes) == (Tree({**FILES, "a.py": NEW}), ())
    assert [file.path for file in make_patch(base, read.tree).changes.files] == ["a.py"]


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Another git, first on the PATH."""
    folder.mkdir()
    (folder / "git").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_a_full_disk_is_not_the_agents_fault(
    base: BaseRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(
        tmp_path / "bin", monkeypatch, "echo 'fatal: x: No space left on device' >&2; exit 128"
    )
    with pytest.raises(DiskFull, match="no room for git objects"):
        apply_patch(base, HAND)


def test_git_is_bounded_and_its_words_are_made_printable(
    base: BaseRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = 'printf "error: \\033 %s %s\\n" "$(ulimit -v)" "$(ulimit -f)" >&2; exit 1'
    stand_in(tmp_path / "bin", monkeypatch, words)
    with pytest.raises(PatchRefused, match=r"does not apply: \\x1b 2097152 2097152$"):
        apply_patch(base, HAND)


def test_a_broken_git_is_not_the_agents_fault(
    base: BaseRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path / "bin", monkeypatch, "echo 'fatal: broken' >&2; exit 1")
    with pytest.raises(SandboxError, match="git failed on the host: broken"):
        make_patch(base, Tree({"a.py": NEW}))


def test_a_host_without_git_is_told_so(
    base: BaseRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("env", "sh"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BadInput, match="git is not installed"):
        apply_patch(base, HAND)


def test_a_git_that_hangs_is_ended(
    base: BaseRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path / "bin", monkeypatch, "exec sleep 30")
    started = time.monotonic()
    with scratch(base.folder) as own:
        assert own.git("status", seconds=0.2).problem == "git took longer than 0.2 seconds"
    assert time.monotonic() - started < 10
