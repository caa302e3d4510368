"""A whole answer before the deadline: the SDKs' transport bounds each read, not all of them.

And an end to all of it at once, for who is told of each connection. These are event hooks of the
client that both SDKs build on, so that every wire has them. Status and headers of an answer are
still bounded read by read; they come at once or not at all.
"""

import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

Hooks = dict[str, list[Callable[[Any], None]]]
_ENDS = "ends"


def hooks(connected: Callable[[socket.socket], None]) -> Hooks:
    """Hold each request to its read timeout, counted from its start; redirects count with it.

    Each connection is told to `connected` before anything is sent on it.
    """

    def trace(event: str, told: Mapping[str, Any]) -> None:
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            connected(told["return_value"].get_extra_info("socket"))

    def start(request: Any) -> None:
        ends = time.monotonic() + request.extensions["timeout"]["read"]
        request.extensions.setdefault(_ENDS, ends)
        request.extensions["trace"] = trace

    return {"request": [start], "response": [_read]}


def cut_off(connected: socket.socket) -> None:
    """Wake the thread that reads; a connection that was cut is not used again."""
    try:
        socket.socket.shutdown(connected, socket.SHUT_RDWR)  # under TLS, too
    except OSError:  # it is gone already
        return


def _read(response: Any) -> None:
    """Read the body. Raises TimeoutError where it is not whole in time."""
    connected = response.extensions["network_stream"].get_extra_info("socket")
    late = threading.Event()
    left = max(0.0, response.request.extensions[_ENDS] - time.monotonic())
    watchdog = threading.Timer(left, _cut, (connected, late))
    watchdog.start()
    try:
        response.read()
    except Exception:
        if not late.is_set():
            raise
    finally:
        watchdog.cancel()
    if late.is_set():  # a body that ends with its connection looks whole when that is cut
        raise TimeoutError


def _cut(connected: socket.socket, late: threading.Event) -> None:
    late.set()
    cut_off(connected)
