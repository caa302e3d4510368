"""`make test` leaves no long test out for ever."""

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


def test_each_has_its_turn_once_in_so_many_commits() -> None:
    for first in (200, 207):
        turns = [set(range(50)) - set(left_out(range(50), first + n)) for n in range(TURNS)]
        assert sum(map(len, turns)) == len(set().union(*turns)) == 50


def test_a_turn_of_the_suite_is_a_part_of_its_long_tests() -> None:
    every = long_tests()
    assert "tests/docker/test_authoring.py::test_the_example_is_proven_as_the_page_says" in every
    waiting = left_out(every, 203)
    assert long_tests("--turn", "203") == [name for name in every if name not in waiting]
    assert 0 < len(waiting) < len(every)
