"""How many requests a provider gets at once: cut when it says that they are too many."""

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Gates:
    """One gate a provider: an address, asked with one key, however many models it serves."""

    def __init__(self) -> None:
        self._known: dict[tuple[str | None, ...], Gate] = {}

    def of(self, *provider: str | None, most: int) -> "Gate":
        """The gate of a provider; the smallest `most` that is asked for counts."""
        gate = self._known.setdefault(provider, Gate(most))
        gate.most = gate.limit = min(gate.most, max(1, most))
        return gate


class Gate:
    """Additive increase, multiplicative decrease: halved on 429, one more after `limit` successes.

    A server error says nothing of how many are too many and changes nothing.
    """

    def __init__(self, most: int) -> None:
        self.most = max(1, most)
        self.limit = self.most
        self._inside = 0
        self._good = 0
        self._free = threading.Condition()

    @contextmanager
    def place(self, seconds: float = math.inf) -> Iterator[None]:
        """Wait for a place and hold it. Raises TimeoutError where there is none in so long."""
        with self._free:
            longest = min(seconds, threading.TIMEOUT_MAX)
            if not self._free.wait_for(lambda: self._inside < self.limit, longest):
                raise TimeoutError
            self._inside += 1
        try:
            yield
        finally:
            with self._free:
                self._inside -= 1
                self._free.notify()

    def cut(self) -> None:
        """Tell that a request was one too many."""
        with self._free:
            self.limit, self._good = max(1, self.limit // 2), 0

    def answered(self) -> None:
        """Tell that a request was answered."""
        with self._free:
            self._good += 1
            if self._good >= self.limit and self.limit < self.most:
                self.limit, self._good = self.limit + 1, 0
                self._free.notify()
