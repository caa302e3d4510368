"""Records on disk: append-only, fsynced, one writer; killing the process loses and doubles nothing.

One line holds one attempt with everything that belongs to it, so a line is there whole or not at
all. A torn last line (the process was killed while writing) is cut off when the store is opened.
"""

import errno
import fcntl
import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from pydantic import ValidationError

from harness.errors import BadInput, DiskFull
from harness.paths import RunPaths, TrialPaths
from harness.records import (
    AttemptRecord,
    CallRecord,
    Record,
    TestRecord,
    ToolRecord,
    TrialRecord,
)

R = TypeVar("R", bound=Record)
_BLOCK = 2**16
"""bytes read at once in search of the end of the last whole line"""


class Entry(Record):
    """One attempt; the trial's own record is there when the attempt ended the trial."""

    attempt: AttemptRecord
    trial: TrialRecord | None = None
    tests: tuple[TestRecord, ...] = ()
    calls: tuple[CallRecord, ...] = ()
    tools: tuple[ToolRecord, ...] = ()


class Spending(Record):
    """What a study has of each thing that it may be held to."""

    usd: float = 0.0
    turns: int = 0
    tokens: int = 0
    output_tokens: int = 0
    agent_seconds: float = 0.0
    wall_seconds: float = 0.0


def read_entries(path: Path) -> Iterator[Entry]:
    """Every whole line of a record file, in order, one in memory at a time.

    Raises BadInput, naming file and line, for a line that is whole and yet no record.
    """
    with opening(path):
        if not path.exists():
            return
        file = path.open("rb")
    with file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                return
            yield _read(Entry, line, f"{path}:{number}")


@contextmanager
def opening(path: Path) -> Iterator[None]:
    """What a system refuses to open becomes BadInput of one line (DiskFull where it is full)."""
    try:
        yield
    except OSError as error:
        _raise_if_full(error, path)
        raise BadInput(f"{error.filename or path}: cannot be opened: {error.strerror}") from error


def _read(kind: type[R], text: bytes, where: str) -> R:
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "line"
        raise BadInput(f"{where}: {field}: {first['msg']}; is the file edited?") from None


def latest_trials(entries: Iterator[Entry]) -> dict[str, Entry]:
    """The entry that ended each trial; a regraded trial's last one counts."""
    return {entry.trial.trial_id: entry for entry in entries if entry.trial is not None}


def write_atomically(path: Path, content: bytes) -> None:
    """Write to a temporary name beside `path`, then rename; a reader sees all of it or nothing.

    Raises DiskFull, or BadInput where `path` cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        _raise_if_full(error, path)
        raise BadInput(f"{path}: cannot be written: {error.strerror}") from error


class Store:
    """The one writer of a results folder. Raises BadInput for a second, or where none can write.

    Where nothing came to be recorded, no file that was not there before is left behind.
    """

    def __init__(self, paths: RunPaths) -> None:
        self.paths = paths
        self._lock = threading.Lock()
        with opening(paths.records):
            paths.root.mkdir(parents=True, exist_ok=True)
            self._new = [path for path in (paths.records, paths.plan) if not path.exists()]
            # Unbuffered: what a full disk refused must not be written later by a buffer.
            self._file = paths.records.open("ab", buffering=0)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_gone = os.fstat(self._file.fileno()).st_nlink == 0  # the other one left nothing
        except BlockingIOError:
            is_gone = True
        if is_gone:
            self._file.close()
            raise BadInput(f"{paths.root}: another run is writing here; wait or use name=")
        self.finished: dict[str, Entry] = {}
        self._attempts: dict[str, int] = {}
        with ExitStack() as refused:
            refused.callback(self._file.close)
            self._cut_torn_line()
            for entry in read_entries(paths.records):
                self._count(entry)
            refused.pop_all()

    def _cut_torn_line(self) -> None:
        with opening(self.paths.records), self.paths.records.open("rb") as file:
            end = whole = file.seek(0, os.SEEK_END)
            while whole:
                start = max(0, whole - _BLOCK)
                file.seek(start)
                found = file.read(whole - start).rfind(b"\n") + 1
                whole = start + found
                if found:
                    break
        if whole < end:
            self._file.truncate(whole)

    def _count(self, entry: Entry) -> None:
        trial_id = entry.attempt.trial_id
        self._attempts[trial_id] = max(self._attempts.get(trial_id, 0), entry.attempt.attempt)
        if entry.trial is not None:
            self.finished[entry.trial.trial_id] = entry

    def next_attempt(self, trial_id: str) -> int:
        """The number of the next attempt at a trial, from 1."""
        return self._attempts.get(trial_id, 0) + 1

    def calls(self) -> Iterator[CallRecord]:
        """Every recorded call of a model."""
        for entry in read_entries(self.paths.records):
            yield from entry.calls

    def spending(self) -> Spending:
        """What was kept of it last; nothing where nothing was. Raises BadInput."""
        path = self.paths.spending
        with opening(path):
            return _read(Spending, path.read_bytes(), str(path)) if path.exists() else Spending()

    def keep_spending(self, amounts: Mapping[str, float]) -> None:
        """Keep what has been spent until now. Raises as `write_atomically` does."""
        kept = Spending.model_validate(amounts)
        if kept.tokens:
            write_atomically(self.paths.spending, dump_json(kept.model_dump()).encode())
        else:  # a request that was refused is nothing to go on from
            with opening(self.paths.spending):
                self.paths.spending.unlink(missing_ok=True)

    def append(self, entry: Entry) -> None:
        """Append one line and wait until the disk has it. Raises DiskFull, with nothing torn."""
        line = entry.model_dump_json().encode() + b"\n"
        with self._lock:
            end = self._file.seek(0, os.SEEK_END)
            try:
                self._write(line)
            except OSError as error:
                os.ftruncate(self._file.fileno(), end)
                _raise_if_full(error, self.paths.records)
                raise
            self._count(entry)

    def _write(self, line: bytes) -> None:
        left = memoryview(line)
        while left:
            left = left[self._file.write(left) :]
        os.fsync(self._file.fileno())

    def write_artefacts(
        self,
        trial: TrialPaths,
        files: Mapping[str, bytes | str],
        stays: frozenset[str] = frozenset(),
    ) -> None:
        """Write the files of a trial, each atomically.

        Those that an earlier attempt left are removed first, but for the names in `stays`.
        """
        for path in trial.all:
            if path.name not in stays and path.name not in files:
                path.unlink(missing_ok=True)
        for name, content in files.items():
            whole = content.encode() if isinstance(content, str) else content
            write_atomically(trial.folder / name, whole)

    def close(self) -> None:
        if not self._attempts:
            for path in self._new:
                path.unlink(missing_ok=True)
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def dump_json(value: object) -> str:
    """JSON as we write it everywhere: sorted, indented, one newline at the end."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _raise_if_full(error: OSError, path: Path) -> None:
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        raise DiskFull(f"{path}: the disk is full; free some space and run again") from error
