"""Podman's compatible socket in Docker's place: the image, the suite of sandboxes, and a sweep."""

import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import docker
import pytest

from harness.sandbox.engine import debian_like, install
from harness.sandbox.images import LOCAL_BASE, PUBLIC_BASE
from tests.benches import CONTROLS, checkout_with_venv, seambench, trials_in

pytestmark = [pytest.mark.docker, pytest.mark.long, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
# As root Podman asks for more open files than a machine may grant, which is not what is tested.
BOUNDS = '[containers]\ndefault_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]\n'


@pytest.fixture(scope="module")
def podman() -> Iterator[str]:
    """Where Podman answers, with a store of its own that has the base image alone."""
    if not shutil.which("podman"):
        if os.geteuid() != 0 or not debian_like():
            pytest.skip("install Podman: nobody has looked whether sandboxes still run in it")
        install("podman")
    # Podman takes no folder of state with a name of more than 50 characters.
    with TemporaryDirectory(prefix="podman-", dir="/tmp", ignore_cleanup_errors=True) as short:
        yield from _serving(Path(short))


def _serving(folder: Path) -> Iterator[str]:
    (folder / "containers.conf").write_text(BOUNDS, encoding="utf-8")
    env = os.environ | {"CONTAINERS_CONF": str(folder / "containers.conf")}
    command = ["podman", "--root", f"{folder}/root", "--runroot", f"{folder}/run"]
    if shutil.which("runc"):  # crun, Podman's own choice, takes no cgroups of both versions
        command += ["--runtime", str(shutil.which("runc"))]
    _lend_base(command, env)
    address = f"unix://{folder}/socket"
    serve = [*command, "system", "service", "--time=0", address]
    serving = subprocess.Popen(serve, env=env, cwd=folder)  # it may leave a file `oom` there
    try:
        _wait_for(address, serving)
        yield address
    finally:
        serving.kill()  # a service waits for its connections to end
        serving.wait()
        subprocess.run([*command, "rmi", "--all", "--force"], env=env, check=False)


def _lend_base(command: list[str], env: dict[str, str]) -> None:
    """Docker's copy of the base image, so that nothing is downloaded or bootstrapped again."""
    with closing(docker.from_env()) as client:
        for image in client.images.list():
            for name in {LOCAL_BASE, PUBLIC_BASE}.intersection(image.tags):
                content = b"".join(image.save(named=name))
                subprocess.run([*command, "load"], input=content, env=env, check=True)


def _wait_for(address: str, serving: "subprocess.Popen[bytes]") -> None:
    while not Path(address.removeprefix("unix://")).exists():
        assert serving.poll() is None, f"podman ended with {serving.returncode}"
        time.sleep(0.05)


def test_the_suite_of_sandboxes_passes_with_podman(podman: str) -> None:
    suite = ["tests/docker/test_sandbox.py", "tests/docker/test_sandbox_app.py", "-m", "docker"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *suite],
        cwd=ROOT, env=os.environ | {"DOCKER_HOST": podman}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-5000:]
    assert "skipped" not in done.stdout.splitlines()[-1]


def test_a_sweep_ends_with_podman_as_with_docker(podman: str, tmp_path: Path) -> None:
    home = checkout_with_venv(tmp_path / "home")
    study = ("run", "sandbox=docker", "sandbox.memory_mb=1024", "verification=quick", CONTROLS)
    done = seambench(home, *study, "name=podman", DOCKER_HOST=podman)
    assert done.returncode == 0, done.stderr
    trials = trials_in(home / "results/podman").values()
    assert Counter((t.agent, t.resolved) for t in trials) == {
        ("oracle", True): 2, ("nop", False): 2, ("sabotage", False): 2,
    }  # fmt: skip
    assert {trial.isolation for trial in trials} == {"container"}
    with closing(docker.DockerClient(base_url=podman)) as client:
        assert not client.containers.list(all=True)
