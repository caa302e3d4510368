"""`make test` leaves no long test out for ever."""

import subprocess
import sys

import pytest

from tests.authoring import ROOT
from tests.conftest import TURNS


def long_tests(*words: str) -> list[str]:
    """The names that pytest collects of the long tests."""
    folders = ("tests/integration", "tests/docker", "tests/unit/test_weave.py")
    command = [sys.executable, "-m", "pytest", *folders, "--collect-only", "-q", "-m", "long"]
    done = subprocess.run([*command, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED), done.stdout
    return [line for line in done.stdout.splitlines() if "::" in line]


def test_every_long_test_has_its_turn_among_commits_in_a_row() -> None:
    every = long_tests()
    turns = [long_tests("--turn", str(200 + turn)) for turn in range(TURNS)]
    assert sorted(name for turn in turns for name in turn) == sorted(every)
    assert "tests/docker/test_authoring.py::test_the_example_is_proven_as_the_page_says" in every
    assert max(map(len, turns)) < len(every)
