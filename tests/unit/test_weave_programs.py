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
from typing import Any

import pytest

from harness.pairs.weave import read_app, weave
from harness.pairs.weave.arms import ARMS
from tests.authoring import APP, write_example

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


DOCUMENT = """
import importlib, json, os, sys, threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from fastapi.testclient import TestClient

class Services(BaseHTTPRequestHandler):
    def do_GET(self):
        app = importlib.import_module(self.path.split("/")[1] + ".main").app
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(app.openapi()).encode())

arm, entry, *services = sys.argv[1:]
sys.path.insert(0, arm)
server = HTTPServer(("127.0.0.1", 0), Services)
threading.Thread(target=server.serve_forever, daemon=True).start()
for name in services:
    os.environ[f"{name.upper()}_URL"] = f"http://127.0.0.1:{server.server_port}/{name}"
with TestClient(importlib.import_module(f"{entry}.main").app) as client:
    answer = client.get("/openapi.json")
assert answer.status_code == 200, answer.text
print(answer.text)
"""


def public_models(arm: Path) -> dict[str, Any]:
    """The models in the document that an arm shows the public, by name."""
    told = tomllib.loads((arm / "app.toml").read_text(encoding="utf-8"))
    entry = told["app"]["entry"]
    command = [
        sys.executable,
        "-B",
        "-c",
        DOCUMENT,
        arm,
        entry,
        *(told["programs"].keys() - {entry}),
    ]
    with TemporaryDirectory() as folder:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False,
                              timeout=60)  # fmt: skip
    assert done.returncode == 0, done.stderr
    models: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])["components"]["schemas"]
    return models


@pytest.mark.parametrize("app", ["atelier", "quayside", "lindenhof"])
def test_the_public_sees_the_same_models_in_every_arm(app: str) -> None:
    """What services show one another alone is in no public document."""
    monolith, *others = (public_models(FIXTURE.parent / app / arm) for arm in ARMS)
    assert "Refusal" in monolith
    assert others == [monolith, monolith]


def weave_example(root: Path, *edits: tuple[str, str, str]) -> None:
    """The arms of the app of docs/authoring.md below `root`: file of app/, old and new text."""
    sources = write_example(root) / "fixtures" / APP / "app"
    for file, old, new in edits:
        text = (sources / file).read_text(encoding="utf-8")
        assert old in text
        (sources / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    for path, text in weave(read_app(sources)).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


MEMBERS, LOANS = "domain/members.py", "domain/loans.py"
GRADE = """\
class Grade(StrEnum):
    PLAIN = "plain"
    GOLD = "gold"


@dataclass
class Standing:
    grade: Grade


@dataclass
class Members:"""
STANDING = """\
    def standing(self, member_id: str) -> Standing:
        return Standing(Grade.PLAIN)

    def get(self"""
SHOWN = """\
      standing:
        route: GET /v1/members/{member_id}/standing
        call: members.standing(member_id)
        answer: Standing
      join:"""
COUNT = "        if self.store.count_open"


@every_arm
@pytest.mark.parametrize("shown", [False, True])
def test_an_arm_whose_records_have_enums_tells_of_itself(
    tmp_path: Path, arm: str, shown: bool
) -> None:
    weave_example(
        tmp_path,
        (
            MEMBERS,
            "from datetime import datetime",
            "from datetime import datetime\nfrom enum import StrEnum",
        ),
        (MEMBERS, "@dataclass\nclass Members:", GRADE),
        (MEMBERS, "    def get(self", STANDING),
        (LOANS, COUNT, f"        self.members.standing(member_id)\n{COUNT}"),
        *([("app.yaml", "      join:", SHOWN)] if shown else []),
    )
    grade = public_models(tmp_path / arm).get("Grade", {})
    assert grade.get("enum") == (["plain", "gold"] if shown else None)


OVERDUE = """\
def overdue(store: LoanStore, late: "list[LoanStore]") -> LoanStore | None:
    return store if late else None


@dataclass
class Loans:"""


@every_arm
def test_a_store_may_stand_in_any_annotation(tmp_path: Path, arm: str) -> None:
    remark = "  # was geliehen wird: Bücher"
    weave_example(
        tmp_path,
        (LOANS, "    store: LoanStore\n", f"    store: LoanStore{remark}\n"),
        (LOANS, "@dataclass\nclass Loans:", OVERDUE),
    )
    public_models(tmp_path / arm)
    (text,) = (path.read_text(encoding="utf-8") for path in (tmp_path / arm).rglob("*.py")
               if "def overdue" in path.read_text(encoding="utf-8"))  # fmt: skip
    assert f'    store: "LoanStore"{remark}\n' in text
    assert 'def overdue(store: "LoanStore", late: "list[LoanStore]") -> "LoanStore | None":' in text
