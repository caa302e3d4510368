"""git, hardened: no configuration, hook, filter, driver or attribute but the ones below."""

import errno
import hashlib
import os
import subprocess
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from git import Git

from harness.errors import BadInput, DiskFull, SandboxError
from harness.patch.tree import Entry, parents

CONFIG = """\
[core]
	repositoryformatversion = 0
	bare = true
	hooksPath = /dev/null
	attributesFile = /dev/null
	excludesFile = /dev/null
	fsmonitor = false
	protectHFS = true
	protectNTFS = true
[protocol]
	allow = never
[gc]
	auto = 0
[pack]
	threads = 1
	writeReverseIndex = false
"""

# The file of the highest precedence, so that a .gitattributes in the tree says nothing any more.
ATTRIBUTES = (
    "* !text !crlf !eol !ident !filter !working-tree-encoding !diff !merge !whitespace"
    " !conflict-marker-size !delta !export-ignore !export-subst\n"
)

_ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "XDG_CONFIG_HOME": "/nonexistent",
}

# A small patch can ask for much memory or a large file: bounded to 2 GiB (in KiB) and 1 GiB (in
# blocks of 512 bytes). Where a system cannot bound memory, the bound on files is left.
_BOUNDED = 'ulimit -v 2097152 2>/dev/null; ulimit -f 2097152; exec git "$@"'
GIT_SECONDS = 60


@dataclass(frozen=True)
class Answer:
    """How a git command ended; `problem` is one line, empty when it went well."""

    out: bytes
    problem: str

    def expect(self) -> bytes:
        """The output of a command that an agent's work cannot make fail."""
        if self.problem:
            raise SandboxError(f"git failed on the host: {self.problem}")
        return self.out


@dataclass(frozen=True)
class Scratch:
    """The index and the new objects of one call; the repository itself is only read."""

    repository: Path
    folder: Path
    known: frozenset[str]

    @property
    def index(self) -> Path:
        return self.folder / "index"

    def git(self, *arguments: str, stdin: bytes = b"", seconds: float = GIT_SECONDS) -> Answer:
        """Run git with nothing inherited but PATH. Raises DiskFull, and BadInput without git."""
        environment = _ENVIRONMENT | {
            "PATH": os.environ.get("PATH", os.defpath),
            "GIT_DIR": str(self.repository),
            "GIT_INDEX_FILE": str(self.index),
            "GIT_OBJECT_DIRECTORY": str(self.folder),
        }
        settings = [f"{name}={value}" for name, value in environment.items()]
        # GitPython hands the caller's environment on, hence `env -i`.
        command = ["env", "-i", *settings, "sh", "-c", _BOUNDED, "git", *arguments]
        return _run(command, self.folder, stdin, seconds)

    def store(self, kind: str, content: bytes) -> str:
        """Write an object unless the repository has it, and give its name."""
        name = object_name(kind, content)
        path = self._path(name)
        if name not in self.known and not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(zlib.compress(_header(kind, content) + content, 1))
        return name

    def load(self, name: str, limit: int) -> bytes | None:
        """The content of an object that was written in this call; None if larger than `limit`."""
        reader = zlib.decompressobj()
        stored = reader.decompress(self._path(name).read_bytes(), limit + 64)
        header, _, content = stored.partition(b"\0")
        return content if len(content) == int(header.split()[1]) <= limit else None

    def _path(self, name: str) -> Path:
        return self.folder / name[:2] / name[2:]


@contextmanager
def scratch(repository: Path, known: frozenset[str] = frozenset()) -> Iterator[Scratch]:
    """A place for one call, removed at its end. Raises DiskFull where the host has no room."""
    try:
        with tempfile.TemporaryDirectory(prefix="seambench-patch-") as name:
            folder = Path(name)
            (folder / "info").mkdir()
            (folder / "info" / "alternates").write_text(f"{repository / 'objects'}\n")
            yield Scratch(repository, folder, known)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFull(f"no room for git objects: {error}") from error
        raise


def object_name(kind: str, content: bytes) -> str:
    """The name that git gives an object."""
    return hashlib.sha1(_header(kind, content) + content, usedforsecurity=False).hexdigest()


def _header(kind: str, content: bytes) -> bytes:
    return f"{kind} {len(content)}\0".encode()


def store_tree(into: Scratch, entries: Mapping[str, Entry]) -> str:
    """Write files and folders as objects, no filter applied, and give the root's name."""
    folders: dict[str, list[tuple[bytes, bytes]]] = {"": []}
    for path in entries:
        folders.update((folder, []) for folder in parents(path))
    for path, entry in entries.items():
        _list(folders, path, entry.mode, into.store("blob", entry.content))
    name = ""
    for folder in sorted(folders, key=_depth, reverse=True):
        # git sorts a folder as though its name ended in a slash
        name = into.store("tree", b"".join(row for _, row in sorted(folders[folder])))
        if folder:
            _list(folders, folder, 0o40000, name)
    return name


def _depth(folder: str) -> int:
    return folder.count("/") + 1 if folder else 0


def _list(folders: dict[str, list[tuple[bytes, bytes]]], path: str, mode: int, name: str) -> None:
    folder, _, last = path.rpartition("/")
    key = last.encode() + (b"/" if mode == 0o40000 else b"")
    row = b"%o %s\0%s" % (mode, last.encode(), bytes.fromhex(name))
    folders[folder].append((key, row))


def _run(command: list[str], folder: Path, stdin: bytes, seconds: float) -> Answer:
    # The name must live as long as the process: GitPython ends it when the wrapper goes.
    process = Git(str(folder)).execute(command, as_process=True, istream=subprocess.PIPE)
    try:
        out, err = process.communicate(stdin, timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return Answer(b"", f"git took longer than {seconds} seconds")
    return Answer(out, _problem(process.returncode, err.decode(errors="replace")))


def _problem(code: int, err: str) -> str:
    if code == 0:
        return ""
    if code == 127:  # from the shell
        raise BadInput("git is not installed: patches need the git program")
    if "No space left on device" in err or "Disk quota exceeded" in err:
        raise DiskFull("no room for git objects")
    lines = [line.partition(": ")[2] for line in err.splitlines() if _is_cause(line)]
    return ascii(lines[0])[1:-1] if lines else f"git ended with {code}"


def _is_cause(line: str) -> bool:
    return line.startswith(("error: ", "fatal: "))
