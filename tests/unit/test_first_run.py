"""What a newcomer meets: no key exported yet, no container engine."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from harness.plan import Plan, dump_plan
from harness.sandbox.engine import debian_like

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("words", "environment", "said"),
    [
        (["model=claude"], {}, "model claude: no key: set the environment variable ANTHROPIC_API_"),
        (["model=gpt"], {"OPENAI_API_KEY": " "}, "model gpt: no key: set the environment variable"),
        (
            ["model=claude"],
            {"ANTHROPIC_API_KEY": "sk-sesame open"},
            "model claude: ANTHROPIC_API_KEY holds more than a key",
        ),
        (
            ["model=gpt-luna", "models.gpt-luna.cache=long"],
            {"OPENAI_API_KEY": "sk-sesame"},
            "model gpt-6-luna: cache=long: price.tiers lack cache_write_long",
        ),
        (["model=claude", "models.claude.cache=1h"], {}, "models.claude.cache"),
    ],
)
def test_one_line_says_what_is_missing_before_anything_is_started(
    tmp_path: Path, words: list[str], environment: dict[str, str], said: str
) -> None:
    bare = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli", "run", "experiment=smoke", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=bare | environment | {"SEAMBENCH_RESULTS": str(tmp_path)},
    )
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert "sesame" not in done.stderr + done.stdout
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def make_demo(folder: Path, option: str, engine_exits: int = 2) -> subprocess.CompletedProcess[str]:
    """`make demo` where `seambench engine` ends so; the option is one of `run`."""
    program = folder / "seambench"
    command = f'exec {sys.executable} -m harness.cli "$@" {option}'
    program.write_text(f'#!/bin/sh\n[ "$1" != engine ] || exit {engine_exits}\n{command}\n')
    program.chmod(0o755)
    return subprocess.run(
        ["make", "demo", f"SEAMBENCH={program}"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )


def demo_without_engine(folder: Path, option: str) -> str:
    """What `make demo` prints where no engine can be had."""
    done = make_demo(folder, option)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_where_no_engine_can_be_had_the_demo_is_its_controls(tmp_path: Path) -> None:
    assert "24 trials; nothing was run" in demo_without_engine(tmp_path, "--dry-run")
    asked = [sys.executable, "-m", "harness.cli", "run", "experiment=demo", "sandbox=process"]
    refused = subprocess.run(
        [*asked, "--dry-run"], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert refused.returncode == 2
    assert "agent 'one_shot' needs isolation; use docker" in refused.stderr


def test_what_ran_without_an_engine_is_not_in_the_way_of_one_that_appears(tmp_path: Path) -> None:
    config = yaml.safe_load(demo_without_engine(tmp_path, "--cfg job"))
    assert (config["name"], config["sandbox"]["kind"]) == ("demo-process", "process")


def test_a_demo_whose_engine_is_there_and_fails_is_not_run_without_it(tmp_path: Path) -> None:
    done = make_demo(tmp_path, "--dry-run", engine_exits=1)
    assert done.returncode != 0
    assert "trials" not in done.stdout


def test_an_engine_that_cannot_be_installed_is_one_that_cannot_be_had(tmp_path: Path) -> None:
    (tmp_path / "apt-get").write_text("#!/bin/sh\necho no mirror answers\nexit 100\n")
    (tmp_path / "apt-get").chmod(0o755)
    (tmp_path / "git").symlink_to(str(shutil.which("git")))
    hide = 'mount -t tmpfs none /run && exec "$@"'  # the socket of an engine that is there
    alone = ["unshare", "--mount", "--map-root-user", "sh", "-c", hide, "sh"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("nobody may hide an engine here")
    if not debian_like():
        pytest.skip("nothing is installed here")
    done = subprocess.run(
        [*alone, "/usr/bin/env", f"PATH={tmp_path}", sys.executable, "-m", "harness.cli", "engine"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "DOCKER_HOST"},
    )
    assert done.returncode == 2, done.stderr
    assert "apt-get failed (100): no mirror answers; install Docker" in done.stderr


@pytest.mark.parametrize("port", ["99999", "abc"])
def test_an_engine_at_a_port_that_is_none_does_not_answer(port: str) -> None:
    host = f"tcp://127.0.0.1:{port}"
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli", "engine"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=os.environ | {"DOCKER_HOST": host},
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith(f"seambench: DOCKER_HOST={host} does not answer; ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("command", "place"),
    [("run experiment=smoke agent=nop sandbox=process", "/smoke"), ("regrade {disk}", "")],
)
def test_results_on_a_disk_without_room_are_refused_before_anything_is_started(
    tmp_path: Path, command: str, place: str
) -> None:
    disk, plan = tmp_path / "disk", tmp_path / "plan.json"
    disk.mkdir()
    plan.write_text(dump_plan(Plan(name="t", locks={}, cells=())))
    mount = f'mount -t tmpfs -o size=1m none {disk} && cp {plan} {disk} && exec "$@"'
    alone = ["unshare", "--mount", "--map-root-user", "sh", "-c", mount, "sh"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("nobody may mount a small disk here")
    done = subprocess.run(
        [*alone, sys.executable, "-m", "harness.cli", *command.format(disk=disk).split()],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=os.environ | {"SEAMBENCH_RESULTS": str(disk)},
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr == f"seambench: {disk}{place}: only 0 MB free; a run needs 200 MB\n"
