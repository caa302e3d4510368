"""The woven programs as they run: what they keep, refuse and tell is the same in every arm."""

import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from harness.pairs.weave.arms import ARMS

FIXTURE = Path(__file__).parents[2] / "fixtures" / "atelier"
every_arm = pytest.mark.parametrize("arm", ARMS)
ASK = """
import importlib, json, os, sys
from pathlib import Path
from fastapi.testclient import TestClient

arm, *modules = sys.argv[1:]
sys.path.insert(0, arm)
apps = {name: importlib.import_module(name).app for name in modules}
told = {"left": sorted(os.listdir()), "foreign_keys": {}}
os.environ["APP_DATA"] = "elsewhere"
for name, app in apps.items():
    with TestClient(app, headers={"X-Correlation-Id": "abc"}) as client:
        client.get("/v1/no%20where")
        state = app.state
        db = state.database.connection if hasattr(state, "database") else getattr(state, "db", None)
        if db:
            told["foreign_keys"][name] = db.execute("PRAGMA foreign_keys").fetchone()[0]
print(json.dumps(told))
"""


@dataclass(frozen=True)
class Told:
    """What the programs of an arm did when each was asked for what is not there."""

    left: list[str]
    """files in the working directory after they were imported"""
    foreign_keys: dict[str, int]
    """program -> whether SQLite holds rows to what they refer to"""
    lines: list[str]
    """of the log"""


@cache
def ask(arm: str) -> Told:
    programs = tomllib.loads((FIXTURE / arm / "app.toml").read_text(encoding="utf-8"))["programs"]
    modules = [each["module"].removesuffix(":app") for each in programs.values()]
    environment = {k: v for k, v in os.environ.items() if k != "APP_DATA"}
    with TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-B", "-c", ASK, FIXTURE / arm, *modules],
            cwd=folder, env=environment, check=True, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    *lines, last = done.stdout.splitlines()
    told = json.loads(last)
    return Told(told["left"], told["foreign_keys"], lines)


@every_arm
def test_a_program_that_is_only_imported_leaves_nothing_in_the_workspace(arm: str) -> None:
    assert ask(arm).left == []


@every_arm
def test_every_database_holds_rows_to_what_they_refer_to(arm: str) -> None:
    found = ask(arm).foreign_keys
    assert len(found) == (6 if arm == "microservices" else 1)
    assert set(found.values()) == {1}


@every_arm
def test_a_request_is_told_once_with_its_id_path_and_status(arm: str) -> None:
    programs = 7 if arm == "microservices" else 1
    form = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ INFO (\w+) abc GET /v1/no%20where 404"
    found = [match[1] for line in ask(arm).lines if (match := re.fullmatch(form, line))]
    assert len(found) == len(set(found)) == len(ask(arm).lines) == programs
