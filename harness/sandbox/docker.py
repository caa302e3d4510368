"""Container sandboxes: one image, no network interface, a runner as the first process.

The runner speaks over the container's attached streams. When those close, because the sandbox is
closed or because the harness is gone, the runner exits and the engine removes the container.
"""

import socket
import struct
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError, NotFound
from docker.types import LogConfig
from requests.exceptions import RequestException

from harness.errors import BadInput, EngineGone, SandboxError
from harness.sandbox.client import Death, RunnerClient, RunnerSandbox
from harness.sandbox.engine import Announce, connect, engine_errors, ensure_engine, is_podman
from harness.sandbox.images import LABEL, Image, ensure_image
from harness.sandbox.process import START, SocketStream
from harness.sandbox.protocol import Limits, Role, Sandbox

AGENT = "1000:1000"
AUTHOR = "1001:1001"
"""Whose the code is that an app sandbox runs, as AGENT: what runs cannot write the code anew."""
ENV = {
    "PATH": "/usr/local/bin:/opt/venv/bin:/usr/bin:/bin",
    "HOME": "/home/agent",
    "LANG": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
}
CAPABILITIES = ["SETUID", "SETGID", "KILL", "DAC_OVERRIDE"]
"""What the root runner needs: to become the agent, to end its processes, to read its files."""

DISK_SHARES = {"/work": 0.5, "/tmp": 0.375, "/home/agent": 0.125}  # noqa: S108 - in a container
"""How `Limits.disk_mb` is divided. Files lie in memory and count against `memory_mb` too."""

MOST_FILES = "100k"
"""How many files each may hold. Podman takes neither this nor an owner: its runner gives the
folders away itself, and the memory alone bounds their files."""

RUN_SHARE = 0.25
"""Of `Limits.disk_mb`, on top: root's folder, with what a keeper's programs log and store."""

SPARE_PROCESSES = 8
"""Beyond `Limits.pids`, for the runner and its wardens."""

READY_TIMEOUT = 60.0

SOON = 3_000_000_000
"""Nanoseconds in which a container that lacks memory ends for that; a busy machine is slow."""

GONE = (404, 409)
"""What the engine says of a container that is gone, or on its way."""


class DockerStream:
    """Stream of an attached container: raw on the way in, multiplexed on the way out."""

    def __init__(self, attached: Any) -> None:
        """Of what the SDK's `attach_socket` returns: a socket, or a file over one."""
        self._attached = attached
        self._raw = SocketStream(getattr(attached, "_sock", attached))
        self._buffer = bytearray()
        self._last_errors = bytearray()

    def send(self, data: bytes, timeout: float) -> None:
        self._raw.send(data, timeout)

    def receive(self, timeout: float) -> bytes:
        deadline = time.monotonic() + timeout
        while not (output := self._take()):
            chunk = self._raw.receive(max(0.001, deadline - time.monotonic()))
            if not chunk:
                return b""
            self._buffer += chunk
        return output

    def cut(self) -> None:
        self._raw.cut()

    def close(self) -> None:
        response = getattr(self._attached, "_response", None)
        if response:  # it owns the connection beneath, and must be the first to go
            response.close()
        self._attached.close()
        self._raw.close()

    @property
    def last_error(self) -> str:
        """The last line that the runner wrote to its standard error."""
        return self._last_errors.decode(errors="replace").strip().rpartition("\n")[2]

    def _take(self) -> bytes:
        """The standard output in the whole packets that have arrived."""
        output = bytearray()
        start = 0
        while len(self._buffer) >= start + 8:
            kind, size = struct.unpack_from("!BxxxI", self._buffer, start)
            end = start + 8 + size
            if len(self._buffer) < end:
                break
            if kind == 1:
                output += self._buffer[start + 8 : end]
            else:
                self._last_errors = (self._last_errors + self._buffer[start + 8 : end])[-4096:]
            start = end
        del self._buffer[:start]
        return bytes(output)


class DockerSandboxes:
    """Opens container sandboxes of one run; threads may share it."""

    isolation = "container"

    def __init__(
        self, client: docker.DockerClient, image: Image, limits: Limits, run_id: str
    ) -> None:
        self._client, self._image, self._limits, self._run_id = client, image, limits, run_id
        self.image_digest = image.digest
        self._is_podman = is_podman(client)
        self._aborted = threading.Event()

    @classmethod
    def prepare(cls, limits: Limits, run_id: str, announce: Announce) -> "DockerSandboxes":
        """With an engine and an image made ready, and what killed runs left removed.

        Raises BadInput for more processors than Docker has: it would start no sandbox.
        """
        client = ensure_engine(announce)
        _refuse_more_cpus(client, limits.cpus)
        sandboxes = cls(client, ensure_image(client, announce), limits, run_id)
        left = sandboxes.reap()
        if left:
            announce(f"removed {left} containers that a killed run had left")
        return sandboxes

    def open(self, role: Role, *, beside: Sandbox | None = None) -> Sandbox:
        self._refuse_after_abort()
        name = f"seambench-{role}-{uuid.uuid4().hex[:12]}"
        with engine_errors(f"starting a sandbox for the {role}"):
            container = self._create(name, role, f"container:{beside.name}" if beside else "none")
            try:
                stream = self._start(container)
                client = RunnerClient(stream)
                client.wait_until_ready(READY_TIMEOUT)
                self._refuse_after_abort()  # it may have started while `abort` looked
            except BaseException:
                self._remove(container)
                raise
        return RunnerSandbox(
            name,
            client,
            ENV,
            autopsy=partial(self._autopsy, container, stream, int(time.time())),
            end=lambda: None,  # the runner exits, the engine removes the container
        )

    def reap(self) -> int:
        """Remove what killed runs left, those seen from here; a live run's stay. How many."""
        removed = 0
        with engine_errors("looking for left containers"):
            # A step of an image build carries the image's label, but no owner.
            owned = {"label": f"{LABEL}.owner"}
            for found in self._client.api.containers(all=True, filters=owned):
                if not _owner_lives(found["Labels"][f"{LABEL}.owner"]):
                    removed += self._remove(found["Id"])
        return removed

    def check(self) -> None:
        self._refuse_after_abort()
        with engine_errors("asking the engine for a sign of life"):
            self._client.ping()

    def abort(self) -> None:
        self._aborted.set()
        with engine_errors("ending all sandboxes"):
            for container in self._containers():
                self._remove(container)
        self._client.close()

    def close(self, timeout: float = 60.0) -> None:
        """Wait until the engine has removed every closed sandbox; remove what is left by force."""
        deadline = time.monotonic() + timeout
        with engine_errors("waiting for the removal of containers"):
            for container in self._containers():
                with suppress(NotFound, RequestException):
                    left = max(1, round(deadline - time.monotonic()))
                    self._client.api.wait(container, timeout=left, condition="removed")
            for container in self._containers():
                self._remove(container)
        self._client.close()

    def _refuse_after_abort(self) -> None:
        if self._aborted.is_set():
            raise EngineGone("the run was broken off")

    def _containers(self) -> list[str]:
        mine = {"label": f"{LABEL}.run={self._run_id}"}
        return [found["Id"] for found in self._client.api.containers(all=True, filters=mine)]

    def _create(self, name: str, role: Role, network: str) -> str:
        api, limits = self._client.api, self._limits
        owners = dict.fromkeys(DISK_SHARES, AGENT)
        if role == "app":
            owners["/work"] = AUTHOR
        given = [f"{path}={owner}" for path, owner in owners.items()] if self._is_podman else []
        host = api.create_host_config(
            auto_remove=True,
            network_mode=network,
            read_only=True,
            mem_limit=f"{limits.memory_mb}m",
            memswap_limit=f"{limits.memory_mb}m",
            nano_cpus=int(limits.cpus * 1e9),
            pids_limit=limits.pids + SPARE_PROCESSES,
            tmpfs=_tmpfs(limits.disk_mb, {} if self._is_podman else owners),
            shm_size="16m",
            cap_drop=["ALL"],
            cap_add=[*CAPABILITIES, *(["CHOWN"] if self._is_podman else [])],
            security_opt=["no-new-privileges"],
            log_config=LogConfig(type=LogConfig.types.NONE),
        )
        created = api.create_container(
            self._image.tag,
            ["/usr/bin/python3", "-I", "-S", "-c", START, "/opt/seambench", AGENT, *given],
            name=name,
            stdin_open=True,
            host_config=host,
            labels={LABEL: "1", f"{LABEL}.run": self._run_id, f"{LABEL}.role": role}
            | {f"{LABEL}.owner": owner()},
        )
        return str(created["Id"])

    def _start(self, container: str) -> DockerStream:
        """Attach, then start: the runner's first word is not missed."""
        api = self._client.api
        attached = api.attach_socket(
            container, params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        )
        stream = DockerStream(attached)
        api.start(container)
        return stream

    def _remove(self, container: str) -> int:
        try:
            self._client.api.remove_container(container, force=True)
        except APIError as error:
            if error.status_code in GONE:
                return 0
            raise
        return 1

    def _autopsy(self, container: str, stream: DockerStream, since: int) -> Death:
        """Read the engine's events: the container itself may be removed already."""
        self._refuse_after_abort()
        with engine_errors("the sandbox's runner is gone, asking the engine why"):
            with suppress(NotFound, RequestException):
                self._client.api.wait(container, timeout=10, condition="not-running")
            wanted = {"container": container, "event": ["oom", "die"]}
            events = list(
                self._client.api.events(
                    since=since, until=int(time.time()) + 1, filters=wanted, decode=True
                )
            )
        last = {event["Action"]: event for event in events}
        died, starved = last.get("die"), last.get("oom")
        code = died["Actor"]["Attributes"].get("exitCode", "unknown") if died else "unknown"
        # A removal by force ends with 137, too, and some command may have starved long before.
        is_cause = died and starved and died["timeNano"] - starved["timeNano"] < SOON
        detail = f"exit code {code} {stream.last_error}".strip()
        return Death(bool(is_cause) and code == "137", detail)


def clean(announce: Announce) -> None:
    """Remove every container, volume and image of ours, also those of a live run.

    No engine is started for it. Raises SandboxError where something stays.
    """
    client = connect()
    if client is None:
        announce("no container engine answers: if there is one, what it has of SeamBench stays")
        return
    api, mine = client.api, {"label": f"{LABEL}=1"}
    with closing(client), engine_errors("cleaning up"):
        # Lists of the API below, since a container may go while the SDK's looks at each.
        containers = [found["Id"] for found in api.containers(all=True, filters=mine)]
        stay = _refused(partial(api.remove_container, force=True, v=True), containers, GONE)
        volumes = [found["Name"] for found in api.volumes(filters=mine)["Volumes"] or ()]
        stay |= _refused(partial(api.remove_volume, force=True), volumes)
        images = [found["Id"] for found in api.images(all=True, filters=mine)]
        stay |= _refused(partial(api.remove_image, force=True), images)
    if stay:
        raise SandboxError(f"cleaning up: {len(stay)} stay; the first: {next(iter(stay.values()))}")
    announce("removed the containers, volumes and images of SeamBench")


def owner() -> str:
    """This process, told apart from any later one with the same number."""
    me = Path("/proc/self").resolve().name
    return f"{_host()}:{me}:{_started(me)}"


def _refuse_more_cpus(client: docker.DockerClient, cpus: float) -> None:
    with engine_errors("asking the engine for its processors"):
        has = client.info()["NCPU"]
    if cpus > has and not is_podman(client):
        told = f"config: sandbox.cpus={cpus:g}: the engine has {has}"
        raise BadInput(f"{told}; set that in configs/sandbox, or `run` with sandbox.cpus={has}")


def _owner_lives(label: str) -> bool:
    """Of processes that cannot be seen from here nothing is known: they count as alive."""
    host, pid, started = [*label.rsplit(":", 2), "", ""][:3]
    return host != _host() or _started(pid) == started


def _host() -> str:
    """This machine, and where on it: a container may have the same name, and numbers of its own."""
    try:
        return f"{socket.gethostname()}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return socket.gethostname()


def _started(pid: str) -> str:
    """The start time of a process in clock ticks since boot; "gone" where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return "gone"


def _tmpfs(disk_mb: int, owners: Mapping[str, str]) -> dict[str, str]:
    mounts = {
        path: f"rw,exec,nosuid,nodev,mode=0755,size={max(1, int(disk_mb * share))}m"
        for path, share in DISK_SHARES.items()
    }
    for path, owner in owners.items():
        user, group = owner.split(":")
        mounts[path] += f",uid={user},gid={group},nr_inodes={MOST_FILES}"
    own = max(1, int(disk_mb * RUN_SHARE))
    return mounts | {"/run": f"rw,noexec,nosuid,nodev,mode=0755,size={own}m"}


def _refused(
    remove: Callable[[str], Any], names: list[str], gone: tuple[int, ...] = (404,)
) -> dict[str, str]:
    """Remove all, again while some go, since images stand on others. What stays, and why."""
    refused: dict[str, str] = {}
    for name in names:
        try:
            remove(name)
        except APIError as error:
            if error.status_code not in gone:
                refused[name] = str(error.explanation or error)
    return refused if len(refused) in {0, len(names)} else _refused(remove, list(refused), gone)
