"""Waiting until programs answer `GET /health`, by events.

A program's socket listens before the program runs, so a request waits there until it is answered,
or is reset when the program dies.
"""

import json
import selectors
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple, Self

from .appfile import Wrong

AGAIN = 0.02
"""Seconds after which a program that said it is not ready is asked again."""


class Answer(NamedTuple):
    """A started program and its port."""

    name: str
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class Failed(NamedTuple):
    """The program that did not come up."""

    name: str
    why: str


class Connection:
    """A connection to the supervisor."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._reader = connected.makefile("rb")

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The reply. Raises Wrong with the supervisor's word."""
        self._socket.sendall(json.dumps(request).encode() + b"\n")
        line = self._reader.readline()
        if not line:
            raise Wrong("the supervisor ended, see supervisor.log beside its socket")
        reply: dict[str, Any] = json.loads(line)
        if "error" in reply:
            raise Wrong(reply["error"])
        return reply

    def ended(self, name: str) -> dict[str, int]:
        """The programs of a set that have ended, with their exit codes."""
        programs = self.ask({"do": "status", "set": name})["programs"]
        return {program: code for program, _port, code in programs if code is not None}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._reader.close()
        self._socket.close()


class _Request:
    """One GET /health under way."""

    def __init__(self, answer: Answer) -> None:
        self.name = answer.name
        self.socket = socket.create_connection(("127.0.0.1", answer.port), timeout=5)
        self.socket.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        self.socket.setblocking(False)
        self._said = b""

    def status(self) -> str | None:
        """The status code; "" if the connection ended without one, None while it is incomplete."""
        try:
            chunk = self.socket.recv(4096)
        except BlockingIOError:
            return None
        except OSError:
            return ""
        self._said += chunk
        line, newline, _ = self._said.partition(b"\r\n")
        if newline:
            return [*line.split(), b"", b""][1].decode(errors="replace")
        return None if chunk else ""


def wait_until_healthy(
    answers: list[Answer], seconds: float, ended: Callable[[], dict[str, int]]
) -> Failed | None:
    """Wait for status 200 from all; what went wrong, if something did."""
    deadline = time.monotonic() + seconds
    waiting = {answer.name: answer for answer in answers}
    last: dict[str, str] = {}
    with selectors.DefaultSelector() as selector:
        while waiting:
            _ask(selector, waiting)
            for name, status in _statuses(selector, deadline):
                last[name] = f"status {status}" if status else "connection lost"
                if status == "200":
                    del waiting[name]
            if time.monotonic() > deadline:
                name = next(iter(waiting), "")
                why = f"is not healthy after {seconds:g} s ({last.get(name, 'no answer')})"
                return Failed(name, why) if name else None
            if len(selector.get_map()) < len(waiting):  # some said no: has one ended?
                for name, code in ended().items():
                    return Failed(name, f"ended with {said_end(code)}")
                selector.select(AGAIN)
    return None


def said_end(code: int) -> str:
    """How a program ended, in words."""
    return f"exit code {code}" if code >= 0 else f"signal {-code}"


def _ask(selector: selectors.BaseSelector, waiting: dict[str, Answer]) -> None:
    """Ask those that are waited for and have no request under way."""
    under_way = {key.data.name for key in selector.get_map().values()}
    for name, answer in waiting.items():
        if name not in under_way:
            with suppress(OSError):  # nobody listens: the program has just ended
                request = _Request(answer)
                selector.register(request.socket, selectors.EVENT_READ, request)


def _statuses(selector: selectors.BaseSelector, deadline: float) -> list[tuple[str, str]]:
    """The next answers, as (program, status); none at the deadline."""
    if not selector.get_map():
        return []
    found = []
    for key, _events in selector.select(max(0.0, deadline - time.monotonic())):
        status = key.data.status()
        if status is not None:
            selector.unregister(key.fileobj)
            key.data.socket.close()
            found.append((key.data.name, status))
    return found
