"""The command `app`: one way to work on any app, however many programs it has.

app up [--fresh] [--wait SECONDS]   (re)start every program; --fresh: with empty data
app down                            stop every program
app status                          which programs run; exit code 1 if one does not
app logs [--lines N] [--program P] [--test]
app test [pytest arguments]         run tests/ against a fresh start of its own, and hold the app to
                                    the borders of its .importlinter, if it has one
"""

import argparse
import fcntl
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from .appfile import App, Wrong, find_app
from .health import Answer, Connection, said_end, wait_until_healthy
from .logs import last_lines

PATIENCE = 30.0
TAIL = 30


def main() -> None:
    """Run one subcommand; exit code 2 and one line when the input is wrong."""
    sys.dont_write_bytecode = True
    argv = sys.argv[1:]
    try:
        if argv[:1] == ["test"]:  # everything after it is pytest's
            sys.exit(_test(argv[1:]))
        options = _parser().parse_args(argv)
        sys.exit(_COMMANDS[options.command](options))
    except Wrong as wrong:
        print(f"app: {wrong}", file=sys.stderr)
        sys.exit(2)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="app", description="Work on the app in this folder.")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="(re)start every program with the current code")
    up.add_argument("--fresh", action="store_true", help="start with empty data")
    up.add_argument("--wait", type=float, default=PATIENCE, metavar="SECONDS")
    commands.add_parser("down", help="stop every program")
    commands.add_parser("status", help="show which programs run")
    logs = commands.add_parser("logs", help="show the last lines of the programs' logs")
    logs.add_argument("--lines", type=int, default=100, metavar="N")
    logs.add_argument("--program", metavar="P")
    logs.add_argument("--test", action="store_true", help="of the last `app test`")
    commands.add_parser("test", help="run the tests (pytest arguments may follow)")
    return parser


def _up(options: argparse.Namespace) -> int:
    app = _find()
    with _connect() as supervisor:
        answers = _start(supervisor, app, fresh=options.fresh, wait=options.wait)
        if answers is None:
            supervisor.ask({"do": "stop", "set": "main", "gently": False})
            return 1
    width = max(len(answer.name) for answer in answers)
    for answer in answers:
        print(f"{answer.name:<{width}}  {answer.url}  up")
    return 0


def _down(_options: argparse.Namespace) -> int:
    supervisor = _connect_to_running()
    stopped = 0
    if supervisor:
        with supervisor:
            stopped = supervisor.ask({"do": "stop", "set": "main", "gently": True})["stopped"]
    print(f"stopped {stopped} programs")
    return 0


def _status(_options: argparse.Namespace) -> int:
    app = _find()
    supervisor = _connect_to_running()
    known = {}
    if supervisor:
        with supervisor:
            found = supervisor.ask({"do": "status", "set": "main"})["programs"]
            known = {name: (port, code) for name, port, code in found}
    running = 0
    for program in app.programs:
        port, code = known.get(program.name, (program.port + _offset(), "not started"))
        running += code is None
        state = (
            "up" if code is None else f"down ({code if isinstance(code, str) else said_end(code)})"
        )
        print(f"{program.name}  http://127.0.0.1:{port}  {state}")
    return 0 if running == len(app.programs) else 1


def _logs(options: argparse.Namespace) -> int:
    app = _find()
    names = [program.name for program in app.programs]
    if options.program not in (None, *names):
        raise Wrong(f"--program {options.program}: is not one of {', '.join(names)}")
    folder = _place() / ("test/logs" if options.test else "logs")
    for line in last_lines(folder, max(0, options.lines), options.program):
        print(line)
    return 0


def _test(arguments: list[str]) -> int:
    app = _find()
    if not (Path(app.folder) / "tests").is_dir():
        raise Wrong(f"no tests/ in {app.folder}")
    with _connect() as supervisor, _turn("test"):  # a second start would end the first one's
        answers = _start(supervisor, app, fresh=True, wait=PATIENCE, test=True)
        if answers is None:
            return 1
        url = next(answer.url for answer in answers if answer.name == app.entry)
        code = _pytest(app, arguments, url)
        supervisor.ask({"do": "stop", "set": "test", "gently": False})
        return code or _borders(app)


def _pytest(app: App, arguments: list[str], url: str) -> int:
    """In a child: the test's programs end with this process's connection, however it ends."""
    named = any((Path(app.folder) / word.partition("::")[0]).exists() for word in arguments)
    argv = [sys.executable, "-B", "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    argv += [] if named else ["tests"]
    sys.stdout.flush()
    env = os.environ | {"APP_URL": url}
    pid = os.fork()
    if pid == 0:
        os.chdir(app.folder)
        os.execve(argv[0], argv, env)  # noqa: S606 - on purpose
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return code if code >= 0 else 128 - code


def _borders(app: App) -> int:
    """Whether each import is allowed, where the app says so; not in scope own, which hides some."""
    if not (Path(app.folder) / ".importlinter").is_file() or _place() != _state():
        return 0
    program = str(Path(sys.executable).with_name("lint-imports"))
    argv = [program, "--no-cache", "--no-logo", ".importlinter"]
    done = subprocess.run(argv, cwd=app.folder, capture_output=True, text=True, check=False)
    for line in done.stdout.strip().splitlines():
        if not line.endswith(" KEPT"):  # a large app has hundreds of these
            print(line)
    print(done.stderr, end="", file=sys.stderr)
    return done.returncode


def _start(
    supervisor: Connection, app: App, *, fresh: bool, wait: float, test: bool = False
) -> list[Answer] | None:
    """Start the programs; None, with the failing one's log on stderr, if one does not come up."""
    state = _place() / "test" if test else _place()
    modes = {"APP_CLOCK": "request", "APP_IDS": "sequential"} if test else {}
    offset = _offset()
    name = "test" if test else "main"
    started = supervisor.ask(
        {
            "do": "start",
            "set": name,
            "workspace": app.folder,
            "programs": [(p.name, p.module, 0 if test else p.port + offset) for p in app.programs],
            "env": {"APP_CLOCK": "system", "APP_IDS": "random"} | dict(os.environ) | modes,
            "data": str(state / "data"),
            "logs": str(state / "logs"),
            "fresh": fresh,
            "tied": test,
        }
    )["programs"]
    answers = [Answer(program, port) for program, port in started]
    failed = wait_until_healthy(answers, wait, lambda: supervisor.ended(name))
    if failed is None:
        return answers
    print(f"app: program {failed.name} {failed.why}; the end of its log:", file=sys.stderr)
    for line in last_lines(state / "logs", TAIL, failed.name):
        print(line, file=sys.stderr)
    return None


def _find() -> App:
    return find_app(Path.cwd(), Path(os.environ.get("APP_ROOT", "") + "/work"))


def _offset() -> int:
    given = os.environ.get("APP_PORT_OFFSET", "0")
    if not given.isdigit():
        raise Wrong(f"APP_PORT_OFFSET={given}: is not a number")
    return int(given)


def _state() -> Path:
    return Path(os.environ.get("APP_ROOT", "") + "/tmp/app")  # noqa: S108 - the sandbox's own


def _place() -> Path:
    """Where the supervisor's socket and the logs are: root's folder if it has the supervisor."""
    kept = Path(os.environ.get("APP_ROOT", "") + "/run/app")
    return kept if kept.is_dir() else _state()


def _connect_to_running() -> Connection | None:
    connected = socket.socket(socket.AF_UNIX)
    try:
        connected.connect(str(_place() / "supervisor.sock"))
    except OSError:
        connected.close()
        return None
    return Connection(connected)


@contextmanager
def _turn(name: str) -> Iterator[IO[str]]:
    """Wait until no other command has this turn; it ends with the process, however that ends."""
    state = _state()
    state.mkdir(parents=True, exist_ok=True)
    with (state / f"{name}.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield turn


def _connect() -> Connection:
    """To the running supervisor, or to a new one: its socket takes requests while it warms up."""
    state = _state()
    if _place() != state:
        running = _connect_to_running()
        if running is None:
            raise Wrong("the supervisor is gone")
        return running
    with _turn("start") as turn:
        running = _connect_to_running()
        if running:
            return running
        path = state / "supervisor.sock"
        path.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(path))
        listening.listen(64)
        pid = os.fork()
        if pid == 0:
            turn.close()  # else the daemon would hold the lock
            from .supervisor import run_supervisor  # noqa: PLC0415 - only the daemon needs it

            run_supervisor(listening, state / "supervisor.log")
        os.waitpid(pid, 0)
        listening.close()
        connected = _connect_to_running()
    if connected is None:
        raise Wrong(f"the supervisor does not start, see {state}/supervisor.log")
    return connected


_COMMANDS = {"up": _up, "down": _down, "status": _status, "logs": _logs}
