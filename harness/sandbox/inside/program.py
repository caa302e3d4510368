"""Starting one program of an app in a process of its own, forked from the warm supervisor."""

import logging
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NoReturn

from .processes import PR_SET_PDEATHSIG, set_process_flag

KEEP_SECONDS = 3600
"""How long an idle connection stays open: on a busy machine a client that waited longer than
uvicorn's own five seconds asked into a connection that was just being closed."""


def become_program(
    module: str, listening: socket.socket, log: int, enter: Callable[[], Mapping[str, str]]
) -> NoReturn:
    """In a fork of the supervisor: forget it, import the app's code, serve.

    `enter` goes where the program runs, becomes who runs it, and gives its environment.
    """
    code = 1
    try:
        os.setsid()
        _reset_signals()
        _write_to(log)
        env = enter()
        set_process_flag(PR_SET_PDEATHSIG, signal.SIGKILL)  # not to outlive the supervisor
        _keep_only(listening.fileno())
        os.environ.clear()
        os.environ.update(env)
        for name in [name for name in sys.modules if name.partition(".")[0] == "inside"]:
            del sys.modules[name]
        sys.dont_write_bytecode = True
        code = _serve(module, listening)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 - the app's own code may raise anything; it is in the log
        traceback.print_exc()
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def warm_up() -> None:
    """Import once what every program needs."""
    import fastapi  # noqa: PLC0415
    import fastapi.middleware  # noqa: PLC0415
    import fastapi.responses  # noqa: F401, PLC0415
    import httpx  # noqa: F401, PLC0415
    import pydantic  # noqa: F401, PLC0415
    import urllib3  # noqa: F401, PLC0415
    import uvicorn.lifespan.on  # noqa: PLC0415
    import uvicorn.loops.auto  # noqa: PLC0415
    import uvicorn.protocols.http.auto  # noqa: F401, PLC0415

    with suppress(ImportError):
        import sqlite3  # noqa: F401, PLC0415


def _serve(module: str, listening: socket.socket) -> int:
    import uvicorn  # noqa: PLC0415

    logging.getLogger().handlers.clear()
    config = uvicorn.Config(
        module,
        access_log=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_SECONDS,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    server.run(sockets=[listening])
    return 0 if server.started else 3


def _reset_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def _write_to(log: int) -> None:
    for fd in (1, 2):
        os.dup2(log, fd)
    sys.stdout = os.fdopen(1, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)


def _keep_only(listening: int) -> None:
    """Close what was the supervisor's; /proc may not be asked which: this user cannot read it."""
    os.closerange(3, listening)
    os.closerange(listening + 1, os.sysconf("SC_OPEN_MAX"))
