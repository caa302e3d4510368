"""Container sandboxes, as far as no container is needed for it."""

import socket
from pathlib import Path

import pytest

from harness.errors import BadInput
from harness.sandbox import Limits
from harness.sandbox.docker import DockerSandboxes, _owner_lives, owner
from tests.sandboxes import say
from tests.scripted_engine import Answers, serving


class OneProcessor(Answers):
    """An engine of a small machine."""

    def do_GET(self) -> None:  # noqa: N802 - http.server's word
        self.say({"ApiVersion": "1.43", "NCPU": 1})


def test_more_processors_than_the_engine_has_are_refused_with_what_to_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serving(OneProcessor) as address:
        monkeypatch.setenv("DOCKER_HOST", address)
        told = "config: sandbox.cpus=1.5: the engine has 1; set that in configs/sandbox, or "
        with pytest.raises(BadInput, match=told):
            DockerSandboxes.prepare(Limits(cpus=1.5), "run", say)


def test_only_processes_that_can_be_seen_from_here_are_taken_for_dead() -> None:
    host, pid, _ = owner().rsplit(":", 2)
    assert _owner_lives(owner())
    assert not _owner_lives(f"{host}:{pid}:1")
    assert _owner_lives(f"elsewhere:{pid}:1")
    # A container with the network of its host has the name of it, and processes of its own.
    assert str(Path("/proc/self/ns/pid").readlink()) in host
    assert _owner_lives(f"{socket.gethostname()}/pid:[1]:{pid}:1")
