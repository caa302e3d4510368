"""The supervisor of an app's programs: warm, so that a program costs a fork and its own imports.

It answers JSON lines on a unix socket, one request a line:

    {"do": "start", "set", "workspace", "programs": [[name, module, port], ...], "env",
     "data", "logs", "fresh", "tied"}       -> {"programs": [[name, port], ...]}
    {"do": "stop", "set", "gently"}         -> {"stopped": how many ran}
    {"do": "status", "set"}                 -> {"programs": [[name, port, code or null], ...]}

or {"error": one line}. A `set` is the programs of one start: "main", or "test" for `app test`.
A tied set ends with the connection that started it. Port 0 means any free port.

Where programs live and as whom they run is their `House`: here the one of whoever started the
supervisor; `keeper` has the other, whose supervisor is root and trusts no request.
"""

import gc
import os
import selectors
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, Protocol

from .appfile import Program, Wrong
from .lines import Message, Peer
from .logs import Log
from .program import become_program, warm_up

GRACE = 3.0
"""Seconds between asking a program to end and ending it."""

MOST_PEERS = 64
"""Connections at once."""


class Start(NamedTuple):
    """A request to start a set of programs."""

    set: str
    workspace: str
    programs: tuple[Program, ...]
    env: dict[str, str]
    data: str
    logs: str
    fresh: bool
    tied: bool


class House(Protocol):
    """Where programs live, and as whom."""

    def read(self, request: Message) -> Start:
        """What a request asks for. Raises Wrong."""
        ...

    def clear(self, start: Start) -> None:
        """Remove what earlier programs of the set have left, before a fresh start."""
        ...

    def enter(self, start: Start, program: Program) -> dict[str, str]:
        """In the fork of the supervisor that is to be the program: move in; its environment."""
        ...


class OwnHouse:
    """Programs run as the user who asks, on the workspace as it is."""

    def read(self, request: Message) -> Start:
        request["programs"] = tuple(Program(*each) for each in request["programs"])
        return Start(**{name: request[name] for name in Start._fields})

    def clear(self, start: Start) -> None:
        for folder in (start.data, start.logs):
            shutil.rmtree(folder, ignore_errors=True)

    def enter(self, start: Start, program: Program) -> dict[str, str]:
        own = Path(start.data) / program.name
        own.mkdir(parents=True, exist_ok=True)
        os.chdir(start.workspace)
        sys.path[0] = start.workspace  # it was the folder of the supervisor's own code
        return start.env | {"APP_DATA": str(own)}


@dataclass
class Running:
    """A program that was started; `code` is set once it has ended."""

    name: str
    port: int
    pid: int
    log: Log
    code: int | None = None


class Supervisor:
    """Owns the programs; single-threaded, so that forking is safe."""

    def __init__(self, listening: socket.socket, house: House) -> None:
        self._house = house
        self._sets: dict[str, list[Running]] = {}
        self._peers: set[Peer] = set()
        self._ties: dict[Peer, str] = {}
        self._selector = selectors.DefaultSelector()
        self._woken, wake = os.pipe()
        for fd in (self._woken, wake):
            os.set_blocking(fd, False)
        signal.signal(signal.SIGCHLD, lambda _signal, _frame: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        listening.setblocking(False)
        self._watch(listening, lambda: self._accept(listening))
        self._watch(self._woken, self._notice_ends)

    def serve(self) -> NoReturn:
        while True:
            for key, _events in self._selector.select():
                if self._selector.get_map().get(key.fd) is key:  # an earlier one may have closed it
                    key.data()

    def _watch(self, file: Any, attend: Callable[[], None]) -> None:
        self._selector.register(file, selectors.EVENT_READ, attend)

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):  # gone again, or no room for one more
            peer = Peer(listening.accept()[0])
            if len(self._peers) == MOST_PEERS:
                peer.close()
                return
            self._peers.add(peer)
            self._watch(peer.socket, lambda: self._attend(peer))

    def _attend(self, peer: Peer) -> None:
        for request in peer.requests():
            peer.answer(self._answer(request, peer))
        if peer.is_gone:
            self._selector.unregister(peer.socket)
            self._peers.remove(peer)
            peer.close()
            if name := self._ties.pop(peer, None):
                self._stop(name, gently=False)

    def _answer(self, request: Message, peer: Peer) -> Message:
        try:
            if request["do"] == "start":
                start = self._house.read(request)
                answer = self._start(start)
                if start.tied:
                    self._ties[peer] = start.set
                return answer
            return self._tell(request["do"], request["set"], gently=request.get("gently") is True)
        except Wrong as wrong:
            return {"error": str(wrong)}
        except (KeyError, TypeError, ValueError) as error:
            return {"error": f"a request is malformed: {type(error).__name__} {error}"}
        except OSError as error:
            return {"error": f"cannot {request['do']}: {error}"}

    def _tell(self, wanted: str, name: str, *, gently: bool) -> Message:
        self._notice_ends()
        if wanted == "stop":
            return {"stopped": self._stop(name, gently=gently)}
        running = self._sets.get(name, [])
        for it in running:  # what they wrote so far is in their logs with the answer
            it.log.pump()
        return {"programs": [[it.name, it.port, it.code] for it in running]}

    def _start(self, start: Start) -> Message:
        self._stop(start.set, gently=not start.fresh)
        if start.fresh:
            self._house.clear(start)
        bound = _bound(start.programs)
        urls = {_url_name(p.name): f"http://127.0.0.1:{s.getsockname()[1]}" for p, s in bound}
        running = self._sets.setdefault(start.set, [])
        try:
            for program, listening in bound:
                running.append(self._launch(start, program, listening, urls))
                listening.close()
        except OSError:  # no room for a process or for its log
            self._stop(start.set, gently=False)
            raise
        finally:
            for _program, listening in bound:
                listening.close()
        return {"programs": [[it.name, it.port] for it in running]}

    def _launch(
        self, start: Start, program: Program, listening: socket.socket, urls: dict[str, str]
    ) -> Running:
        port = listening.getsockname()[1]
        log, writer = self._log(Path(start.logs) / f"{program.name}.log")
        try:
            pid = os.fork()
            if pid == 0:
                enter = partial(self._house.enter, start, program)
                become_program(program.module, listening, writer, lambda: enter() | urls)
        except OSError:
            self._close(log)
            raise
        finally:
            os.close(writer)
        return Running(program.name, port, pid, log)

    def _log(self, path: Path) -> tuple[Log, int]:
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        log = Log(path, reader)

        def attend() -> None:
            if not log.pump():
                self._selector.unregister(reader)

        self._watch(reader, attend)
        return log, writer

    def _stop(self, name: str, *, gently: bool) -> int:
        running = self._sets.pop(name, [])
        self._ties = {peer: tied for peer, tied in self._ties.items() if tied != name}
        alive = [it for it in running if it.code is None]
        if gently:
            _signal(alive, signal.SIGTERM)
            deadline = time.monotonic() + GRACE
            while any(it.code is None for it in alive) and time.monotonic() < deadline:
                _collect(alive, block=False)
                self._selector.select(0.01)  # an end wakes it, unread output at once: hence brief
                for it in alive:
                    it.log.pump()
        _signal(alive, signal.SIGKILL)
        _collect(alive, block=True)
        for it in running:
            self._close(it.log)
        return len(alive)

    def _close(self, log: Log) -> None:
        with suppress(KeyError):
            self._selector.unregister(log.pipe)
        log.close()

    def _notice_ends(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._woken, 4096)
        for running in self._sets.values():
            _collect([it for it in running if it.code is None], block=False)


def _bound(programs: tuple[Program, ...]) -> list[tuple[Program, socket.socket]]:
    """Each program with the socket that it will serve. Raises Wrong where a port is taken."""
    bound: list[tuple[Program, socket.socket]] = []
    try:
        for program in programs:
            bound.append((program, _listen(program.name, program.port)))  # noqa: PERF401 - see finally
    except Wrong:
        for _program, listening in bound:
            listening.close()
        raise
    return bound


def _listen(name: str, port: int) -> socket.socket:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except OSError as error:
        listening.close()
        raise Wrong(f"program {name}: cannot listen on port {port}: {error.strerror}") from error
    listening.listen(2048)
    return listening


def _url_name(program: str) -> str:
    return program.upper().replace("-", "_") + "_URL"


def _signal(programs: list[Running], number: int) -> None:
    for it in programs:
        if it.code is None:
            with suppress(ProcessLookupError):
                os.kill(it.pid, number)
            if number == signal.SIGKILL:  # with what the program itself started
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(it.pid, number)


def _collect(programs: list[Running], *, block: bool) -> None:
    for it in programs:
        if it.code is None:
            pid, status = os.waitpid(it.pid, 0 if block else os.WNOHANG)
            if pid:
                it.code = os.waitstatus_to_exitcode(status)


def run_supervisor(listening: socket.socket, errors: Path) -> NoReturn:
    """In a fork of `app`: become a daemon that serves `listening`."""
    os.setsid()
    os.chdir("/")
    if os.fork():
        os._exit(0)
    nothing = os.open(os.devnull, os.O_RDWR)
    out = os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for target, fd in enumerate((nothing, out, out)):
        os.dup2(fd, target)
    serve_warm(listening, OwnHouse())


def serve_warm(listening: socket.socket, house: House) -> NoReturn:
    """Warm up and serve for as long as this process lives."""
    try:
        warm_up()
        gc.collect()
        gc.freeze()  # programs share these pages as long as nobody touches them
        Supervisor(listening, house).serve()
    finally:
        sys.excepthook(*sys.exc_info())
        os._exit(1)
