"""Tar archives in memory: writing plain ones, reading hostile ones.

The reader is our own because the standard library's gives every dialect the benefit of the doubt
(sparse maps, global headers, negative sizes, recursion over long names) and so has failed in ways
that one cannot list in an `except`. This one knows what our sandboxes write, goes through the
bytes once, and refuses the rest.
"""

import io
import re
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from harness.errors import PatchRefused

BLOCK = 512
MTIME = 1_735_689_600  # 2025-01-01, any fixed date would do
_EXTRA_BYTES = 64 * 1024  # of one extended header; a path has 4,096 bytes at most
_SHOWN = 80  # bytes of a hostile value that a message repeats

Kind = Literal["file", "folder", "symlink", "hardlink", "special"]
_KINDS: dict[bytes, Kind] = {
    b"0": "file",
    b"\0": "file",
    b"1": "hardlink",
    b"2": "symlink",
    b"3": "special",
    b"4": "special",
    b"5": "folder",
    b"6": "special",
}


@dataclass(frozen=True)
class Member:
    """One entry of an archive, nothing about it checked but that it is well formed."""

    name: bytes
    kind: Kind
    executable: bool
    target: bytes
    offset: int
    size: int


def write_tar(rows: Iterable[tuple[str, int, bytes]], prefix: str = "") -> bytes:
    """A tar of (path, git mode, content) below the folder `prefix`; the same bytes every time."""
    buffer = io.BytesIO()
    folders: set[str] = set()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path, mode, content in rows:
            place = f"{prefix.strip('/')}/{path}".lstrip("/")
            for folder in _new_folders(place, folders):
                tar.addfile(_header(folder, tarfile.DIRTYPE, 0o755))
            _add(tar, place, mode, content)
    return buffer.getvalue()


def _new_folders(path: str, known: set[str]) -> list[str]:
    parts = path.split("/")
    wanted = ["/".join(parts[:depth]) for depth in range(1, len(parts))]
    new = [folder for folder in wanted if folder not in known]
    known.update(new)
    return new


def _header(path: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(path)
    info.type, info.mode, info.mtime = kind, mode, MTIME
    return info


def _add(tar: tarfile.TarFile, path: str, mode: int, content: bytes) -> None:
    if mode == 0o120000:
        link = _header(path, tarfile.SYMTYPE, 0o777)
        link.linkname = content.decode()
        tar.addfile(link)
        return
    info = _header(path, tarfile.REGTYPE, mode & 0o777)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))


def members(tar: bytes) -> Iterator[Member]:
    """The entries of an uncompressed POSIX or GNU tar, in order. Raises PatchRefused."""
    extra: dict[str, bytes] = {}
    offset = 0
    while any(header := tar[offset : offset + BLOCK]):
        _check_header(header, offset)
        size = _number(extra.get("size") or header[124:136], decimal="size" in extra)
        body, offset = offset + BLOCK, offset + BLOCK + -(-size // BLOCK) * BLOCK
        if offset > len(tar):
            raise _damaged(f"the entry {_name(header, {})!r:.{_SHOWN}} is cut off")
        if header[156:157] in {b"L", b"K", b"x"}:
            if size > _EXTRA_BYTES:
                raise _damaged(f"an extended header has {size} bytes")
            _extend(extra, header[156:157], tar[body : body + size])
            continue
        yield _member(header, extra, body, size)
        extra = {}
    if len(tar) - offset < BLOCK or any(memoryview(tar)[offset:]) or extra:
        raise _damaged("it does not end as a tar does")


def _damaged(reason: str) -> PatchRefused:
    return PatchRefused(f"the workspace is not a plain uncompressed tar: {reason}")


def _check_header(header: bytes, offset: int) -> None:
    if header[257:265] not in {b"ustar\x0000", b"ustar  \0"}:
        raise _damaged(f"no header at byte {offset}")
    if _number(header[148:156]) != sum(header) - sum(header[148:156]) + 8 * ord(" "):
        raise _damaged(f"wrong checksum at byte {offset}")


def _number(field: bytes, *, decimal: bool = False) -> int:
    if decimal:
        if not re.fullmatch(rb"\d{1,12}", field):
            raise _damaged(f"{field[:_SHOWN]!r} is no size")
        return int(field)
    if field[0] == 0x80:  # base 256, for large values; 0xff would be a negative one
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0")
    if not re.fullmatch(rb"[0-7]*", digits):
        raise _damaged(f"{field!r} is no octal number")
    return int(digits or b"0", 8)


def _extend(extra: dict[str, bytes], kind: bytes, body: bytes) -> None:
    """Take in what an extended header says of the next entry; twice the same is a trick."""
    if kind == b"x":
        found = _records(body)
    else:
        found = {"path" if kind == b"L" else "linkpath": body.rstrip(b"\0")}
    if extra.keys() & found:
        raise _damaged("two extended headers for one entry")
    extra.update(found)


def _records(body: bytes) -> dict[str, bytes]:
    """The PAX records that change what an entry is: path, linkpath and size."""
    found: dict[str, bytes] = {}
    while body:
        length, _, _ = body[:8].partition(b" ")
        end = _number(length, decimal=True)
        key, equals, value = body[len(length) + 1 : end].partition(b"=")
        if not equals or not value.endswith(b"\n") or len(body) < end:
            raise _damaged("an extended header is malformed")
        # hdrcharset=BINARY says that a name is not UTF-8, which the name shows itself
        if key.startswith(b"GNU.sparse") or (key == b"hdrcharset" and value != b"BINARY\n"):
            raise _damaged(f"an extended header says {key[:_SHOWN]!r}")
        if key in {b"path", b"linkpath", b"size"}:
            found[key.decode()] = value[:-1]
        body = body[end:]
    return found


def _member(header: bytes, extra: dict[str, bytes], body: int, size: int) -> Member:
    kind = _KINDS.get(header[156:157])
    if kind is None:
        raise _damaged(f"an entry has the type {header[156:157]!r}")
    if kind != "file" and size:
        raise _damaged(f"a {kind} holds {size} bytes")
    return Member(
        name=_name(header, extra),
        kind=kind,
        executable=bool(_number(header[100:108]) & 0o100),
        target=extra.get("linkpath", header[157:257].partition(b"\0")[0]),
        offset=body,
        size=size,
    )


def _name(header: bytes, extra: dict[str, bytes]) -> bytes:
    if "path" in extra:
        return extra["path"]
    name, prefix = header[:100].partition(b"\0")[0], header[345:500].partition(b"\0")[0]
    posix = header[257:265] == b"ustar\x0000"  # GNU keeps times where POSIX has the prefix
    return prefix + b"/" + name if posix and prefix else name
