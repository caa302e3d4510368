"""Process sandboxes: ports that are theirs alone, and an end at once and for good."""

import signal
import socket
import time
from contextlib import ExitStack, suppress

import pytest

from harness.errors import EngineGone
from harness.sandbox import Command
from harness.sandbox.process import (
    BLOCKS,
    FIRST_PORT,
    PORTS,
    ProcessSandboxes,
    claim_ports,
    offset_of,
)
from tests.sandboxes import say, signals_kept_from_a_command


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


def test_no_word_of_a_command_is_changed_on_its_way() -> None:
    """An agent writes f-strings, and a rootless one is another file in a container."""
    with ProcessSandboxes(say).open("agent") as opened:
        words = ("printf", "%s\n", "{root}", "{root}/x.db")
        assert opened.run(Command(words, timeout=5)).stdout == "{root}\n{root}/x.db\n"
        given = Command(("printenv", "MORE"), timeout=5, env={"MORE": "{root}/x"})
        assert opened.run(given).stdout == "{root}/x\n"


def test_what_the_harness_blocks_or_ignores_is_not_inherited_by_commands() -> None:
    """nohup ignores SIGHUP; a batch system may start the harness with signals blocked."""
    sandboxes = ProcessSandboxes(say)
    hangup = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD, signal.SIGUSR1])
    try:
        opened = sandboxes.open("agent")
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        signal.signal(signal.SIGHUP, hangup)
    with opened:
        assert signals_kept_from_a_command(opened) == (set(), set())


def test_ports_among_which_another_program_listens_are_passed_over() -> None:
    """Nine blocks of ten have a listener in their midst; three claims find the others."""
    with ExitStack() as held:
        for block in range(1, BLOCKS + 1):
            if block % 10:
                other = held.enter_context(socket.socket())
                with suppress(OSError):
                    other.bind(("127.0.0.1", FIRST_PORT + block * PORTS + 10))
                    other.listen()
        claims = [held.enter_context(claim_ports()) for _ in range(3)]
        blocks = {offset_of(claim) // PORTS for claim in claims}
    assert len(blocks) == 3
    assert all(block % 10 == 0 for block in blocks)
