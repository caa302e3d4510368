"""A real HTTP server that plays a script and keeps its own ledger of what it reported."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.wire.moves import Fail, Garbage, HangUp, Move, Say, Stall, Trickle
from tests.wire.render import PATHS, body_of, complaint, error_of, key_of

CLASSES = ("fresh", "read", "write", "output", "reasoning", "long")


@dataclass
class Ledger:
    """What whole answers reported, class by class, and every request that came."""

    told: Counter[str] = field(default_factory=Counter)
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)
    moves: Counter[str] = field(default_factory=Counter)
    inside: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Scripted:
    """Plays `moves` in order of arrival, or asks a function of the request's number and body."""

    def __init__(self, moves: Iterable[Move] | Callable[[int, dict[str, Any]], Move]) -> None:
        self.ledger = Ledger()
        self._moves = moves if callable(moves) else iter(list(moves))
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                server.serve(self)

            def log_message(self, *words: object) -> None: ...

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))
        self._thread.start()

    def base_url(self, wire: str) -> str:
        return self.address if wire == "anthropic" else f"{self.address}/v1"

    def serve(self, request: BaseHTTPRequestHandler) -> None:
        body = json.loads(request.rfile.read(int(request.headers["content-length"])))
        wire = PATHS[request.path]
        headers = {name.lower(): value for name, value in request.headers.items()}
        with self.ledger.lock:
            self.ledger.requests.append(body)
            self.ledger.headers.append(headers)
            self.ledger.arrivals.append(time.monotonic())
            self.ledger.inside += 1
            self.ledger.most_at_once = max(self.ledger.most_at_once, self.ledger.inside)
            number = len(self.ledger.requests)
            move = self._moves(number, body) if callable(self._moves) else next(self._moves)
            self.ledger.moves[type(move).__name__] += 1
        wrong = complaint(wire, headers, body)
        if wrong is not None:
            with self.ledger.lock:
                self.ledger.inside -= 1
            status = 401 if wrong == "401" else 400
            error = {"error": {"type": "bad", "message": f"{wrong} (key: sk-secret-wrong)"}}
            _send(request, status, json.dumps(error).encode())
            return
        self._play(request, wire, move, body, key_of(headers))

    def _play(
        self, request: BaseHTTPRequestHandler, wire: str, move: Move, asked: dict[str, Any],
        key: str,
    ) -> None:  # fmt: skip
        def told(body: dict[str, Any]) -> bytes:
            return json.dumps(body).replace("{key}", key).encode()

        time.sleep(move.after if isinstance(move, Say) else 0)
        with self.ledger.lock:  # before anything is sent: whoever has it all may ask again at once
            self.ledger.inside -= 1
        if isinstance(move, Say):
            _send(request, 200, told(body_of(wire, move, asked)))
            if not move.missing_usage:
                with self.ledger.lock:
                    self.ledger.told.update({n: getattr(move.tokens, n) for n in CLASSES})
        elif isinstance(move, Fail):
            headers = {"retry-after": move.retry_after} if move.retry_after else {}
            _send(request, move.status, told(error_of(wire, move)), headers)
        elif isinstance(move, HangUp):
            _send(request, 200, b'{"id": "half', length=5000)
            request.close_connection = True
        elif isinstance(move, Stall):
            time.sleep(move.seconds)
            request.close_connection = True
        elif isinstance(move, Trickle):
            _trickle(request, move)
        elif isinstance(move, Garbage):
            _send(request, 200, move.body.replace(b"{key}", key.encode()))

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


def _send(
    request: BaseHTTPRequestHandler,
    status: int,
    body: bytes,
    headers: dict[str, str] | None = None,
    length: int | None = None,
) -> None:
    request.send_response(status)
    request.send_header("content-type", "application/json")
    request.send_header("content-length", str(length or len(body)))
    for name, value in (headers or {}).items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(body)


def _trickle(request: BaseHTTPRequestHandler, move: Trickle) -> None:
    request.close_connection = True
    request.send_response(move.status)
    request.send_header("connection", "close")
    if move.says_length:
        request.send_header("content-length", str(move.count))
    request.end_headers()
    with suppress(OSError):  # whoever asked waits no longer
        for _ in range(move.count):
            request.wfile.write(b" ")
            time.sleep(move.every)


@contextmanager
def scripted(moves: Iterable[Move] | Callable[[int, dict[str, Any]], Move]) -> Iterator[Scripted]:
    server = Scripted(moves)
    try:
        yield server
    finally:
        server.close()
