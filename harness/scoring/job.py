"""The job that is sent into a verifier sandbox: the verifier's own files and a folder of inputs.

put(write_job(...), FOLDER)      then   run argv(phase, root) with env(root)
"""

import hashlib
import io
import tarfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Literal

import harness.verifier
from harness.errors import PatchRefused
from harness.verifier.job import Settings

Phase = Literal["behaviour", "replay", "restart", "inspect", "contract"]
FOLDER = "/tmp/job"  # noqa: S108  a path in the sandbox, not on this machine
OUTPUT_LIMIT = 32_000_000
"""What the output limit of the command must be at least: a recording is one long line."""


def env(root: str) -> dict[str, str]:
    """The environment of every phase in a sandbox with this `root`."""
    return {"PYTHONPATH": f"{root}{FOLDER}/lib", "PYTHONDONTWRITEBYTECODE": "1"}


def argv(phase: Phase, root: str, python: str = "python3") -> tuple[str, ...]:
    """The command of a phase in a sandbox with this `root`.

    `-s -P`: neither the user's packages nor the current folder are on the path (`-I` would drop
    PYTHONPATH too).
    """
    return (python, "-s", "-P", "-m", "verifier", phase, f"{root}{FOLDER}")


def write_job(
    settings: Settings,
    *,
    base: Mapping[str, bytes] | None = None,
    tree: Mapping[str, bytes] | None = None,
    hidden: Mapping[str, bytes] | None = None,
    contract: Mapping[str, bytes] | None = None,
    predicates: bytes | None = None,
    sequences: bytes | None = None,
    expected: str | None = None,
) -> bytes:
    """An uncompressed tar of a job, the same bytes for the same arguments.

    Trees map POSIX paths to contents; `expected` is `answers` of a recording. Leave out what a
    phase does not read. Raises PatchRefused for a path that leaves its folder.
    """
    folders = {"base": base, "tree": tree, "hidden": hidden, "contract": contract}
    entries = {f"lib/verifier/{name}": content for name, content in _verifier().items()}
    entries["job.json"] = settings.to_json().encode()
    for folder, files in folders.items():
        entries |= {f"{folder}/{_inside(path)}": content for path, content in (files or {}).items()}
    singles = {"predicates.py": predicates, "sequences.json": sequences}
    entries |= {name: content for name, content in singles.items() if content is not None}
    if expected is not None:
        entries["expected.json"] = b'{"answers": "' + expected.encode("ascii") + b'"}'
    empty = [folder for folder, files in folders.items() if files is not None and not files]
    return _tar(entries, empty)


@cache
def verifier_digest() -> str:
    """Digest of the verifier's own files: what it records depends on them."""
    total = hashlib.sha256()
    for name, content in _verifier().items():
        total.update(f"{name}\0{len(content)}\0".encode() + content)
    return total.hexdigest()


@cache
def _verifier() -> Mapping[str, bytes]:
    (folder,) = harness.verifier.__path__
    return {path.name: path.read_bytes() for path in sorted(Path(folder).glob("*.py"))}


def _inside(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\0" in path:
        raise PatchRefused(f"a path leaves the tree: {path!r:.120}")
    return path


def _tar(entries: Mapping[str, bytes], empty: list[str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for info, content in _members(entries, empty):
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def _members(
    entries: Mapping[str, bytes], empty: list[str]
) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    for name in empty:
        info = tarfile.TarInfo(name)
        info.type, info.mode = tarfile.DIRTYPE, 0o755
        yield info, b""
    for name, content in sorted(entries.items()):
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(content), 0o644
        yield info, content
