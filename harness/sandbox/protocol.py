"""The Protocols that both kinds of sandbox fulfil, and the values that cross them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, Self

Role = Literal["agent", "app", "verifier"]
Ending = Literal["exit", "signal", "timeout", "oom"]

WORKSPACE = "/work"
"""Where the app's tree lies in an agent or app sandbox."""


@dataclass(frozen=True)
class Limits:
    """Bounds of one sandbox. All are enforced by the engine and recorded in the plan."""

    memory_mb: int = 2048
    cpus: float = 2.0
    pids: int = 512
    disk_mb: int = 512


@dataclass(frozen=True)
class Command:
    """One command, never passed to a shell.

    `timeout` is in seconds and ends every descendant; each output stream keeps `output_limit`
    bytes, half head and half tail.
    """

    argv: tuple[str, ...]
    timeout: float
    cwd: str = WORKSPACE
    env: Mapping[str, str] = field(default_factory=dict)
    stdin: bytes = b""
    output_limit: int = 64 * 1024


@dataclass(frozen=True)
class Finished:
    """How a command ended.

    `code` is the exit code, or the signal's number for `signal`; null for `timeout` and `oom`.
    Output is text: invalid UTF-8 is repaired, a cut names the bytes left out.
    """

    ending: Ending
    code: int | None
    stdout: str
    stderr: str
    seconds: float
    sandbox_gone: bool = False
    """the whole sandbox ran out of memory: nothing runs in it any more"""

    @property
    def ok(self) -> bool:
        return self.ending == "exit" and self.code == 0


@dataclass(frozen=True)
class Kept:
    """Files that the app's programs need and no command may see.

    Names are paths below the workspace; only Python files are kept.
    """

    tar: bytes
    needs: Mapping[str, tuple[str, ...]]
    """kept file -> the kept files that run with it, itself included"""
    mixed: tuple[str, ...]
    """the kept files with which files of the workspace run"""
    reached: tuple[str, ...]
    """the kept files that the workspace's own import, and what runs with those"""


class Sandbox(Protocol):
    """One started sandbox. Every method raises SandboxError when the sandbox itself fails."""

    @property
    def name(self) -> str: ...

    @property
    def port_offset(self) -> int:
        """Added to every port that an app declares; 0 in a container with its own loopback."""
        ...

    @property
    def root(self) -> str:
        """Prefix of the sandbox's paths on this machine; "" in a container."""
        ...

    def run(self, command: Command) -> Finished:
        """Run as the sandbox's unprivileged user and wait for the end.

        `cwd` is a path of the sandbox. `argv` and `env` are handed over as they are: a path in
        them begins with `root`.
        """
        ...

    def put(self, tar: bytes, path: str) -> None:
        """Unpack a plain tar below `path` (made if absent) as the folder's owner, never as root."""
        ...

    def get(self, path: str, *, limit: int) -> bytes:
        """The tree below `path` as an uncompressed tar; links are not followed.

        Raises PatchRefused when it exceeds `limit` bytes or 20,000 entries, when something in it
        changes its kind meanwhile, and when the whole sandbox ran out of memory.
        """
        ...

    def keep(self, kept: Kept) -> None:
        """Let `app` run the workspace together with files that nothing in the sandbox can read.

        At most once, before any command. Raises SandboxError where there is no isolation.
        """
        ...

    def close(self) -> None:
        """End every process and remove the sandbox. Safe to call twice."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...


class Sandboxes(Protocol):
    """Where sandboxes come from."""

    @property
    def isolation(self) -> str:
        """`container` or `none`, for the records."""
        ...

    @property
    def image_digest(self) -> str:
        """What the sandboxes are made of: an image's id, or the digest of an interpreter."""
        ...

    def open(self, role: Role, *, beside: Sandbox | None = None) -> Sandbox:
        """Start a sandbox without any network interface.

        A verifier started `beside` an app sandbox shares that one's loopback and nothing else.
        """
        ...

    def check(self) -> None:
        """Raises EngineGone when nothing can be opened any more."""
        ...

    def abort(self) -> None:
        """End every sandbox of this run at once; whatever they were doing fails.

        `open` and `check` raise EngineGone from now on.
        """
        ...

    def close(self) -> None:
        """Wait until every closed sandbox is gone; end those that are still open."""
        ...
