"""Fixtures that every kind of test may use."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandboxes import container, containers, processes, sandbox, sandboxes

__all__ = ["container", "containers", "processes", "sandbox", "sandboxes"]


@pytest.fixture(autouse=True, scope="module")
def stays_in_the_checkout() -> Iterator[None]:
    """A test that leaves the process elsewhere fails others; which ones, the order decides."""
    before = Path.cwd()
    yield
    assert Path.cwd() == before, "a test of this file changed the working directory and left it"
