"""A whole checkout in small: one app `tally` in two arms, one task, for tests end to end.

The arms differ as little as arms can: the same counter, in one program and in two.
"""

import difflib
import shutil
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[1]

RULES = '''\
"""Rules of the tally."""


def next_value(value: int, step: int) -> int:
    if step < 0:
        return value
    return value + step
'''

MAIN = '''\
"""A tally that counts up."""

from fastapi import FastAPI
from pydantic import BaseModel

from tally.rules import next_value

app = FastAPI()
values: dict[str, int] = {}


class Step(BaseModel):
    step: int


class Value(BaseModel):
    value: int


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/v1/tallies/{name}", status_code=201)
def count(name: str, step: Step) -> Value:
    values[name] = next_value(values.get(name, 0), step.step)
    return Value(value=values[name])
'''

BEYOND = '''\
"""Answers nothing but its health."""

from fastapi import FastAPI

app = FastAPI()


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}
'''

CONTRACT = """\
import os

import httpx
import pytest


@pytest.mark.parametrize(("step", "value"), [(1, 1), (5, 5), (-1, 0)])
def test_a_step_counts_up_and_never_down(step, value):
    url = f"{os.environ['APP_URL']}/v1/tallies/contract{step}"
    answer = httpx.post(url, json={"step": step})
    assert (answer.status_code, answer.json()) == (201, {"value": value})
"""

SEQUENCES = """\
import argparse
import json
import random

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int)
parser.add_argument("--count", type=int)
asked = parser.parse_args()
rng = random.Random(asked.seed)
steps = [[rng.choice([1, 2, -1, "x"]) for _ in range(3)] for _ in range(asked.count)]
print(json.dumps([
    dict(name=f"s{n:04}", steps=[
        dict(method="POST", path=f"/v1/tallies/s{n}", headers=dict(), body=dict(step=step),
             save=dict())
        for step in row
    ])
    for n, row in enumerate(steps)
]))
"""

HIDDEN = """\
import os

import httpx


def test_zero_keeps_the_value():
    url = f"{os.environ['APP_URL']}/v1/tallies/hidden"
    assert httpx.post(url, json={"step": 0}).json() == {"value": 0}
"""

PREDICATES = """\
def advance_replaces_next_value(tree):
    names = {function.name for function in tree.context("tally").functions()}
    if "next_value" in names:
        return "next_value is still there"
    return None if "advance" in names else "there is no advance"
"""

PAIR = """\
app: tally
title: A tally
contexts: [tally]
id_pattern: "tal_[0-9a-z]+"
protected: ["tests/**"]
arms:
  one:
    path: one
    contexts: {tally: {domain: [tally/rules.py], glue: [tally/main.py]}}
    start_seconds: 15
  two:
    path: two
    contexts: {tally: {domain: [tally/rules.py], glue: [tally/main.py]}}
    shared: [beyond.py]
    start_seconds: 15
"""

TASK = """\
app: tally
title: Rename the rule
family: rename
class: L
contexts: [tally]
predicates: [advance_replaces_next_value]
solutions: {plain: {}}
sabotages:
  hollow: {meaning: adds a comment, fails: structure}
  broken: {meaning: renames and counts wrong, fails: behaviour, also: [equivalence]}
  tampered: {meaning: renames and edits a test, fails: integrity}
"""

APP = {
    "one": '[app]\nentry = "tally"\n[programs.tally]\nmodule = "tally.main:app"\nport = 8000\n',
    "two": '[app]\nentry = "tally"\n[programs.tally]\nmodule = "tally.main:app"\nport = 8000\n'
    '[programs.beyond]\nmodule = "beyond:app"\nport = 8101\n',
}

FILES = {"tally/rules.py": RULES, "tally/main.py": MAIN, "tests/test_tally.py": HIDDEN}
Change = tuple[str, str, str]
"""A file, and the text in it that is replaced by another."""

RENAME: list[Change] = [
    ("tally/main.py", "next_value", "advance"),
    ("tally/rules.py", "next_value", "advance"),
]
PATCHES: dict[str, list[Change]] = {
    "solutions/plain": RENAME,
    "sabotages/hollow": [("tally/rules.py", "\n\n\ndef", "\n\n\n# Counts up.\ndef")],
    "sabotages/broken": [*RENAME, ("tally/rules.py", "value + step", "value + step + 1")],
    "sabotages/tampered": [*RENAME, ("tests/test_tally.py", "import os", "import os, sys")],
}


def make_patch(files: dict[str, str], changes: list[Change]) -> str:
    """A unified diff that makes the changes."""
    after = dict(files)
    for path, old, new in changes:
        after[path] = after[path].replace(old, new)
    lines = [
        difflib.unified_diff(
            files[path].splitlines(keepends=True),
            after[path].splitlines(keepends=True),
            f"a/{path}",
            f"b/{path}",
        )
        for path in sorted({path for path, _, _ in changes})
    ]
    return "".join(line for diff in lines for line in diff)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text))


def make_checkout(root: Path) -> Path:
    """Write the small checkout below `root`; the configs are the real ones."""
    app, task = root / "fixtures/tally", root / "tasks/tally/rename"
    shutil.copytree(ROOT / "configs", root / "configs")
    shutil.copy(ROOT / "fixtures/requirements.lock", write_folder(root / "fixtures"))
    write(app / "pair.yaml", PAIR)
    for arm, programs in APP.items():
        write(app / arm / "app.toml", programs)
        write(app / arm / "tally/__init__.py", "")
        write(app / arm / "tally/rules.py", RULES)
        write(app / arm / "tally/main.py", MAIN)
    write(app / "two/beyond.py", BEYOND)
    write(app / "tests/test_tally.py", HIDDEN)
    write(app / "contract/test_tally.py", CONTRACT)
    write(app / "contract/sequences.py", SEQUENCES)
    write(task / "task.yaml", TASK)
    write(task / "instruction.md", "Rename the rule of the tally to `advance`.\n")
    write(task / "hidden/test_zero.py", HIDDEN)
    write(task / "predicates.py", PREDICATES)
    for name, changes in PATCHES.items():
        for arm in APP:
            write(task / name / f"{arm}.patch", make_patch(FILES, changes))
    return root


def write_folder(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
