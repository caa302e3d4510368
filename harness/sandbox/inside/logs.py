"""Programs' logs: one bounded file a program, each line with its time."""

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path

LARGEST = 5 << 20
"""Bytes of a log file after which it becomes the older one of two."""

LONGEST_LINE = 16 << 10


class Log:
    """What one program writes, taken from a pipe."""

    def __init__(self, path: Path, pipe: int) -> None:
        self.pipe = pipe
        self._path, self._line = path, b""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)

    def pump(self) -> bool:
        """Move what is there; false at the end of the pipe."""
        for _ in range(64):  # a program may write faster than this reads
            try:
                chunk = os.read(self.pipe, 1 << 16)
            except BlockingIOError:
                return True
            if not chunk:
                return False
            self._write(chunk)
        return True

    def close(self) -> None:
        self.pump()
        if self._line:
            self._write(b"\n")
        self._file.close()
        os.close(self.pipe)

    def _write(self, chunk: bytes) -> None:
        """Where there is no room, lines are lost: whoever takes them must live on."""
        with suppress(OSError, ValueError):  # the latter: no new file could be opened either
            self._write_lines(chunk)

    def _write_lines(self, chunk: bytes) -> None:
        *lines, self._line = (self._line + chunk).split(b"\n")
        if len(self._line) > LONGEST_LINE:
            lines.append(self._line)
            self._line = b""
        now = datetime.now(UTC).isoformat(timespec="microseconds").encode()
        self._file.write(b"".join(now + b" " + line[:LONGEST_LINE] + b"\n" for line in lines))
        if self._file.tell() > LARGEST:
            self._file.close()
            self._path.replace(self._path.with_suffix(".older"))
            self._file = self._path.open("ab", buffering=0)


def last_lines(folder: Path, count: int, program: str | None = None) -> list[str]:
    """The last lines of one or all programs, in the order in which they were written."""
    lines = sorted(_lines(folder, program or "*"), key=itemgetter(0))
    return [f"{time[11:23]} {name} | {text}" for time, name, text in lines[-count:]]


def _lines(folder: Path, program: str) -> Iterator[tuple[str, str, str]]:
    for path in sorted(folder.glob(f"{program}.older")) + sorted(folder.glob(f"{program}.log")):
        # Other signs that end lines are of the text: what follows them has no time.
        for line in filter(None, path.read_bytes().decode(errors="replace").split("\n")):
            time, _, text = line.partition(" ")
            yield time, path.stem, text
