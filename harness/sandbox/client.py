"""The harness's end of a runner: requests over a stream, and the sandbox they make.

Both kinds of sandbox are a `RunnerSandbox`; they differ in the stream and in how it is ended.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self, cast

from harness.errors import PatchRefused, SandboxError
from harness.sandbox.inside.frames import frame, split_frame
from harness.sandbox.protocol import WORKSPACE, Command, Ending, Finished, Kept

MOST_ENTRIES = 20_000
PATIENCE = 60.0
"""Seconds that a runner may take for its own part of any request."""


class Stream(Protocol):
    """Bytes to and from a runner. Each method raises OSError when the other side is gone."""

    def send(self, data: bytes, timeout: float) -> None: ...

    def receive(self, timeout: float) -> bytes:
        """Some bytes, or none at the end of the stream. Raises TimeoutError."""
        ...

    def cut(self) -> None:
        """End the stream in both directions; a `receive` in another thread ends too."""
        ...

    def close(self) -> None:
        """Release the cut stream; nobody uses it any more."""
        ...


class RunnerGone(SandboxError):
    """The runner is gone."""


class RefusedByRunner(SandboxError):
    """The runner cannot serve a request; `kind` says why in one word."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class RunnerClient:
    """Asks one runner, one request at a time."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._buffer = bytearray()
        self._lock = threading.Lock()

    def wait_until_ready(self, timeout: float) -> None:
        """Wait for the runner's first word."""
        with self._lock:
            self._receive(timeout)

    def ask(
        self, header: Mapping[str, Any], payload: bytes = b"", *, timeout: float = PATIENCE
    ) -> tuple[dict[str, Any], bytes]:
        """The reply. Raises RunnerGone, RefusedByRunner, or SandboxError when time runs out."""
        with self._lock:
            try:
                self._stream.send(frame(dict(header), payload), timeout)
            except OSError as error:
                raise RunnerGone(f"the sandbox's runner is gone: {error}") from error
            reply, content = self._receive(timeout)
        if "error" in reply:
            raise RefusedByRunner(reply["error"], reply["message"])
        return reply, content

    def close(self) -> None:
        """End the stream; whoever waits for a reply gets RunnerGone."""
        self._stream.cut()
        with self._lock:
            self._stream.close()

    def _receive(self, timeout: float) -> tuple[dict[str, Any], bytes]:
        deadline = time.monotonic() + timeout
        while (reply := split_frame(self._buffer)) is None:
            try:
                chunk = self._stream.receive(max(0.001, deadline - time.monotonic()))
            except TimeoutError as error:
                raise SandboxError(
                    f"the sandbox's runner did not answer in {timeout:g} s"
                ) from error
            except OSError as error:
                raise RunnerGone(f"the sandbox's runner is gone: {error}") from error
            if not chunk:
                raise RunnerGone("the sandbox's runner is gone")
            self._buffer += chunk
        return reply


@dataclass(frozen=True)
class Death:
    """What is known of a runner that died."""

    out_of_memory: bool
    detail: str


class RunnerSandbox:
    """A started sandbox, served by a runner."""

    def __init__(
        self,
        name: str,
        client: RunnerClient,
        env: Mapping[str, str],
        *,
        autopsy: Callable[[], Death],
        end: Callable[[], None],
        root: str = "",
        port_offset: int = 0,
    ) -> None:
        self.name, self.root, self.port_offset = name, root, port_offset
        self._client, self._env, self._autopsy, self._end = client, dict(env), autopsy, end
        self._closed = threading.Lock()
        self._death: Death | None = None

    def run(self, command: Command) -> Finished:
        header = {
            "do": "run",
            "argv": list(command.argv),
            "cwd": self._place(command.cwd),
            "env": self._env | dict(command.env),
            "timeout": command.timeout,
            "output_limit": command.output_limit,
        }
        start = time.monotonic()
        try:
            reply, output = self._client.ask(
                header, command.stdin, timeout=command.timeout + PATIENCE
            )
        except RunnerGone as ended:
            self._refuse_unless_out_of_memory(ended)
            seconds = time.monotonic() - start
            said = "the whole sandbox ran out of memory\n"
            return Finished("oom", None, "", said, seconds, sandbox_gone=True)
        except RefusedByRunner as refusal:
            if refusal.kind != "processes":
                raise
            return Finished("exit", 126, "", f"{refusal}\n", time.monotonic() - start)
        return _finished(reply, output)

    def put(self, tar: bytes, path: str) -> None:
        self._client.ask({"do": "put", "path": self._place(path)}, tar)

    def keep(self, kept: Kept) -> None:
        header = {
            "do": "keep",
            "path": self._place(WORKSPACE),
            "needs": dict(kept.needs),
            "mixed": kept.mixed,
            "reached": kept.reached,
        }
        self._client.ask(header, kept.tar)

    def get(self, path: str, *, limit: int) -> bytes:
        header = {"do": "get", "path": self._place(path), "limit": limit, "entries": MOST_ENTRIES}
        try:
            return self._client.ask(header)[1]
        except RunnerGone as ended:
            self._refuse_unless_out_of_memory(ended)
            raise PatchRefused("the sandbox ran out of memory") from ended
        except RefusedByRunner as refusal:
            if refusal.kind == "limit":
                raise PatchRefused(f"{path}: {refusal}") from refusal
            raise

    def close(self) -> None:
        if self._closed.acquire(blocking=False):
            self._client.close()
            self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _place(self, path: str) -> str:
        """Where a path of the sandbox lies on its machine."""
        return path if path.startswith(f"{self.root}/") else self.root + path

    def _refuse_unless_out_of_memory(self, ended: RunnerGone) -> None:
        """Memory is the doing of what ran. Raises RunnerGone for any other death of the runner."""
        if self._closed.locked():
            raise RunnerGone("the sandbox is closed") from ended
        self._death = self._death or self._autopsy()  # the engine forgets its events
        if not self._death.out_of_memory:
            raise RunnerGone(f"{ended} ({self._death.detail})") from ended


def _finished(reply: Mapping[str, Any], output: bytes) -> Finished:
    return Finished(
        cast(Ending, reply["ending"]),
        reply["code"],
        output[: reply["stdout"]].decode(),
        output[reply["stdout"] :].decode(),
        reply["seconds"],
    )
