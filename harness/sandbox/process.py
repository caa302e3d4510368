"""Sandboxes without an engine: the same runner as a plain subprocess, in a temporary folder.

They isolate nothing; control agents only. A sandbox's `/work`, `/tmp` and so on lie below its root.
"""

import errno
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO
from weakref import WeakSet

from harness.errors import DiskFull, EngineGone, SandboxError
from harness.sandbox.client import Death, RunnerClient, RunnerSandbox
from harness.sandbox.interpreter import ensure_venv, interpreter_digest
from harness.sandbox.protocol import Role, Sandbox

HERE = Path(__file__).parent
START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from inside.runner import main; main()"
SOURCE = "import sys; sys.path.insert(0, {here!r}); from inside.app import main; main()"
FIRST_PORT, PORTS, BLOCKS = 8000, 200, 110
"""Blocks of ports lie above the ports that apps declare and below the ephemeral ones."""


class SocketStream:
    """A connected socket as a Stream."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected

    def send(self, data: bytes, timeout: float) -> None:
        self._socket.settimeout(timeout)
        self._socket.sendall(data)

    def receive(self, timeout: float) -> bytes:
        self._socket.settimeout(timeout)
        return self._socket.recv(1 << 18)

    def cut(self) -> None:
        with suppress(OSError):  # the other side was quicker
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._socket.close()


class ProcessSandboxes:
    """Opens process sandboxes. `close` ends those that are open; each removes itself."""

    isolation = "none"

    def __init__(self, announce: Callable[[str], None]) -> None:
        self._venv = ensure_venv(announce)
        self._open: WeakSet[RunnerSandbox] = WeakSet()
        self.image_digest = interpreter_digest()
        self._aborted = threading.Event()

    def open(self, role: Role, *, beside: Sandbox | None = None) -> Sandbox:
        """A sandbox with a block of ports of its own, or that of the one `beside` it."""
        self.check()
        guard = None if beside else claim_ports()
        try:
            root = Path(tempfile.mkdtemp(prefix=f"seambench-{role}-"))
            return self._start(root, guard, beside.port_offset if beside else offset_of(guard))
        except OSError as error:
            kind = DiskFull if error.errno == errno.ENOSPC else SandboxError
            raise kind(f"cannot make a sandbox: {error}") from error

    def reap(self) -> int:
        """Nothing outlives a run: runners end with their stream."""
        return 0

    def check(self) -> None:
        """There is no engine that could be gone; only the run can be over."""
        if self._aborted.is_set():
            raise EngineGone("the run was broken off")

    def abort(self) -> None:
        self._aborted.set()
        for sandbox in list(self._open):
            sandbox.close()

    def close(self) -> None:
        self.abort()

    def _start(self, root: Path, guard: socket.socket | None, offset: int) -> Sandbox:
        for folder in ("work", "tmp", "home/agent", "bin"):
            (root / folder).mkdir(parents=True)
        self._write_app(root / "bin/app")
        ours, theirs = socket.socketpair()
        errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by _end
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", START, str(HERE), str(root)],
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            stderr=errors.fileno(),
            cwd=root,
            start_new_session=True,
        )
        theirs.close()
        client = RunnerClient(SocketStream(ours))
        sandbox = RunnerSandbox(
            root.name,
            client,
            self._env(root, offset),
            autopsy=partial(_autopsy, process, errors),
            end=partial(_end, process, root, [errors, guard]),
            root=str(root),
            port_offset=offset,
        )
        client.wait_until_ready(30.0)
        self._open.add(sandbox)
        return sandbox

    def _env(self, root: Path, offset: int) -> dict[str, str]:
        return {
            "PATH": f"{root}/bin:{self._venv}/bin:/usr/local/bin:/usr/bin:/bin",
            "HOME": f"{root}/home/agent",
            "TMPDIR": f"{root}/tmp",  # noqa: S108 - its own
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
            "APP_ROOT": str(root),
            "APP_PORT_OFFSET": str(offset),
        }

    def _write_app(self, path: Path) -> None:
        path.write_text(f"#!{self._venv}/bin/python -I\n{SOURCE.format(here=str(HERE))}\n")
        path.chmod(0o755)


def claim_ports() -> socket.socket:
    """Hold a block of ports: the last port of the block is bound for as long as it is in use.

    A block in which anything else of this machine listens is passed over.
    """
    for block in random.sample(range(1, BLOCKS + 1), BLOCKS):
        first = FIRST_PORT + block * PORTS
        guard = socket.socket()
        try:
            guard.bind(("127.0.0.1", first + PORTS - 1))
        except OSError:
            guard.close()
            continue
        if all(map(_is_free, range(first, first + PORTS - 1))):
            return guard
        guard.close()
    raise SandboxError("no free block of ports is left on this machine")


def _is_free(port: int) -> bool:
    """Whether a program could listen there; closed connections that linger do not hinder it."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def offset_of(guard: socket.socket | None) -> int:
    """The offset that a claimed block means."""
    return guard.getsockname()[1] - FIRST_PORT - PORTS + 1 if guard else 0


def _autopsy(process: subprocess.Popen[bytes], errors: IO[bytes]) -> Death:
    process.wait(10)
    errors.seek(0)
    last = errors.read().decode(errors="replace").strip().rpartition("\n")[2]
    return Death(out_of_memory=False, detail=f"exit code {process.returncode} {last}".strip())


def _end(
    process: subprocess.Popen[bytes], root: Path, held: list[socket.socket | IO[bytes] | None]
) -> None:
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(15)
    for thing in held:
        if thing:
            thing.close()
    shutil.rmtree(root, ignore_errors=True)
