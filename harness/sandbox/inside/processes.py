"""Starting a command under a warden, and ending everything that it started.

Every command has a warden: a process between the runner and the command that adopts whatever the
command leaves orphaned (PR_SET_CHILD_SUBREAPER), so that at a timeout "every descendant" is an
exact set, however often they forked or called setsid. On a normal end the warden exits and what
still runs in the background is adopted by the runner.
"""

import ctypes
import os
import resource
import select
import signal
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import NoReturn

from .frames import Header, split_frame

User = tuple[int, int]

REPORT = struct.Struct("!c?id")
"""What a warden says at the end: e(nd) or t(imeout), whether processes are left, code, seconds."""

BEGUN = struct.Struct("!dd")
"""What a command's process says when it begins: the monotonic clock, and its timeout in seconds."""

OOM_COUNTERS = ("/sys/fs/cgroup/memory/memory.oom_control", "/sys/fs/cgroup/memory.events")
_LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 1, 4, 36


def readable(payload: bytes) -> int:
    """A descriptor to read `payload` from; a file, so that no writer can block."""
    if not payload:
        return os.open("/dev/null", os.O_RDONLY)
    fd = os.memfd_create("stdin")
    with os.fdopen(os.dup(fd), "wb") as writer:
        writer.write(payload)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def warden(order: int, report: int, outputs: tuple[int, int], user: User | None) -> NoReturn:
    """Fork the command's process, which waits for the order; wait for its end or its timeout.

    The order is a frame: the header of a run request, and the command's standard input. It goes to
    the process that is to run it, so that from order to command there is no fork, which is dear for
    another user: Python may not use vfork then.
    """
    try:
        _attend(order, report, outputs, user)
    finally:  # never back into the code that forked
        _leave()


def _leave() -> NoReturn:
    error = sys.exc_info()
    if error[1] is not None:
        sys.excepthook(*error)
    os._exit(0)


def _attend(order: int, report: int, outputs: tuple[int, int], user: User | None) -> None:
    signal.set_wakeup_fd(-1)
    set_process_flag(PR_SET_CHILD_SUBREAPER, 1)
    set_process_flag(PR_SET_PDEATHSIG, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    said, word = os.pipe()
    try:
        child = _fork_command(order, word, outputs, user)
    except OSError:  # no room for a process now; there may be when the order comes
        select.select([order], [], [])
        try:
            child = _fork_command(order, word, outputs, user)
        except OSError as error:
            os.write(outputs[1], f"no process can be started: {error}\n".encode())
            os.write(report, REPORT.pack(b"e", False, 126, 0.0))
            return
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])  # the command inherits no mask
    for fd in (order, word, *outputs):
        os.close(fd)
    begun = os.read(said, BEGUN.size)
    start, timeout = BEGUN.unpack(begun) if begun else (time.monotonic(), 10.0)
    code = _wait(child, start + timeout)
    seconds = time.monotonic() - start
    if not begun and code == 0:  # the runner is gone
        return
    if code is None:
        stuck = not end_descendants(user)
        os.write(report, REPORT.pack(b"t", stuck, 0, seconds))
    else:
        os.write(report, REPORT.pack(b"e", False, code, seconds))


def _wait(child: int, deadline: float) -> int | None:
    """The exit code of `child` (negative for a signal), or None at the deadline."""
    while True:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == child:
            return os.waitstatus_to_exitcode(status)
        if pid == 0:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return None
            signal.sigtimedwait([signal.SIGCHLD], remaining)


def _fork_command(order: int, word: int, outputs: tuple[int, int], user: User | None) -> int:
    """The process that becomes the command once `order` has come; what begins is said to `word`."""
    if pid := os.fork():
        return pid
    try:
        for number in signal.valid_signals():  # what Python or its parent ignores is inherited
            if signal.getsignal(number) == signal.SIG_IGN:
                signal.signal(number, signal.SIG_DFL)
        os.setsid()
        with os.fdopen(order, "rb") as reader:
            framed = split_frame(bytearray(reader.read()))
        if framed:  # else the runner is gone
            _become_command(*framed, word, outputs, user)
    finally:
        _leave()


def _become_command(
    header: Header, stdin: bytes, word: int, outputs: tuple[int, int], user: User | None
) -> NoReturn:
    for number, fd in enumerate((readable(stdin), *outputs)):
        os.dup2(fd, number)
    os.write(word, BEGUN.pack(time.monotonic(), header["timeout"]))
    code = 126
    try:
        os.chdir(header["cwd"])
        become(user)
        os.execvpe(header["argv"][0], header["argv"], header["env"])  # noqa: S606 - on purpose
    except (OSError, ValueError) as error:
        code = 127 if isinstance(error, FileNotFoundError) else 126
        problem = f"cannot run {header['argv'][0]!r} in {header['cwd']}: {error}\n"
        os.write(2, problem.encode(errors="replace"))
    finally:
        os._exit(code)


def become(user: User | None) -> None:
    """Give up what a command must not have; it is also the first to go when memory runs out."""
    rate = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
    os.write(rate, b"1000")
    os.close(rate)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.umask(0o022)
    if user:
        os.setgroups([])
        os.setresgid(user[1], user[1], user[1])
        os.setresuid(user[0], user[0], user[0])


def end_descendants(user: User | None, within: float = 10.0) -> bool:
    """SIGKILL every descendant of this process, which must be a subreaper; true when none is left.

    A group is killed in one system call, so nothing in it can fork away. Processes that leave
    their group faster than /proc can be read get, after a while, a kill of everything that the
    sandbox's user runs, its background processes included.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    start = time.monotonic()
    while reap() and time.monotonic() < start + within:
        for target in _targets_below(os.getpid()):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(target, signal.SIGKILL)
        if user and time.monotonic() > start + within / 10:
            _kill_all_of(user)
        again = time.monotonic() + 0.05  # dying takes a moment, and reading /proc is dear
        while reap() and (remaining := again - time.monotonic()) > 0:
            signal.sigtimedwait([signal.SIGCHLD], remaining)
    return not reap()


def _kill_all_of(user: User) -> None:
    try:
        pid = os.fork()
    except OSError:  # no room for a process; what holds it is being killed, so try again later
        return
    if pid == 0:
        become(user)
        os.kill(-1, signal.SIGKILL)
        os._exit(0)
    os.waitpid(pid, 0)


def _targets_below(root: int) -> set[int]:
    """All descendants of `root` as targets of kill(2): minus their group, but wardens one by one.

    (A warden is in the group of the runner that forked it; a command never is.)
    """
    children: dict[int, list[tuple[int, int]]] = {}
    for pid, parent, group in _processes():
        children.setdefault(parent, []).append((pid, group))
    found = list(children.get(root, ()))
    for pid, _group in found:  # grows while it is read
        found += children.get(pid, ())
    own = os.getpgid(0)
    return {pid if group == own else -group for pid, group in found}


def _processes() -> Iterator[tuple[int, int, int]]:
    """(pid, parent, group) of every process."""
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            fields = _read(f"/proc/{name}/stat").rpartition(b")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        yield int(name), int(fields[1]), int(fields[2])


def reap() -> bool:
    """Collect ended children; false when there are no children at all."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def oom_kills() -> int:
    """How often the kernel killed for memory in this container; 0 where it does not say."""
    for path in OOM_COUNTERS:
        try:
            words = _read(path).split()
        except OSError:
            continue
        return int(words[words.index(b"oom_kill") + 1]) if b"oom_kill" in words else 0
    return 0


def _read(path: str) -> bytes:
    """What a small file of the kernel says; pathlib takes 3 ms for it in a new process."""
    fd = os.open(path, os.O_RDONLY)
    try:
        return os.read(fd, 4096)
    finally:
        os.close(fd)


def set_process_flag(option: int, value: int) -> None:
    """prctl(2)."""
    _LIBC.prctl(option, ctypes.c_ulong(value), 0, 0, 0)
