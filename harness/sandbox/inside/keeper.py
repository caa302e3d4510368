"""The supervisor of an app that its reader sees in part: root, and trusts no request.

It holds the compiled code of what is kept (see `kept`) and serves the same socket words as
`supervisor`. Of a request it believes names and numbers, after checking them; paths and variables
reach only processes that have given up being root:

    a program that needs kept code      runs as the keeper; nothing of the workspace is imported,
    alone                               whatever lies there
    any other program                   runs as the agent, with the kept code that the files of
                                        the workspace need; a file of the workspace goes before it

Logs, and the data of the keeper's programs, lie below /run/app, which is root's.
"""

import os
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from .appfile import MODULE, NAME, Program, Wrong
from .kept import KeptBesideFiles, KeptModules, Store, is_replaced, read_store
from .lines import Message
from .processes import PR_SET_DUMPABLE, User, become, set_process_flag
from .supervisor import Start, serve_warm

PLACE = Path("/run/app")
KEEPER: User = (1001, 1001)
MOST_PROGRAMS = 1_000
SETS = {"main": "", "test": "test/"}
_KEEPERS_DATA = PLACE / "data"
_AGENTS_DATA = "/tmp/app"  # noqa: S108 - the agent's own, and touched as the agent


class KeptHouse:
    """Every program runs as the agent or as the keeper; nothing runs as root."""

    def __init__(self, agent: User, store: Store) -> None:
        self._agent, self._store = agent, store

    def read(self, request: Message) -> Start:
        name, workspace, env = request["set"], request["workspace"], request["env"]
        if name not in SETS:
            raise Wrong(f"set: {name!r} is not known")
        if not isinstance(workspace, str) or not workspace.startswith("/"):
            raise Wrong("workspace: is no absolute path")
        if not isinstance(env, dict) or not all(isinstance(text, str) for text in env.values()):
            raise Wrong("env: is no table of texts")
        return Start(
            set=name,
            workspace=workspace,
            programs=_programs(request["programs"]),
            env=env,
            data="",
            logs=f"{PLACE}/{SETS[name]}logs",
            fresh=request["fresh"] is True,
            tied=request["tied"] is True,
        )

    def clear(self, start: Start) -> None:
        """Logs alone: each program clears its own data, as who it is."""
        shutil.rmtree(start.logs, ignore_errors=True)

    def enter(self, start: Start, program: Program) -> dict[str, str]:
        module = program.module.partition(":")[0]
        store = self._store
        is_mixed = module not in store.pieces or module in store.mixed
        if not is_mixed and not self._is_replaced(module, start.workspace):
            return self._enter_as_keeper(start, program, module)
        own = store.needs.get(module, []) if is_mixed else []
        taken = store.take({*store.reached, *own})
        self._become(self._agent)
        data = f"{_AGENTS_DATA}/{SETS[start.set]}data/{program.name}"
        _move_in(data, start)
        sys.path[0] = start.workspace
        sys.meta_path.insert(0, KeptBesideFiles(taken, start.workspace))
        return start.env | {"APP_DATA": data}

    def _enter_as_keeper(self, start: Start, program: Program, module: str) -> dict[str, str]:
        taken = self._store.take(self._store.needs[module])
        self._become(KEEPER)
        data = f"{_KEEPERS_DATA}/{start.set}/{program.name}"
        _move_in(data, start)
        del sys.path[0]  # the folder of the supervisor's own code
        sys.meta_path.insert(0, KeptModules(taken, start.workspace))
        modes = {key: text for key, text in start.env.items() if key in {"APP_CLOCK", "APP_IDS"}}
        usual = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
        return usual | modes | {"HOME": data, "TMPDIR": data, "APP_DATA": data}

    def _become(self, user: User) -> None:
        """Give up root, and what only root may have; nobody else of that user may look in."""
        os.close(self._store.fd)
        become(user)
        set_process_flag(PR_SET_DUMPABLE, 0)  # some systems leave it 1 where the user changes

    def _is_replaced(self, module: str, workspace: str) -> bool:
        """Whether the agent, with its own eyes, has a file of its own for a module."""
        os.seteuid(self._agent[0])
        try:
            return is_replaced(module, workspace)
        finally:
            os.seteuid(0)


def _programs(asked: object) -> tuple[Program, ...]:
    if not isinstance(asked, list) or not 1 <= len(asked) <= MOST_PROGRAMS:
        raise Wrong(f"programs: 1 to {MOST_PROGRAMS} are needed")
    programs = tuple(map(_program, asked))
    if len({program.name for program in programs}) < len(programs):
        raise Wrong("programs: two have one name")
    return programs


def _program(asked: object) -> Program:
    if not isinstance(asked, list) or len(asked) != len(Program._fields):
        raise Wrong("programs: each is a name, a module and a port")
    name, module, port = asked
    if not isinstance(name, str) or not NAME.fullmatch(name) or len(name) > 64:
        raise Wrong("programs: a name is not known as one")
    if not isinstance(module, str) or not MODULE.fullmatch(module) or len(module) > 500:
        raise Wrong(f"program {name}: module: is not of the form package.module:attribute")
    if type(port) is not int or not (port == 0 or 1024 <= port <= 65535):
        raise Wrong(f"program {name}: port: is not a port from 1024 to 65535")
    return Program(name, module, port)


def _move_in(data: str, start: Start) -> None:
    """As who the program is: its folder of data, and the workspace as where it runs."""
    if start.fresh:
        shutil.rmtree(data, ignore_errors=True)
    Path(data).mkdir(parents=True, exist_ok=True)
    os.chdir(start.workspace)


@contextmanager
def _as_group(group: int) -> Iterator[None]:
    os.setegid(group)
    try:
        yield
    finally:
        os.setegid(0)


def _make_place() -> socket.socket:
    """Folders, and the socket to which everybody may connect."""
    os.umask(0o022)
    PLACE.mkdir()
    with _as_group(KEEPER[1]):  # root here may give nothing away, but it may make things as a group
        _KEEPERS_DATA.mkdir()
    _KEEPERS_DATA.chmod(0o770)
    listening = socket.socket(socket.AF_UNIX)
    path = PLACE / "supervisor.sock"
    listening.bind(str(path))
    path.chmod(0o666)
    listening.listen(64)
    return listening


def main() -> NoReturn:
    """`keeper UID:GID WORKSPACE`, the kept files on standard input; says how it went in one line.

    The line is empty when programs can be started.
    """
    sys.dont_write_bytecode = True
    agent, workspace = sys.argv[1:]
    uid, gid = agent.split(":")
    os.chdir("/")
    try:
        store = read_store(os.dup(0), workspace)
        listening = _make_place()
    except (Wrong, OSError) as error:
        os.write(1, str(error).encode())
        os._exit(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    errors = os.open(PLACE / "supervisor.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for target, fd in enumerate((nothing, nothing, errors)):
        os.dup2(fd, target)
    with suppress(OSError):
        os.close(nothing)
    serve_warm(listening, KeptHouse((int(uid), int(gid)), store))
