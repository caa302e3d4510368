"""Code that programs need and that nobody may read: compiled, in memory, in no file.

The text of the kept files is compiled in a process of its own, which ends; what stays is a memory
file of code objects, which the supervisor itself never reads. A program takes those that it needs
before anything of the app runs in it, and forgets the rest with the descriptor.
"""

import json
import marshal
import os
import tarfile
from collections.abc import Callable, Iterable, Mapping
from importlib.machinery import ModuleSpec
from io import BytesIO
from typing import Any, NamedTuple, NoReturn

from .appfile import Wrong
from .frames import split_frame


class Piece(NamedTuple):
    """Where a compiled module lies in the memory file."""

    offset: int
    size: int
    is_package: bool


class Store(NamedTuple):
    """The kept modules by name, and which of them a program may have."""

    fd: int
    pieces: dict[str, Piece]
    needs: dict[str, list[str]]
    """kept module -> the kept modules that run with it, itself included"""
    mixed: list[str]
    """the kept modules with which files of the workspace run"""
    reached: list[str]
    """the kept modules that the files of the workspace import, and what runs with those"""

    def take(self, names: Iterable[str]) -> "dict[str, tuple[bytes, bool]]":
        """Compiled modules by name, each with whether it is a package."""
        taken = {}
        for name in names:
            piece = self.pieces[name]
            taken[name] = os.pread(self.fd, piece.size, piece.offset), piece.is_package
        return taken


def read_store(source: int, workspace: str) -> Store:
    """Compile what a frame on the descriptor `source` holds: needs, mixed, reached and a tar.

    All name files. Raises Wrong, without a word of what is in them.
    """
    target = os.memfd_create("kept")
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        _compile_and_exit(source, target, writer, workspace)
    os.close(writer)
    os.close(source)
    with os.fdopen(reader, "rb") as answer:
        said = json.loads(answer.read() or b'{"error": "what is kept cannot be compiled"}')
    os.waitpid(pid, 0)
    if "error" in said:
        raise Wrong(said["error"])
    pieces = {name: Piece(*piece) for name, piece in said["pieces"].items()}
    return Store(target, pieces, said["needs"], said["mixed"], said["reached"])


def _compile_and_exit(source: int, target: int, writer: int, workspace: str) -> NoReturn:
    """The only process that ever holds the text; it runs nothing of it."""
    try:
        with os.fdopen(source, "rb") as file:
            framed = split_frame(bytearray(file.read()))
        answer = {"error": "what is kept is incomplete"}
        if framed:
            answer = _compiled(*framed, target, workspace)
        os.write(writer, json.dumps(answer).encode())
    finally:  # no exception leaves: it could carry text
        os._exit(0)


def _compiled(header: dict[str, Any], tar: bytes, target: int, workspace: str) -> dict[str, Any]:
    pieces: dict[str, Piece] = {}
    end = 0
    with tarfile.open(fileobj=BytesIO(tar)) as archive:
        for entry in archive:
            file = archive.extractfile(entry) if entry.isreg() else None
            if file is None or not entry.name.endswith(".py"):
                continue
            try:
                code = compile(file.read(), f"{workspace}/{entry.name}", "exec", dont_inherit=True)
            except (SyntaxError, ValueError):
                return {"error": f"{entry.name}: is kept and does not compile"}
            blob = marshal.dumps(code)
            os.pwrite(target, blob, end)
            is_package = entry.name.endswith("/__init__.py")
            pieces[module_name(entry.name)] = Piece(end, len(blob), is_package)
            end += len(blob)
    needs = {module_name(path): _names(all_of) for path, all_of in header["needs"].items()}
    named = {key: _names(header[key]) for key in ("mixed", "reached")}
    return {"pieces": pieces, "needs": needs} | named


def module_name(path: str) -> str:
    """The module that a file is."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _names(paths: Iterable[str]) -> list[str]:
    return [module_name(path) for path in paths]


def is_replaced(name: str, workspace: str) -> bool:
    """Whether the workspace has a file of its own for a module; seen as this process's user."""
    place = f"{workspace}/{name.replace('.', '/')}"
    return os.path.isfile(f"{place}.py") or os.path.isfile(f"{place}/__init__.py")


class KeptModules:
    """Finds and runs kept modules, and no others, whatever lies in the folders of packages."""

    _has_folders = False

    def __init__(self, modules: Mapping[str, tuple[bytes, bool]], workspace: str) -> None:
        self._modules, self._workspace = modules, workspace
        parts = [name.split(".") for name in modules]
        self._folders = {".".join(each[:depth]) for each in parts for depth in range(1, len(each))}

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> Any:
        place = f"{self._workspace}/{name.replace('.', '/')}"
        if name in self._modules:
            is_package = self._modules[name][1]
            file = f"{place}/__init__.py" if is_package else f"{place}.py"
            spec = ModuleSpec(name, self, origin=file, is_package=is_package)  # type: ignore[arg-type]
            spec.has_location = True
        elif name in self._folders:  # without an __init__.py
            is_package, spec = True, ModuleSpec(name, None, is_package=True)
        else:
            return None
        if is_package:
            spec.submodule_search_locations = [place] if self._has_folders else []
        return spec

    def create_module(self, _spec: ModuleSpec) -> None:
        """As usual."""

    def exec_module(self, module: Any) -> None:
        run: Callable[[Any, dict[str, Any]], None] = exec
        run(marshal.loads(self._modules[module.__name__][0]), module.__dict__)  # noqa: S302 - ours


class KeptBesideFiles(KeptModules):
    """Kept modules among the files of a workspace, which go before them."""

    _has_folders = True

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> Any:
        if name in self._modules:
            is_theirs = is_replaced(name, self._workspace)
        else:  # a folder of theirs may hold a part of a kept one
            folder = f"{self._workspace}/{name.replace('.', '/')}"
            is_theirs = name in self._folders and os.path.isdir(folder)
        return None if is_theirs else super().find_spec(name)
