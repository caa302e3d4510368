"""The runner: serves one sandbox over one stream, from its standard input to its standard output.

    runner 1000:1000    the runner is root in a container, commands run as that user
    runner /a/folder    no isolation: commands run as the runner's own user; the folder is
                        removed when the stream ends, whoever ended it

Both directions carry frames (see `frames`). The runner first says {"hello": pid}; then each
request gets one reply, in order:

    {"do": "ping"}                                       -> {}
    {"do": "run", "argv", "cwd", "env", "timeout", "output_limit"} + stdin
        -> {"ending", "code", "seconds", "stdout": bytes of it} + stdout and stderr (UTF-8)
    {"do": "put", "path"} + tar                          -> {}
    {"do": "get", "path", "limit", "entries"}            -> {} + tar
    {"do": "keep", "path", "needs", "mixed", "reached"} + tar -> {}; see `kept`

A request that cannot be served gets {"error": kind, "message": one line}. When the stream ends,
the runner ends everything it started and exits; a container ends with its first process.
"""

import os
import select
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from .capture import CHUNK, Capture
from .frames import Framed, Header, frame, split_frame
from .processes import (
    PR_SET_CHILD_SUBREAPER,
    REPORT,
    User,
    become,
    end_descendants,
    oom_kills,
    readable,
    reap,
    set_process_flag,
    warden,
)

if TYPE_CHECKING:
    import subprocess

KEEPER = (
    "/opt/venv/bin/python",
    "-I",
    "-c",
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from inside.keeper import main; main()",
    os.path.dirname(os.path.dirname(__file__)),
)
"""The command that a container's image has for it; its arguments follow."""

IDLE = 5
"""Milliseconds without a request after which the next warden is forked."""


class StreamEnded(Exception):
    """The other side of the stream is gone."""


class Refused(Exception):
    """A request that cannot be served; `kind` is for the caller, the message for people."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Prepared(NamedTuple):
    """A warden that waits for its order, and the read ends of what it will have to say."""

    order: int
    report: int
    outputs: list[int]


class Runner:
    """Serves requests one at a time; between and during them it reaps and drains."""

    def __init__(self, source: int, sink: int, user: User | None) -> None:
        self._source, self._sink, self._user = source, sink, user
        self._buffer = bytearray()
        self._prepared: Prepared | None = None
        self._captures: dict[int, Capture] = {}
        self._keeper: subprocess.Popen[bytes] | None = None
        self._served: dict[str, Callable[[Header, bytes], Framed]] = {
            "ping": lambda _header, _payload: ({}, b""),
            "run": self._run,
            "put": self._put,
            "get": _get,
            "keep": self._keep,
        }
        self._woken, wake = os.pipe()
        for fd in (self._woken, wake):
            os.set_blocking(fd, False)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])  # what the parent blocked is inherited
        signal.signal(signal.SIGCHLD, lambda _signal, _frame: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        self._poll = select.poll()
        self._poll.register(source, select.POLLIN)
        self._poll.register(self._woken, select.POLLIN)

    def serve(self) -> None:
        """Serve until the stream ends."""
        self._send({"hello": os.getpid()})
        set_process_flag(PR_SET_CHILD_SUBREAPER, 1)
        try:
            while True:
                header, payload = self._receive()
                try:
                    reply = self._served[header["do"]](header, payload)
                except Refused as refusal:
                    reply = {"error": refusal.kind, "message": str(refusal)}, b""
                self._send(*reply)
        except (StreamEnded, BrokenPipeError, ConnectionResetError):
            return

    def _send(self, header: Header, payload: bytes = b"") -> None:
        rest = memoryview(frame(header, payload))
        while rest:
            rest = rest[os.write(self._sink, rest) :]

    def _receive(self) -> Framed:
        while (request := split_frame(self._buffer)) is None:
            if self._prepared is None and not self._poll.poll(IDLE):
                self._prepare()  # not at once: the reply is still on its way, over the same cores
            self._turn(None)
        return request

    def _turn(self, extra: int | None) -> bool:
        """Wait for anything and attend to it; true when the descriptor `extra` became ready."""
        ready = False
        for fd, _event in self._poll.poll():
            if fd == self._source:
                self._fill()
            elif fd == self._woken:
                os.read(fd, CHUNK)
                reap()
            elif fd == extra:
                ready = True
            else:
                self._pump(fd)
        return ready

    def _fill(self) -> None:
        chunk = os.read(self._source, CHUNK)
        if not chunk:
            raise StreamEnded
        self._buffer += chunk

    def _pump(self, fd: int) -> bool:
        """Read once; false when there is nothing to read now."""
        try:
            chunk = os.read(fd, CHUNK)
        except BlockingIOError:
            return False
        if chunk:
            self._captures[fd].feed(chunk)
            return True
        self._poll.unregister(fd)
        os.close(fd)
        self._captures.pop(fd).closed = True
        return False

    def _run(self, header: Header, payload: bytes) -> Framed:
        kills = oom_kills() if self._user else 0
        (order, report, outputs), self._prepared = self._prepared or self._fork_warden(), None
        captures = [self._capture(fd, header["output_limit"]) for fd in outputs]
        self._poll.register(report, select.POLLIN)
        with suppress(BrokenPipeError), os.fdopen(order, "wb") as writer:  # else it says nothing
            writer.write(frame(header, payload))
        while not self._turn(report):
            pass
        raw = os.read(report, REPORT.size)
        self._poll.unregister(report)
        os.close(report)
        for fd, capture in zip(outputs, captures, strict=True):
            while not capture.closed and self._pump(fd):
                pass
            if not capture.closed:  # a background process holds it: drain it, keep nothing
                self._captures[fd] = Capture(0)
        if len(raw) != REPORT.size:
            raise Refused("warden", "the command's warden died")
        oom = bool(self._user) and oom_kills() > kills
        ending, code, seconds = _ending(raw, oom=oom)
        stdout, stderr = (capture.text().encode() for capture in captures)
        facts = {"ending": ending, "code": code, "seconds": seconds, "stdout": len(stdout)}
        return facts, stdout + stderr

    def _prepare(self) -> None:
        """Fork the next warden while nobody waits: it is half of what a command costs."""
        with suppress(Refused):
            self._prepared = self._prepared or self._fork_warden()

    def dismiss(self) -> None:
        """Let the warden that waits for an order go: it is of our group, which nobody kills."""
        if self._prepared:
            os.close(self._prepared.order)
            self._prepared = None

    def _fork_warden(self) -> Prepared:
        order, report, stdout, stderr = pipes = [os.pipe() for _ in range(4)]
        pid = _fork(*(fd for pipe in pipes for fd in pipe))
        if pid == 0:
            os.close(order[1])  # else it would not notice that the runner is gone
            warden(order[0], report[1], (stdout[1], stderr[1]), self._user)
        for fd in (order[0], report[1], stdout[1], stderr[1]):
            os.close(fd)
        return Prepared(order[1], report[0], [stdout[0], stderr[0]])

    def _capture(self, fd: int, limit: int) -> Capture:
        os.set_blocking(fd, False)
        self._captures[fd] = Capture(limit)
        self._poll.register(fd, select.POLLIN)
        return self._captures[fd]

    def _put(self, header: Header, payload: bytes) -> Framed:
        """Unpack as whose the folder is, so that nothing in it can misuse the runner."""
        from .trees import TarError, unpack  # noqa: PLC0415 - slow to import

        reader, writer = os.pipe()
        pid = _fork(reader, writer)
        if pid == 0:
            code = 1
            try:
                become(self._owner(header["path"]))
                unpack(payload, header["path"])
                code = 0
            except (OSError, TarError) as error:
                os.write(writer, str(error).encode(errors="replace")[:4000] or b"no reason given")
            finally:
                os._exit(code)
        os.close(writer)
        with os.fdopen(reader, "rb") as errors:
            message = errors.read().decode(errors="replace")
        _, status = os.waitpid(pid, 0)
        if message or status:
            raise Refused("put", message or f"unpacking ended with status {status}")
        return {}, b""

    def _owner(self, path: str) -> tuple[int, int] | None:
        """The folder's owner; the sandbox's user where that is root or there is none."""
        if self._user is None:
            return None
        try:
            found = os.stat(path)
        except OSError:
            return self._user
        return (found.st_uid, found.st_gid) if found.st_uid else self._user

    def _keep(self, header: Header, payload: bytes) -> Framed:
        """Start the supervisor that holds what the tar has; commands will find it there."""
        import subprocess  # noqa: PLC0415 - a third of what the runner takes to start

        if self._user is None:
            raise Refused("keep", "nothing can be kept from anybody without isolation")
        said, word = os.pipe()
        source = readable(frame(header, payload))
        argv = [*KEEPER, f"{self._user[0]}:{self._user[1]}", header["path"]]
        env = {"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8"}
        try:
            self._keeper = subprocess.Popen(
                argv, stdin=source, stdout=word, cwd="/", env=env, start_new_session=True
            )
        except OSError as error:
            raise Refused("keep", f"the supervisor cannot be started: {error}") from error
        finally:
            os.close(word)
            os.close(source)
            with os.fdopen(said, "rb") as reader:
                problem = reader.read().decode(errors="replace")
        if problem or self._keeper.poll() is not None:
            raise Refused("keep", problem or "the supervisor ended")
        return {}, b""


def _ending(raw: bytes, *, oom: bool) -> tuple[str, int | None, float]:
    kind, stuck, code, seconds = REPORT.unpack(raw)
    if stuck:
        raise Refused("stuck", "processes of a timed-out command cannot be ended")
    if kind == b"t":
        return "timeout", None, seconds
    if oom and code != 0:
        return "oom", None, seconds
    return ("signal", -code, seconds) if code < 0 else ("exit", code, seconds)


def _fork(*fds: int) -> int:
    """Fork; where the sandbox has no room for a process, close `fds` and refuse."""
    try:
        return os.fork()
    except OSError as error:
        for fd in fds:
            os.close(fd)
        raise Refused("processes", f"no process can be started: {error.strerror}") from error


def _get(header: Header, _payload: bytes) -> Framed:
    from .trees import TooMuch, pack  # noqa: PLC0415 - slow to import

    try:
        return {}, pack(header["path"], limit=header["limit"], entries=header["entries"])
    except TooMuch as reason:
        raise Refused("limit", str(reason)) from reason
    except OSError as error:
        raise Refused("get", str(error)) from error


def _user(text: str) -> tuple[int, int]:
    user, group = text.split(":")
    return int(user), int(group)


def main() -> None:
    """Serve standard input and output until the stream ends.

    The first argument is a folder, or a user and group by number; FOLDER=USER:GROUP may follow, to
    give folders away.
    """
    user, folder = None, None
    if sys.argv[1].startswith("/"):
        folder = sys.argv[1]
    else:
        user = _user(sys.argv[1])
        for given in sys.argv[2:]:
            path, _, owner = given.partition("=")
            os.chown(path, *_user(owner))
    source, sink = os.dup(0), os.dup(1)  # not inherited, unlike 0 and 1
    nothing = os.open("/dev/null", os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    runner = Runner(source, sink, user)
    runner.serve()
    runner.dismiss()
    if folder:  # in a container everything ends with its first process anyway
        import shutil  # noqa: PLC0415 - slow to import

        end_descendants(None)
        shutil.rmtree(folder, ignore_errors=True)
