"""Fixtures that every kind of test may use."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from tests.edited import bases
from tests.sandboxes import container, containers, processes, sandbox, sandboxes

__all__ = ["bases", "container", "containers", "processes", "sandbox", "sandboxes"]

T = TypeVar("T")
TURNS = 5
"""Each long test has its turn in one of so many rounds of three commits; see the Makefile."""


def left_out(long: Sequence[T], turn: int) -> list[T]:
    """Those whose turn it is not."""
    return [each for place, each in enumerate(long) if place % TURNS != turn % TURNS]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--turn", type=int, help="round: run the long tests whose turn it is; else all"
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """After -m and -k, so that the turns go round among what was asked for."""
    turn = config.getoption("--turn")
    if turn is None:
        return
    long = [item for item in items if item.get_closest_marker("long")]
    waiting = left_out(long, turn)
    config.hook.pytest_deselected(items=waiting)
    items[:] = [item for item in items if item not in waiting]


@pytest.fixture(autouse=True, scope="module")
def stays_in_the_checkout() -> Iterator[None]:
    """A test that leaves the process elsewhere fails others; which ones, the order decides."""
    before = Path.cwd()
    yield
    assert Path.cwd() == before, "a test of this file changed the working directory and left it"
