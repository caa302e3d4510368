"""A container engine that answers: the one that is there, or one that is installed and started."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
from docker.errors import APIError, DockerException
from requests.exceptions import ReadTimeout, RequestException
from urllib3.exceptions import HTTPError, ReadTimeoutError

from harness.errors import BadInput, DiskFull, EngineGone, SandboxError
from harness.paths import find_checkout
from harness.sandbox.interpreter import check

Announce = Callable[[str], None]

PID_FILE = Path("/var/run/docker.pid")
START_TIMEOUT = 60.0
WAY_OUT = (
    "install Docker and start it, set DOCKER_HOST to an engine that answers, "
    "or say sandbox=process (no isolation)"
)


@contextmanager
def engine_errors(doing: str) -> Iterator[None]:
    """Say an engine's errors in our words: DiskFull, EngineGone or SandboxError."""
    try:
        yield
    except (ReadTimeout, ReadTimeoutError) as error:
        raise SandboxError(f"{doing}: the container engine did not answer in time") from error
    except APIError as error:
        said = str(error.explanation or error)
        kind = DiskFull if "no space left on device" in said else SandboxError
        raise kind(f"{doing}: {said}") from error
    # The SDK reads streams beneath requests, whose errors are then those of urllib3.
    except (RequestException, HTTPError, DockerException, ConnectionError) as error:
        raise EngineGone(f"{doing}: the container engine is gone: {error}") from error


def ensure_engine(announce: Announce) -> docker.DockerClient:
    """A client of an engine that answers. Raises BadInput with what to do where there is none."""
    client = connect()
    if client:
        return client
    if os.environ.get("DOCKER_HOST"):
        raise BadInput(f"DOCKER_HOST={os.environ['DOCKER_HOST']} does not answer; {WAY_OUT}")
    if os.geteuid() != 0 or not (debian_like() and shutil.which("apt-get")):
        raise BadInput(f"no container engine answers; {WAY_OUT}")
    try:
        if not shutil.which("dockerd"):
            announce("no container engine here: installing docker.io from the distribution")
            install("docker.io")
        return _start(announce)
    except SandboxError as error:  # told from what fails in an engine that is there
        raise BadInput(f"{error}; {WAY_OUT}") from error


def connect() -> docker.DockerClient | None:
    """A client of the engine that answers, or None where none does."""
    try:
        # many sandboxes are open at once, and each holds a connection
        client = docker.from_env(max_pool_size=64)
        client.ping()
    except (DockerException, RequestException, ValueError):  # the last: a port that is none
        return None
    return client


def is_podman(client: docker.DockerClient) -> bool:
    """Whether the engine is Podman's compatible service, which takes fewer options."""
    with engine_errors("asking the engine for its version"):
        parts = client.version().get("Components") or []
    return any("Podman" in part["Name"] for part in parts)


def debian_like() -> bool:
    """Whether packages are installed with apt here."""
    return Path("/etc/debian_version").exists()


def install(*packages: str) -> None:
    """Install from the distribution; for root on a Debian-like host."""
    check(["apt-get", "update", "-q"])
    options = ["-o", "Dpkg::Use-Pty=0", "--no-install-recommends"]
    check(
        ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-yq", *options, *packages]
    )


def _start(announce: Announce) -> docker.DockerClient:
    if Path("/run/systemd/system").is_dir():
        announce("starting the container engine through systemd")
        check(["systemctl", "start", "docker"])
        return _wait(None, Path("journalctl -u docker"))
    log = find_checkout().cache / "dockerd.log"
    log.parent.mkdir(exist_ok=True)
    _remove_stale_pid_file()
    # the second try is for hosts that allow no packet filter; our containers have no network
    for flags in ([], ["--iptables=false", "--bridge=none"]):
        command = ["dockerd", *flags]
        announce(f"starting {' '.join(command)} in the background; its log is {log}")
        with log.open("ab") as out:
            daemon = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        try:
            return _wait(daemon, log)
        except SandboxError as error:
            announce(str(error))
            if daemon.poll() is None:  # it may only be slow, and two cannot share their files
                break
    raise BadInput(f"dockerd does not start, see {log}; {WAY_OUT}")


def _remove_stale_pid_file() -> None:
    """Dockerd refuses to start while the file names a live process, of whatever kind."""
    try:
        pid = int(PID_FILE.read_text())
    except (OSError, ValueError):
        return
    try:
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        name = ""
    if name != "dockerd":
        PID_FILE.unlink(missing_ok=True)


def _wait(daemon: "subprocess.Popen[bytes] | None", log: Path) -> docker.DockerClient:
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        client = connect()
        if client:
            return client
        try:
            if daemon and daemon.wait(0.1) is not None:
                raise SandboxError(f"dockerd ended with code {daemon.returncode}, see {log}")
        except subprocess.TimeoutExpired:
            continue
    raise SandboxError(f"the container engine did not answer within {START_TIMEOUT:g} s, see {log}")
