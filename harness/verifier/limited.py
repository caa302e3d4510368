"""Work on agent text in a child with bounds on time and memory.

Hostile source can exhaust the parser or crash the interpreter outright; a child that dies takes
only its own items along, and how it died is a finding, not an error.
"""

import faulthandler
import json
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from .job import NoVerdict

_LARGEST_OUTPUT = 16_000_000


@dataclass(frozen=True)
class Outcome:
    """What the child yielded before it ended; `died` says why it did not get to the end."""

    items: tuple[object, ...]
    died: str | None


def limited(work: Callable[[], Iterable[object]], seconds: float, megabytes: int) -> Outcome:
    """Run `work` in a forked child; each item it yields must be JSON.

    `megabytes` bounds what the child may map beyond what its parent already had.

    An exception other than running out of memory or stack is a fault of the verifier and raises
    NoVerdict.
    """
    reader, writer = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _run(work, writer, seconds, megabytes)
    os.close(writer)
    raw, late = _collect(reader, time.monotonic() + seconds)
    os.close(reader)
    if late:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return _outcome(raw, late, status)


def _run(work: Callable[[], Iterable[object]], writer: int, seconds: float, mb: int) -> None:
    code = 1
    faulthandler.disable()
    try:
        space = _mapped() + mb * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (space, space))
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 2))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        for item in work():
            _write(writer, json.dumps(item).encode() + b"\n")
        _write(writer, b"end\n")
        code = 0
    except (MemoryError, RecursionError, SystemError):
        # CPython 3.11 raises SystemError where it cannot map another piece of its stack.
        code = 4
    finally:
        # The child is a copy of the verifier: it must never return into the caller's stack.
        if code == 1:
            traceback.print_exc(limit=-5)
            sys.stderr.flush()
        os._exit(code)


def _mapped() -> int:
    """Bytes of address space that this process has now."""
    with Path("/proc/self/statm").open("rb") as statm:
        return int(statm.read().split()[0]) * resource.getpagesize()


def _write(writer: int, line: bytes) -> None:
    while line:
        line = line[os.write(writer, line) :]


def _collect(reader: int, deadline: float) -> tuple[bytes, bool]:
    chunks: list[bytes] = []
    size = 0
    while (left := deadline - time.monotonic()) > 0 and size < _LARGEST_OUTPUT:
        if select.select([reader], [], [], left)[0]:
            chunk = os.read(reader, 65536)
            if not chunk:
                return b"".join(chunks), False
            chunks.append(chunk)
            size += len(chunk)
    return b"".join(chunks), True


def _outcome(raw: bytes, late: bool, status: int) -> Outcome:
    lines = raw.split(b"\n")[:-1]
    ended = bool(lines) and lines[-1] == b"end"
    items = tuple(json.loads(line) for line in (lines[:-1] if ended else lines))
    if ended:
        return Outcome(items, None)
    if late:
        return Outcome(items, "ran out of time")
    code = os.waitstatus_to_exitcode(status)
    if code == 1:
        raise NoVerdict("the verifier failed while inspecting; its traceback is on stderr")
    return Outcome(items, "ran out of memory or stack" if code == 4 else "ended by a crash")
