"""Where a trial's time went."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Adds up seconds by name; a span inside another counts for the inner name only."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._spent: dict[str, float] = {}
        self._open: list[float] = []

    @contextmanager
    def span(self, name: str) -> Iterator[None]:
        start = time.monotonic()
        self._open.append(0.0)
        try:
            yield
        finally:
            whole = time.monotonic() - start
            inner = self._open.pop()
            self._spent[name] = self._spent.get(name, 0.0) + whole - inner
            if self._open:
                self._open[-1] += whole

    def seconds(self, name: str) -> float:
        return self._spent.get(name, 0.0)

    @property
    def total(self) -> float:
        """Since the stopwatch was made."""
        return time.monotonic() - self._start
