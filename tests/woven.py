"""An app for the loom as small as one can be: one context, one rule, one operation."""

import shutil
from pathlib import Path

from harness.pairs.weave import Woven
from tests.samples import ROOT, SEQUENCES, write

APP_YAML = """\
app: tally
package: tally
title: A tally
id_pattern: "tal_[0-9a-z]+"
errors: {NotFound: 404}
types:
  Name: {pattern: "^[a-z0-9-]{1,40}$"}
  Step: {number: [-10, 100]}
contexts:
  counting:
    title: What is counted
    tables:
      counts: {record: Count, key: name}
    queries:
      save: upsert
      find: "name = :name"
    bodies:
      Move: {step: Step}
    operations:
      count:
        route: POST /v1/tallies/{name}
        status: 201
        body: Move
        call: counting.count(name, body.step)
        answer: Count
"""
DOMAIN = '''\
"""Counting up, never down."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from .stores import CountStore


@dataclass
class Count:
    name: str
    value: int


def raised(value: int, step: int) -> int:
    if step < 0:
        return value
    return value + step


@dataclass
class Counting:
    store: CountStore
    now: datetime
    new_id: Callable[[str], str]

    def count(self, name: str, step: int) -> Count:
        found = self.store.find(name) or Count(name, 0)
        found.value = raised(found.value, step)
        self.store.save(found)
        return found
'''
STORES = '''\
"""What counting asks of its storage."""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .counting import Count


class CountStore(Protocol):
    def save(self, count: "Count") -> None: ...
    def find(self, name: str) -> "Count | None": ...
'''
ERRORS = '''\
"""What can go wrong."""


class DomainError(Exception):
    status = 400

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class NotFound(DomainError):
    status = 404
'''
SUITE = """\
import os

import httpx


def test_a_step_counts_up():
    url = f"{os.environ['APP_URL']}/v1/tallies/contract"
    answer = httpx.post(url, json={"step": 5})
    assert (answer.status_code, answer.json()) == (201, {"name": "contract", "value": 5})


def test_a_count_goes_on():
    url = f"{os.environ['APP_URL']}/v1/tallies/on"
    assert [httpx.post(url, json={"step": 1}).json()["value"] for _ in range(2)] == [1, 2]
"""


def make_woven_checkout(root: Path) -> Path:
    """Write the app below `root`, weave it; the configs are the real ones."""
    fixture = root / "fixtures/tally"
    shutil.copytree(ROOT / "configs", root / "configs")
    write(fixture / "app/app.yaml", APP_YAML)
    for name, text in {"__init__": "", "counting": DOMAIN, "stores": STORES}.items():
        write(fixture / f"app/domain/{name}.py", text)
    write(fixture / "app/domain/errors.py", ERRORS)
    write(fixture / "contract/test_counting.py", SUITE)
    write(fixture / "contract/sequences.py", SEQUENCES)
    write(fixture / "tests/test_counting.py", SUITE)
    shutil.copy(ROOT / "fixtures/requirements.lock", root / "fixtures")
    Woven(fixture, root / "tasks/tally").write()
    return root
