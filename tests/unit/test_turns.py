"""`make test` leaves nothing out for ever."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.authoring import ROOT
from tests.conftest import TURNS, left_out


def long_tests(*words: str) -> list[str]:
    """The names that pytest collects of the long tests."""
    folders = ("tests/integration", "tests/docker", "tests/unit/test_weave.py")
    command = [sys.executable, "-m", "pytest", *folders, "--collect-only", "-q", "-m", "long"]
    done = subprocess.run([*command, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED), done.stdout
    return [line for line in done.stdout.splitlines() if "::" in line]


def test_each_has_its_turn_once_in_so_many_rounds() -> None:
    for first in (200, 207):
        turns = [set(range(50)) - set(left_out(range(50), first + n)) for n in range(TURNS)]
        assert sum(map(len, turns)) == len(set().union(*turns)) == 50


def test_a_turn_of_the_suite_is_a_part_of_its_long_tests() -> None:
    every = long_tests()
    assert "tests/docker/test_authoring.py::test_the_example_is_proven_as_the_page_says" in every
    waiting = left_out(every, 203)
    assert long_tests("--turn", "203") == [name for name in every if name not in waiting]
    assert 0 < len(waiting) < len(every)


def said(folder: Path, *words: str, **more: str) -> list[str]:
    """What `make test` would do in a folder, a line each."""
    # A make around the tests tells those within it to say where they are.
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(
        ["make", "--dry-run", "test", *words],
        cwd=folder,
        env=env | more,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def turn_of(commits: int) -> str:
    """The last thing that `make test` does at so many commits."""
    return said(ROOT, f"COMMITS={commits}")[-1].removeprefix(".venv/bin/")


def test_three_commits_prove_a_pair_a_task_on_one_arm_and_a_part_of_the_long_tests() -> None:
    apps = {path.parent.name for path in ROOT.glob("fixtures/*/pair.yaml")}
    pairs = {turn_of(3 * each) for each in range(100, 100 + len(apps))}
    assert pairs == {f"seambench pairs verify {app}" for app in apps}
    tasks = [turn_of(3 * each + 1) for each in range(100, 104)]
    assert len(set(tasks)) == len(tasks)
    for line in tasks:
        command, task, _, arm = line.removeprefix("seambench ").split()
        assert command == "validate"
        assert (ROOT / "tasks" / task / "task.yaml").is_file()
        assert (ROOT / "fixtures" / task.partition("/")[0] / arm).is_dir()
    assert turn_of(302).endswith("-m long --turn 100")


def archive(folder: Path) -> None:
    """What a release is unpacked to: no repository."""
    folder.mkdir()


def shallow(folder: Path) -> None:
    """A clone of the last commit alone, as CI makes it."""
    source = folder.with_name("source")
    git = ("git", "-c", "user.name=x", "-c", "user.email=x@example.org", "-C", str(source))
    source.mkdir()
    subprocess.run([*git, "init", "-q"], check=True)
    for _ in range(2):
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    subprocess.run([*git, "clone", "-q", "--depth", "1", source.as_uri(), folder], check=True)


@pytest.mark.parametrize("made", [archive, shallow])
def test_where_git_counts_no_commits_each_day_has_its_turn(
    tmp_path: Path, made: Callable[[Path], None]
) -> None:
    folder, date = tmp_path / "folder", tmp_path / "bin/date"
    made(folder)
    for path in ROOT.iterdir():
        if path.name != ".git":
            (folder / path.name).symlink_to(path)
    date.parent.mkdir()
    env = {"PATH": f"{date.parent}:{os.environ['PATH']}", "GIT_CEILING_DIRECTORIES": str(tmp_path)}
    for day in (300, 301, 302):
        date.write_text(f"#!/bin/sh\necho {day * 86400 + 5}\n")
        date.chmod(0o755)
        lines = said(folder, **env)
        assert lines[-1].removeprefix(".venv/bin/") == turn_of(day)
        assert sum("git counts no commits here" in line for line in lines) == 1
    assert not [line for line in said(folder, "COMMITS=300", **env) if "git counts no" in line]
