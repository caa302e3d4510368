"""The end of process sandboxes: at once, and for good."""

import time

import pytest

from harness.errors import EngineGone
from harness.sandbox import Command
from harness.sandbox.process import ProcessSandboxes
from tests.sandboxes import say


def test_after_an_abort_no_sandbox_opens_and_the_check_says_so() -> None:
    sandboxes = ProcessSandboxes(say)
    opened = sandboxes.open("agent")
    sandboxes.abort()
    with pytest.raises(EngineGone, match="broken off"):
        sandboxes.open("agent")
    with pytest.raises(EngineGone, match="broken off"):
        sandboxes.check()
    opened.close()


def test_closing_a_process_sandbox_waits_for_nothing() -> None:
    """The warden that waits for the next command is let go, not waited for."""
    sandboxes = ProcessSandboxes(say)
    opened = sandboxes.open("agent")
    opened.run(Command(("true",), timeout=5))
    start = time.monotonic()
    opened.close()
    assert time.monotonic() - start < 5
