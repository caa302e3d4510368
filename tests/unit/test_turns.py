"""`make test` leaves nothing out for ever."""

import os
import subprocess
import sys

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


def turn_of(commits: int) -> str:
    """The last thing that `make test` does at so many commits."""
    command = ["make", "--dry-run", "test", f"COMMITS={commits}"]
    # A make around the tests tells those within it to say where they are.
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1].removeprefix(".venv/bin/")


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
