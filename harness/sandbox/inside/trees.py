"""Trees in and out of a sandbox, as tars."""

import errno
import io
import os
import stat
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

DEEPEST = 200
SWAPPED = {errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.EINVAL, errno.ENXIO}
"""What the kernel says where a name has come to be another kind of thing than it was."""

TarError = tarfile.TarError


class TooMuch(Exception):
    """A tree exceeds a limit, or something in it changes its kind while it is read."""


def unpack(content: bytes, path: str) -> None:
    """Unpack below `path`, made if absent, owned by this process's user.

    Names and links that lead out of it, and device files, raise TarError. (Debian 12's Python is
    older than tarfile's own filters, so the same rules stand here for every Python.)
    """
    Path(path).mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        if hasattr(tarfile, "fully_trusted_filter"):  # newer Pythons want to be told
            tar.extraction_filter = tarfile.fully_trusted_filter
        entries = tar.getmembers()
        for entry in entries:
            _check(entry)
        tar.extractall(path, entries)  # noqa: S202 - each entry was checked


def _check(entry: tarfile.TarInfo) -> None:
    if not (entry.isreg() or entry.isdir() or entry.issym() or entry.islnk()):
        raise TarError(f"{entry.name}: is neither file, folder nor link")
    place = os.path.dirname(entry.name) if entry.issym() else ""
    target = os.path.normpath(os.path.join(place, entry.linkname))
    absolute = entry.name.startswith("/") or entry.linkname.startswith("/")
    if absolute or ".." in entry.name.split("/") or target.split("/")[0] == "..":
        raise TarError(f"{entry.name}: leads out of the folder")
    entry.mode &= 0o777
    entry.uid, entry.gid, entry.uname, entry.gname = os.getuid(), os.getgid(), "", ""


def pack(path: str, *, limit: int, entries: int) -> bytes:
    """The tree below `path` as a tar; its names are relative to `path`.

    A file is packed under its own name, nothing as an empty tar. Links are kept, not followed;
    FIFOs, sockets and devices become entries without content (a socket as a FIFO: tar has no
    word for it). Raises TooMuch.
    """
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        _Packer(tar, limit, entries).pack(path)
    return out.getvalue()


class _Packer:
    """Packs a tree without following any link, also one that appears while it is read."""

    def __init__(self, tar: tarfile.TarFile, limit: int, entries: int) -> None:
        self._tar, self._limit, self._entries_left = tar, limit, entries
        self._bytes = 0

    def pack(self, path: str) -> None:
        parent, name = os.path.split(path.rstrip("/"))
        try:
            fd = os.open(parent or "/", os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            return
        try:
            if name and stat.S_ISDIR(_facts(name, fd).st_mode):
                self._folder(_open(name, fd), "", 0)
            elif name:
                self._entry(fd, name, name, 0)
        except FileNotFoundError:
            return
        finally:
            os.close(fd)

    def _folder(self, fd: int, prefix: str, depth: int) -> None:
        if depth > DEEPEST:
            raise TooMuch(f"folders are nested deeper than {DEEPEST}")
        try:
            for name in sorted(os.listdir(fd)):
                # It may be removed while the tree is read, or come to be something else.
                with suppress(FileNotFoundError), _same_kind(prefix + name):
                    self._entry(fd, name, prefix + name, depth)
        finally:
            os.close(fd)

    def _entry(self, fd: int, name: str, path: str, depth: int) -> None:
        facts = _facts(name, fd)
        entry = tarfile.TarInfo(path)
        entry.mode, entry.mtime = stat.S_IMODE(facts.st_mode), int(facts.st_mtime)
        if stat.S_ISREG(facts.st_mode):
            self._file(fd, name, entry)
            return
        entry.type = tarfile.FIFOTYPE  # also for a socket: tar has no word for it
        if stat.S_ISLNK(facts.st_mode):
            entry.type, entry.linkname = tarfile.SYMTYPE, os.readlink(name, dir_fd=fd)
        elif stat.S_ISDIR(facts.st_mode):
            entry.type = tarfile.DIRTYPE
        elif stat.S_ISCHR(facts.st_mode) or stat.S_ISBLK(facts.st_mode):
            entry.type = tarfile.CHRTYPE
        self._count(path, 0)
        self._tar.addfile(entry)
        if entry.isdir():
            self._folder(_open(name, fd), path + "/", depth + 1)

    def _file(self, fd: int, name: str, entry: tarfile.TarInfo) -> None:
        with os.fdopen(_open(name, fd), "rb") as file:
            facts = os.fstat(file.fileno())
            if not stat.S_ISREG(facts.st_mode):
                raise _swapped(entry.name)
            self._count(entry.name, facts.st_size)
            content = file.read(facts.st_size)
        entry.size = len(content)
        self._tar.addfile(entry, io.BytesIO(content))

    def _count(self, path: str, size: int) -> None:
        self._bytes += size + 512
        self._entries_left -= 1
        if self._entries_left < 0:
            raise TooMuch(f"too many entries, at {path}")
        if self._bytes > self._limit:
            raise TooMuch(f"more than {self._limit} bytes, at {path}")


@contextmanager
def _same_kind(path: str) -> Iterator[None]:
    """Raises TooMuch where what is at a path changes its kind meanwhile."""
    try:
        yield
    except OSError as error:
        if error.errno in SWAPPED:
            raise _swapped(path) from error
        raise


def _swapped(path: str) -> TooMuch:
    return TooMuch(f"{path} changed its kind while it was read")


def _open(name: str, fd: int) -> int:
    return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=fd)


def _facts(name: str, fd: int) -> os.stat_result:
    return os.stat(name, dir_fd=fd, follow_symlinks=False)
