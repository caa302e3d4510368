"""Sweeps in containers: a whole one, and ones that are broken off in the middle."""

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import docker
import pytest

from harness.sandbox.images import LABEL
from harness.store import read_entries
from tests.benches import (
    CONTROLS,
    checkout_with_venv,
    failing,
    in_background,
    seambench,
    trials_in,
)
from tests.engine_proxy import ENGINE, EngineProxy

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

STUDY = ("run", "sandbox=docker", "sandbox.memory_mb=1024", "verification=quick", CONTROLS)
ALL = 6


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One checkout for every sweep, a results folder each."""
    return checkout_with_venv(tmp_path_factory.mktemp("sweeps") / "home")


def sweeping(
    home: Path, name: str, *more: str, **env: str
) -> AbstractContextManager["subprocess.Popen[str]"]:
    """A sweep in the background, over when the block is."""
    return in_background(home, *STUDY, f"name={name}", *more, **env)


def wait_until(true: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.05)


def lines(home: Path, name: str) -> int:
    path = home / "results" / name / "records.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def containers_of(pid: int) -> list[str]:
    """The containers that a process owns."""
    client = docker.from_env()
    try:
        found = client.api.containers(all=True, filters={"label": f"{LABEL}=1"})
    finally:
        client.close()
    owner = f":{pid}:"
    return [f["Id"] for f in found if owner in f["Labels"].get(f"{LABEL}.owner", "")]


def in_the_middle(home: Path, name: str, running: "subprocess.Popen[str]") -> None:
    """Wait for the first finished trials and for a sandbox that is open."""
    wait_until(lambda: lines(home, name) >= 2 or running.poll() is not None, 150, "two trials")
    wait_until(
        lambda: bool(containers_of(running.pid)) or running.poll() is not None, 30, "a sandbox"
    )
    assert running.poll() is None, running.communicate()[1]


def finish(home: Path, name: str) -> str:
    """Run again; every trial is there once, and those finished before are kept as they were."""
    before = trials_in(home / "results" / name)
    done = seambench(home, *STUDY, f"name={name}")
    assert done.returncode == 0, done.stderr
    assert f"{len(before)} of {ALL} trials are already finished and reused" in done.stderr
    after = trials_in(home / "results" / name)
    assert len(after) == ALL
    assert {key: after[key] for key in before} == before
    ended = Counter(
        entry.trial.trial_id
        for entry in read_entries(home / "results" / name / "records.jsonl")
        if entry.trial
    )
    assert set(ended.values()) == {1}
    return done.stderr


def test_a_control_sweep_in_containers_comes_out_as_expected(home: Path) -> None:
    done = seambench(home, *STUDY, "name=whole")
    assert done.returncode == 0, done.stderr
    assert "controls as expected: 6 of 6" in done.stdout
    assert "NO ISOLATION" not in done.stdout + done.stderr
    for trial in trials_in(home / "results/whole").values():
        assert trial.isolation == "container"
        assert trial.resolved == (trial.agent == "oracle")
        assert (trial.expected_factor in failing(trial)) == (trial.agent == "sabotage")


def test_ctrl_c_removes_the_containers_and_keeps_what_is_finished(home: Path) -> None:
    with sweeping(home, "interrupted") as running:
        in_the_middle(home, "interrupted", running)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
        assert running.returncode == 130, said
    assert "finished trials are kept" in said
    assert "Traceback" not in said
    wait_until(lambda: not containers_of(running.pid), 10, "containers gone")
    assert 2 <= len(trials_in(home / "results/interrupted")) < ALL
    finish(home, "interrupted")


@pytest.mark.long
def test_a_killed_sweep_leaves_whole_records_and_goes_on(home: Path) -> None:
    with sweeping(home, "killed") as running:
        in_the_middle(home, "killed", running)
        os.kill(running.pid, signal.SIGKILL)
        running.wait(20)
    assert (home / "results/killed/records.jsonl").read_bytes().endswith(b"\n")
    finish(home, "killed")
    wait_until(lambda: not containers_of(running.pid), 10, "containers gone")


@pytest.mark.skipif(not ENGINE.is_socket(), reason="the engine answers elsewhere")
def test_an_engine_that_goes_away_stops_the_sweep_with_one_line(
    home: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("engine") / "engine.sock"
    with EngineProxy(path) as proxy, sweeping(home, "gone", DOCKER_HOST=proxy.url) as running:
        in_the_middle(home, "gone", running)
        proxy.cut()
        _, said = running.communicate(timeout=90)
        assert running.returncode == 1, said
    (line,) = [line for line in said.splitlines() if line.startswith("seambench: ")]
    assert "the container engine is gone" in line
    assert "Traceback" not in said
    finish(home, "gone")
    # One that was created and not started yet can only be removed by the run after it.
    wait_until(lambda: not containers_of(running.pid), 10, "containers gone")
