"""Reading `app.toml`: which programs an app has."""

import re
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

PUBLIC_PORT = 8000
NAME = re.compile(r"[a-z][a-z0-9_-]*")
MODULE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


class Wrong(Exception):
    """Something is wrong that the user can mend; the message is one line."""


class Program(NamedTuple):
    """One program of an app."""

    name: str
    module: str
    port: int


class App(NamedTuple):
    """What `app.toml` says; `folder` is where it lies."""

    folder: str
    entry: str
    programs: tuple[Program, ...]


def find_app(start: Path, workspace: Path) -> App:
    """The app of the nearest folder above `start` that has an app.toml, else of `workspace`."""
    folders = [start, *start.parents, workspace]
    folder = next((f for f in folders if (f / "app.toml").is_file()), None)
    if folder is None:
        raise Wrong(f"no app.toml in {start}, above it, or in {workspace}")
    return read_app(folder)


def read_app(folder: Path) -> App:
    """The app in `folder`. Raises Wrong naming the field."""
    try:
        content = tomllib.loads((folder / "app.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Wrong(f"app.toml: {error}") from error
    _only(content, {"app", "programs"}, "")
    app, tables = content.get("app"), content.get("programs")
    if not isinstance(app, dict) or not isinstance(tables, dict) or not tables:
        raise Wrong("app.toml: needs [app] and at least one [programs.<name>]")
    _only(app, {"entry"}, "app.")
    programs = tuple(_program(name, table) for name, table in tables.items())
    _check_ports(programs)
    entry = next((p for p in programs if p.name == app.get("entry")), None)
    if entry is None:
        raise Wrong(f"app.toml: app.entry: {app.get('entry')!r} is not one of {list(tables)}")
    if entry.port != PUBLIC_PORT:
        raise Wrong(f"app.toml: programs.{entry.name}.port: the entry's is {PUBLIC_PORT}")
    return App(str(folder), entry.name, programs)


def _program(name: str, table: object) -> Program:
    where = f"app.toml: programs.{name}"
    if not NAME.fullmatch(name) or not isinstance(table, dict):
        raise Wrong(f"{where}: is no program (a table; lower-case letters, digits, - and _)")
    _only(table, {"module", "port"}, f"programs.{name}.")
    module, port = table.get("module"), table.get("port")
    if not isinstance(module, str) or not MODULE.fullmatch(module):
        raise Wrong(f"{where}.module: {module!r} is not of the form package.module:attribute")
    if not isinstance(port, int) or not 1024 <= port <= 65535:
        raise Wrong(f"{where}.port: {port!r} is not a port from 1024 to 65535")
    return Program(name, module, port)


def _check_ports(programs: tuple[Program, ...]) -> None:
    seen: dict[int, str] = {}
    for program in programs:
        if program.port in seen:
            other = seen[program.port]
            raise Wrong(f"app.toml: programs.{program.name}.port: {other} has {program.port} too")
        seen[program.port] = program.name


def _only(table: dict[str, Any], known: set[str], where: str) -> None:
    for key in table:
        if key not in known:
            raise Wrong(f"app.toml: {where}{key}: is not known (known: {', '.join(sorted(known))})")
