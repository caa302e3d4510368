"""The supervisor of an app's programs: warm, so that a program costs a fork and its own imports.

It answers JSON lines on a unix socket, one request a line:

    {"do": "start", "set", "workspace", "programs": [[name, module, port], ...], "env",
     "data", "logs", "fresh", "tied"}       -> {"programs": [[name, port], ...]}
    {"do": "stop", "set", "gently"}         -> {"stopped": how many ran}
    {"do": "status", "set"}                 -> {"programs": [[name, port, code or null], ...]}

or {"error": one line}. A `set` is the programs of one start: "main", or "test" for `app test`.
A tied set ends with the connection that started it. Port 0 means any free port.
"""

import gc
import json
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
from pathlib import Path
from typing import Any, NoReturn

from .appfile import Wrong
from .logs import Log
from .program import become_program, warm_up

Message = dict[str, Any]

GRACE = 3.0
"""Seconds between asking a program to end and ending it."""


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

    def __init__(self, listening: socket.socket) -> None:
        self._sets: dict[str, list[Running]] = {}
        self._ties: dict[socket.socket, str] = {}
        self._selector = selectors.DefaultSelector()
        self._woken, wake = os.pipe()
        for fd in (self._woken, wake):
            os.set_blocking(fd, False)
        signal.signal(signal.SIGCHLD, lambda _signal, _frame: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
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
        connection = listening.accept()[0]
        reader = connection.makefile("rb")

        def attend() -> None:
            line = reader.readline()
            if line:
                with suppress(OSError):
                    connection.sendall(json.dumps(self._answer(line, connection)).encode() + b"\n")
                return
            self._selector.unregister(connection)
            reader.close()
            connection.close()
            if name := self._ties.pop(connection, None):
                self._stop(name, gently=False)

        self._watch(connection, attend)

    def _answer(self, line: bytes, connection: socket.socket) -> Message:
        request = json.loads(line)
        name = request["set"]
        if request["do"] == "start":
            if request["tied"]:
                self._ties[connection] = name
            return self._start(name, request)
        self._notice_ends()
        if request["do"] == "stop":
            return {"stopped": self._stop(name, gently=request["gently"])}
        running = self._sets.get(name, [])
        for it in running:  # what they wrote so far is in their logs with the answer
            it.log.pump()
        return {"programs": [[it.name, it.port, it.code] for it in running]}

    def _start(self, name: str, request: Message) -> Message:
        self._stop(name, gently=not request["fresh"])
        data, logs = Path(request["data"]), Path(request["logs"])
        if request["fresh"]:
            for folder in (data, logs):
                shutil.rmtree(folder, ignore_errors=True)
        try:
            bound = [(program, _listen(*program)) for program in request["programs"]]
        except Wrong as wrong:
            return {"error": str(wrong)}
        urls = {_url_name(p): f"http://127.0.0.1:{s.getsockname()[1]}" for (p, *_), s in bound}
        for (program, module, _port), listening in bound:
            own = data / program
            own.mkdir(parents=True, exist_ok=True)
            env = request["env"] | urls | {"APP_DATA": str(own)}
            log, writer = self._log(logs / f"{program}.log")
            pid = os.fork()
            if pid == 0:
                others = [sock for _, sock in bound if sock is not listening]
                for sock in others:
                    sock.close()
                become_program(module, listening, writer, request["workspace"], env)
            os.close(writer)
            running = Running(program, listening.getsockname()[1], pid, log)
            self._sets.setdefault(name, []).append(running)
            listening.close()
        return {"programs": [[it.name, it.port] for it in self._sets.get(name, [])]}

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
            with suppress(KeyError):
                self._selector.unregister(it.log.pipe)
            it.log.close()
        return len(alive)

    def _notice_ends(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._woken, 4096)
        for running in self._sets.values():
            _collect([it for it in running if it.code is None], block=False)


def _listen(name: str, _module: str, port: int) -> socket.socket:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except OSError as error:
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
    try:
        warm_up()
        gc.collect()
        gc.freeze()  # programs share these pages as long as nobody touches them
        Supervisor(listening).serve()
    finally:
        sys.excepthook(*sys.exc_info())
        os._exit(1)
