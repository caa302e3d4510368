"""What stands before a provider: how many requests it gets at once, and whether any more.

Fewer when it says that they are too many, none for as long as it asks, none when the run is broken
off.
"""

import math
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakSet

from harness.errors import EngineGone
from harness.llm.deadline import cut_off


class Gates:
    """One gate a provider: an address, asked with one key, however many models it serves."""

    def __init__(self) -> None:
        self._known: dict[tuple[str | None, ...], Gate] = {}

    def of(self, *provider: str | None, most: int) -> "Gate":
        """The gate of a provider; the smallest `most` that is asked for counts."""
        gate = self._known.setdefault(provider, Gate(most))
        gate.most = gate.limit = min(gate.most, max(1, most))
        return gate

    def shut(self) -> None:
        """Ask nobody anything any more."""
        for gate in self._known.values():
            gate.shut()


class Gate:
    """Additive increase, multiplicative decrease: halved on 429, one more after `limit` successes.

    A server error says nothing of how many are too many and changes nothing.
    """

    def __init__(self, most: int) -> None:
        self.most = max(1, most)
        self.limit = self.most
        self._inside = 0
        self._good = 0
        self._not_before = -math.inf
        self._is_shut = False
        self._connections: WeakSet[socket.socket] = WeakSet()
        self._changed = threading.Condition()

    @contextmanager
    def place(self, seconds: float = math.inf) -> Iterator[None]:
        """Wait for a place and hold it.

        Raises TimeoutError where there is none in so long, EngineGone where the gate is shut.
        """
        end = time.monotonic() + seconds
        with self._changed:
            while (wait := self._full_for()) > 0:
                left = end - time.monotonic()
                if left <= 0 or left < wait < math.inf:  # known beforehand, where it is a pause
                    raise TimeoutError
                self._changed.wait(min(wait, left, threading.TIMEOUT_MAX))
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    def cut(self) -> None:
        """Tell that a request was one too many."""
        with self._changed:
            self.limit, self._good = max(1, self.limit // 2), 0

    def pause(self, seconds: float) -> None:
        """Tell that the provider wants no request for so long, whoever would ask."""
        with self._changed:
            self._not_before = max(self._not_before, time.monotonic() + seconds)

    def answered(self) -> None:
        """Tell that a request was answered."""
        with self._changed:
            self._good += 1
            if self._good >= self.limit and self.limit < self.most:
                self.limit, self._good = self.limit + 1, 0
                self._changed.notify_all()

    def rest(self, seconds: float) -> None:
        """Sleep, but not for longer than the gate is open."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_shut, min(seconds, threading.TIMEOUT_MAX))

    def connected(self, connection: socket.socket) -> None:
        """Tell of a connection to the provider; no request outlasts the gate on it."""
        with self._changed:
            self._connections.add(connection)
            is_shut = self._is_shut
        if is_shut:
            cut_off(connection)

    def shut(self) -> None:
        """Let nobody in any more, and end the requests that are inside."""
        with self._changed:
            self._is_shut = True
            self._changed.notify_all()
            connections = list(self._connections)
        for connection in connections:
            cut_off(connection)

    def check(self) -> None:
        """Raises EngineGone where the gate is shut."""
        if self._is_shut:
            raise EngineGone("the run was broken off")

    def _full_for(self) -> float:
        """Seconds until there can be a place; infinite where somebody must leave before."""
        self.check()
        pause = self._not_before - time.monotonic()
        return pause if pause > 0 else (math.inf if self._inside >= self.limit else 0.0)
