"""Phase `behaviour`: the hidden tests and the contract suite, played against the running app."""

import contextlib
import faulthandler
import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import FrameType

import pytest

from .bounded import bounded_answers
from .job import Job, NoVerdict

SUITES = ("hidden", "contract")
_LONGEST_MESSAGE = 300
_GRACE = 30.0
"""Seconds after the suite's deadline until the process gives up on itself."""


@dataclass
class _Test:
    context: str | None
    outcome: str = "error"
    seconds: float = 0.0
    message: str | None = "did not run"


def behaviour(job: Job) -> dict[str, object]:
    """Run every test once. Raises NoVerdict where the suite itself is broken or empty."""
    names = [name for name in SUITES if (job.root / name).is_dir()]
    suites = [str(job.root / name) for name in names]
    watch = _Watch(job)
    started = time.monotonic()
    faulthandler.dump_traceback_later(job.settings.suite_seconds + _GRACE, exit=True)
    try:
        bounded = bounded_answers(job.settings.answer_bytes)
        with contextlib.redirect_stdout(sys.stderr), _environment(job, suites), bounded:
            code = int(pytest.main([*_options(job), *suites], plugins=[watch]))
    finally:
        faulthandler.cancel_dump_traceback_later()
    _demand_evidence(watch, names, code)
    return {
        "exit_code": code,
        "collected": len(watch.tests),
        "seconds": round(time.monotonic() - started, 3),
        "tests": [{"test": node, **vars(test)} for node, test in watch.tests.items()],
    }


def _options(job: Job) -> list[str]:
    hurry = [] if job.settings.urgent is None else ["--exitfirst"]
    return [
        *hurry,
        f"--rootdir={job.root}",
        f"--confcutdir={job.root}",
        "-c",
        os.devnull,
        "-p",
        "no:cacheprovider",
        "--import-mode=importlib",
        "--tb=short",
        "-q",
    ]


@contextlib.contextmanager
def _environment(job: Job, suites: list[str]) -> Iterator[None]:
    """Only our own plugin may load; a suite may import its neighbours by name."""
    before = dict(os.environ)
    path = list(sys.path)
    # Rewritten once, the suites start faster the next times; only the verifier writes there.
    sys.dont_write_bytecode, sys.pycache_prefix = False, str(job.root / "bytecode")
    os.environ.pop("PYTEST_ADDOPTS", None)
    os.environ.pop("PYTEST_PLUGINS", None)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ["APP_URL"] = job.settings.app_url
    sys.path.extend(suites)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        sys.path[:] = path
        sys.dont_write_bytecode, sys.pycache_prefix = True, None


def _demand_evidence(watch: "_Watch", names: list[str], code: int) -> None:
    if watch.broken:
        raise NoVerdict(f"the suite cannot be collected: {watch.broken}")
    for name in names:
        # One suite's tests do not speak for the other.
        if not any(node.startswith(f"{name}/") for node in watch.tests):
            raise NoVerdict(f"the suite {name}/ collected no tests (pytest exit code {code})")
    if not watch.tests:
        raise NoVerdict("there is no suite")
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise NoVerdict(f"pytest ended with exit code {code}")


@dataclass
class _Watch:
    """The plugin: bounds every test and keeps what became of it."""

    job: Job
    tests: dict[str, _Test] = field(default_factory=dict)
    broken: str | None = None
    deadline: float = 0.0

    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", "context(name): the bounded context under test")
        self.deadline = time.monotonic() + self.job.settings.suite_seconds
        signal.signal(signal.SIGALRM, _expire)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and self.broken is None:
            self.broken = f"{report.nodeid}: {_line(str(report.longrepr).strip())}"

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        contexts = {item: _context(item, tuple(self.job.settings.contexts)) for item in items}
        if self.job.settings.urgent is not None:
            items.sort(key=lambda item: contexts[item] != self.job.settings.urgent)
        for item in items:
            self.tests[item.nodeid] = _Test(contexts[item])

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self) -> Iterator[None]:
        with self._alarm():
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self) -> Iterator[None]:
        with self._alarm():
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self) -> Iterator[None]:
        with self._alarm():
            return (yield)

    @contextlib.contextmanager
    def _alarm(self) -> Iterator[None]:
        left = self.deadline - time.monotonic()
        if left <= 0:
            pytest.fail("the suite's time was over before this test", pytrace=False)
        # Fires again every second, in case the test swallows the first one.
        signal.setitimer(signal.ITIMER_REAL, min(left, self.job.settings.test_seconds), 1.0)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0.0)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        test = self.tests[report.nodeid]
        if report.when == "call":
            test.seconds = round(report.duration, 4)
            test.outcome, test.message = report.outcome, _message(report)
            if hasattr(report, "wasxfail"):
                test.outcome, test.message = "skipped", "expected to fail"
        elif report.failed:
            test.outcome, test.message = "error", f"{report.when}: {_message(report)}"
        elif report.skipped:
            test.outcome, test.message = "skipped", _message(report)


def _expire(_signal: int, _frame: FrameType | None) -> None:
    pytest.fail("ran out of time")


def _context(item: pytest.Item, contexts: tuple[str, ...]) -> str | None:
    mark = item.get_closest_marker("context")
    if mark is not None and mark.args:
        return str(mark.args[0])
    stem = item.path.stem.removeprefix("test_")
    named = [name for name in contexts if stem == name or stem.startswith(f"{name}_")]
    return max(named, key=len, default=None)


def _message(report: pytest.TestReport) -> str | None:
    if report.passed:
        return None
    crash = getattr(report.longrepr, "reprcrash", None)
    if isinstance(report.longrepr, tuple):
        return _line(str(report.longrepr[2]))
    return _line(str(crash.message if crash else report.longrepr))


def _line(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return re.sub(r"[^\x20-\x7e\u00a0-\uffff]", "?", first.strip())[:_LONGEST_MESSAGE]
