"""The local executor: how many at once, and what an exception leaves behind."""

import signal
import threading
import time
from collections.abc import Iterator

import pytest

from harness.executors import LocalExecutor
from harness.executors.local import ENDING


def test_every_item_is_worked_on_once_and_no_more_than_the_workers_at_once() -> None:
    running, most, guard = 0, 0, threading.Lock()

    def work(item: int) -> int:
        nonlocal running, most
        with guard:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with guard:
            running -= 1
        return item

    done = list(LocalExecutor(3, lambda: None).map(work, range(20)))
    assert sorted(done) == list(range(20))
    assert most == 3


def test_an_exception_ends_what_runs_and_starts_nothing_more() -> None:
    stopped, begun = threading.Event(), []

    def work(item: int) -> None:
        begun.append(item)
        if item == 0:
            raise ValueError("no more")
        assert stopped.wait(10), "what runs was not told to end"

    with pytest.raises(ValueError, match="no more"):
        list(LocalExecutor(2, stopped.set).map(work, range(10)))
    assert stopped.is_set()
    assert set(begun) <= {0, 1}


def test_breaking_off_the_iteration_stops_too() -> None:
    stopped = threading.Event()
    results = LocalExecutor(1, stopped.set).map(lambda item: item, iter(range(1000)))
    assert next(results) == 0
    results.close()  # type: ignore[attr-defined]
    assert stopped.is_set()


def test_nothing_to_do_is_done_at_once() -> None:
    assert list(LocalExecutor(2, lambda: None).map(str, [])) == []


@pytest.fixture
def ends_as_the_command_does() -> Iterator[None]:
    before = {each: signal.signal(each, signal.default_int_handler) for each in ENDING}
    yield
    for each, held in before.items():
        signal.signal(each, held)


@pytest.mark.usefixtures("ends_as_the_command_does")
@pytest.mark.parametrize("further", ENDING)
def test_no_further_signal_cuts_short_what_keeps_the_work(
    further: int, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped, kept = threading.Event(), []
    main = threading.main_thread().ident or 0

    def work(item: int) -> None:
        time.sleep(0.2)  # until it is waited for
        signal.pthread_kill(main, signal.SIGINT)
        assert stopped.wait(10)
        time.sleep(0.2)
        signal.pthread_kill(main, further)
        time.sleep(0.2)
        kept.append(item)

    with pytest.raises(KeyboardInterrupt):
        list(LocalExecutor(1, stopped.set).map(work, [1]))
    assert kept == [1]
    assert capsys.readouterr().err.count("SIGQUIT does not wait") == 1
    assert {signal.getsignal(each) for each in ENDING} == {signal.default_int_handler}
