"""A real browser: Debian's chromium without a window, driven by playwright."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.analysis.frame import to_frame
from harness.analysis.report.instructions import Instruction
from harness.analysis.report.page import write_report
from harness.records import TrialRecord
from tests.records_factory import TASKS, demo_trials, lost, trial
from tests.report_runs import (
    PATCH,
    entry,
    trajectory,
    write_artefacts,
    write_hostile,
    write_lines,
    write_many,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

MANY = 10_000
CHROMIUM = shutil.which("chromium")


@dataclass
class Visit:
    """A page that is looked at, and everything it must not do."""

    page: "Page"
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, file: Path, view: str = "") -> "Page":
        self.page.goto("about:blank")  # else a new view of the same file loads nothing
        self.page.goto(file.as_uri() + view)
        return self.page

    def asked_of_others(self, file: Path) -> list[str]:
        """The requests that are not for the file itself or for what it holds."""
        own = (file.as_uri(), "data:", "about:blank")
        return [address for address in self.requests if not address.startswith(own)]


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    if CHROMIUM is None:
        pytest.fail("no chromium on the PATH: install Debian's (apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(params=["light"])
def visit(browser: "Browser", request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A fresh page in the light or dark scheme; it must not complain, ask or open a dialog."""
    context = browser.new_context(
        color_scheme=request.param, viewport={"width": 1280, "height": 900}
    )
    context.set_default_timeout(15_000)
    made = Visit(context.new_page())
    made.page.on("request", lambda asked: made.requests.append(asked.url))
    made.page.on("dialog", lambda dialog: _complain(made, dialog.message, dialog.dismiss))
    made.page.on("pageerror", lambda error: made.complaints.append(str(error)))
    made.page.on("console", lambda line: made.complaints.append(f"{line.type}: {line.text}"))
    yield made
    context.close()
    assert made.complaints == []


def _complain(visit: Visit, words: str, answer: Any) -> None:
    visit.complaints.append(f"dialog: {words}")
    answer()


def reported(folder: Path) -> Path:
    """The page of a results folder."""
    return write_report(folder, folder / "report.html", {})


def model_trials():
    """Two trials of a model, one lost, beside the 24 of the demo."""
    asked = trial(agent="tool_loop", model="m-1", variant=None, trial_id="asked", scope="own",
                  context_budget="32k", dose=1, model_calls=2, input_tokens=2000,
                  output_tokens=100)  # fmt: skip
    gone = lost(asked.model_copy(update={"trial_id": "gone", "arm": "microservices"}))
    return [asked, gone]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "demo"
    rows = [*demo_trials(), *model_trials()]
    for row in rows:
        write_artefacts(folder, row, PATCH, trajectory() if row.model else None)
    write_lines(folder, [entry(row) for row in rows])
    words = Instruction("Make the price tiers a table.")
    told = {row.trial_id: words for row in rows if row.task == TASKS[0][0]}
    return write_report(folder, folder / "report.html", told)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """The page of the same trials, of which only a table is left."""
    folder = tmp_path_factory.mktemp("runs") / "tables"
    trials = to_frame([*demo_trials(), *model_trials()], TrialRecord)
    folder.mkdir()
    trials.to_parquet(folder / "trials.parquet")
    return reported(folder)


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    return reported(write_many(tmp_path_factory.mktemp("runs") / "many", MANY))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    return reported(write_hostile(tmp_path_factory.mktemp("runs") / "<img src=x onerror=ran=1>"))


def rows(page):
    return page.locator("#trials tbody tr")


def status(page):
    return page.get_by_role("status").inner_text()


def open_first(page, name):
    page.get_by_role("button", name=name).first.click()
    page.get_by_role("dialog").get_by_role("heading", name="Everything recorded").wait_for()
