"""Sandboxes for tests: both kinds behind one name, and trees as tars."""

import io
import sys
import tarfile
import uuid
from collections.abc import Iterator

import pytest

from harness.sandbox import Command, Finished, Limits, Sandbox, Sandboxes

LIMITS = Limits(memory_mb=512, cpus=2.0, pids=128, disk_mb=64)


def say(line: str) -> None:
    """Announcements of long set-up steps belong on the terminal."""
    sys.stderr.write(line + "\n")


def _docker() -> Iterator[Sandboxes]:
    from harness.sandbox.docker import DockerSandboxes

    made = DockerSandboxes.prepare(LIMITS, f"test-{uuid.uuid4().hex[:8]}", say)
    yield made
    made.close()


def _process() -> Iterator[Sandboxes]:
    from harness.sandbox.process import ProcessSandboxes

    made = ProcessSandboxes(say)
    yield made
    made.close()


@pytest.fixture(scope="session")
def containers() -> Iterator[Sandboxes]:
    yield from _docker()


@pytest.fixture(scope="session")
def processes() -> Iterator[Sandboxes]:
    yield from _process()


@pytest.fixture(
    scope="session", params=[pytest.param("containers", marks=pytest.mark.docker), "processes"]
)
def sandboxes(request: pytest.FixtureRequest) -> Sandboxes:
    """Both kinds, one after the other."""
    made: Sandboxes = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def sandbox(sandboxes: Sandboxes) -> Iterator[Sandbox]:
    with sandboxes.open("agent") as opened:
        yield opened


@pytest.fixture
def container(containers: Sandboxes) -> Iterator[Sandbox]:
    with containers.open("agent") as opened:
        yield opened


def shell(sandbox: Sandbox, script: str, timeout: float = 20, **more: object) -> Finished:
    return sandbox.run(Command(("bash", "-c", script), timeout, **more))  # type: ignore[arg-type]


def signals_kept_from_a_command(sandbox: Sandbox) -> tuple[set[int], set[int]]:
    """The numbers of the signals that a command starts with blocked, and with ignored.

    But for 32 and 33, which belong to the C library: posix_spawn, with which make starts what it
    runs, leaves them ignored, and no program can set them through the library again.
    """
    grep = Command(("grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"), timeout=5)
    masks = (int(line.split()[1], 16) for line in sandbox.run(grep).stdout.splitlines())
    blocked, ignored = ({n for n in range(1, 65) if mask >> n - 1 & 1} for mask in masks)
    return blocked - {32, 33}, ignored - {32, 33}


def tar_of(files: dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            raw = content.encode() if isinstance(content, str) else content
            entry.size, entry.mode = len(raw), 0o644
            tar.addfile(entry, io.BytesIO(raw))
    return out.getvalue()
