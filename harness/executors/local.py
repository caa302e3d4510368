"""Trials in threads of this process: the work itself happens in sandboxes."""

import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Protocol, TypeVar

T = TypeVar("T")
R = TypeVar("R")
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What ends a run from outside, once: what was paid for is kept then."""


class Executor(Protocol):
    """Runs `work` on every item and yields results as they end, in any order.

    An exception of `work` ends the iteration; what runs is ended, what waits is not started.
    """

    def map(self, work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]: ...


class LocalExecutor:
    """A thread a worker. `stop` ends what runs, so that breaking off does not wait for it."""

    def __init__(self, workers: int, stop: Callable[[], None]) -> None:
        self.workers = workers
        self.stop = stop

    def map(self, work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        queue = iter(items)
        pending: set[Future[R]] = set()
        with ThreadPoolExecutor(self.workers, thread_name_prefix="trial") as pool:
            try:
                while True:
                    self._fill(pool, work, queue, pending)
                    if not pending:
                        return
                    done, pending = wait(pending, return_when=FIRST_COMPLETED)
                    for future in done:
                        yield future.result()
            except BaseException:
                with _undisturbed(), pool:
                    self.stop()
                raise

    def _fill(
        self,
        pool: ThreadPoolExecutor,
        work: Callable[[T], R],
        queue: Iterator[T],
        pending: set[Future[R]],
    ) -> None:
        """One submission a free worker, so that a stop leaves nothing queued."""
        while len(pending) < self.workers:
            try:
                pending.add(pool.submit(work, next(queue)))
            except StopIteration:
                return


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let no further signal cut short what keeps the work: each worker's end is bounded."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals reach the main thread alone
        return
    before = {each: signal.signal(each, _say_so) for each in ENDING}
    try:
        yield
    finally:
        for each, held in before.items():
            signal.signal(each, held or signal.SIG_DFL)


def _say_so(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 - what Python calls
    with suppress(OSError):  # the terminal may be what is gone
        sys.stderr.write("ending what runs, to keep what it has paid for; SIGQUIT does not wait\n")
        sys.stderr.flush()
