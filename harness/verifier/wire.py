"""A small HTTP/1.1 client for thousands of calls to code that may be hostile.

One kept-alive connection, no redirects, no cookies, no compression; size and time of every answer
are bounded. httpx costs about ten times as much CPU time a call.
"""

import re
import select
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

_LARGEST_HEAD = 65536
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,12})[ \t]*\r\n", re.IGNORECASE)
_TYPE = re.compile(rb"\r\ncontent-type:[ \t]*([^\r\n;]*)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r\n]*chunked", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection:[ \t]*close", re.IGNORECASE)
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})(?: |\r)")


class NoAnswer(Exception):
    """The app gave no usable answer; the message is one line."""


@dataclass(frozen=True)
class Answer:
    """What came back; `content_type` without parameters."""

    status: int
    content_type: str
    body: bytes


class Wire:
    """A connection to one program on loopback, made again when the program has closed it."""

    def __init__(self, url: str, *, seconds: float, limit: int) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._host = f"{self._address[0]}:{self._address[1]}"
        self._seconds = seconds
        self._limit = limit
        self._socket: socket.socket | None = None
        self._rest = b""

    def call(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        """Send one request. Raises NoAnswer."""
        deadline = time.monotonic() + self._seconds
        try:
            connection = self._open()
            connection.settimeout(self._seconds)
            connection.sendall(self._request(method, target, headers, body))
            return self._answer(connection, method, deadline)
        except TimeoutError:
            self.close()
            raise NoAnswer(f"no answer within {self._seconds:g} s") from None
        except OSError as error:
            self.close()
            raise NoAnswer(f"no answer: {error.strerror or error}") from None
        except NoAnswer:
            self.close()
            raise

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._rest = b""

    def _open(self) -> socket.socket:
        if self._socket is not None and (self._rest or select.select([self._socket], [], [], 0)[0]):
            self.close()  # the program hung up, or said more than it should
        if self._socket is None:
            self._socket = socket.create_connection(self._address, timeout=self._seconds)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._socket

    def _request(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> bytes:
        lines = [f"{method} {target} HTTP/1.1", f"host: {self._host}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body or method in ("POST", "PUT", "PATCH"):
            lines.append(f"content-length: {len(body)}")
        head = "\r\n".join(lines) + "\r\n\r\n"
        return head.encode("latin-1", "replace") + body

    def _answer(self, connection: socket.socket, method: str, deadline: float) -> Answer:
        head, rest = self._head(connection, deadline)
        status = _STATUS.match(head)
        if not status:
            raise NoAnswer("the answer is not HTTP")
        code = int(status[1])
        kind = _TYPE.search(head)
        closes = bool(_CLOSE.search(head))
        if method == "HEAD" or code in (204, 304):
            body, self._rest = b"", rest
        elif _CHUNKED.search(head):
            body = self._chunks(connection, rest, deadline)
        elif length := _LENGTH.search(head):
            body = self._exactly(connection, rest, int(length[1]), deadline)
        else:
            body, closes = self._until_closed(connection, rest, deadline), True
        if closes:
            self.close()
        return Answer(code, kind[1].decode("latin-1").strip().lower() if kind else "", body)

    def _head(self, connection: socket.socket, deadline: float) -> tuple[bytes, bytes]:
        data = _receive(connection, deadline)
        while (end := data.find(b"\r\n\r\n")) < 0:
            if len(data) > _LARGEST_HEAD:
                raise NoAnswer("the head of the answer is too large")
            data += self._more(connection, deadline)
        return data[: end + 2], data[end + 4 :]

    def _exactly(
        self, connection: socket.socket, data: bytes, length: int, deadline: float
    ) -> bytes:
        self._bound(length)
        if len(data) < length:
            parts, size = [data], len(data)
            while size < length:
                parts.append(self._more(connection, deadline))
                size += len(parts[-1])
            data = b"".join(parts)
        self._rest = data[length:]
        return data[:length]

    def _chunks(self, connection: socket.socket, data: bytes, deadline: float) -> bytes:
        body = bytearray()
        while True:
            while (end := data.find(b"\r\n")) < 0:
                self._bound(len(data))
                data += self._more(connection, deadline)
            size = _chunk_size(data[:end])
            self._bound(len(body) + size)
            data = data[end + 2 :]
            while len(data) < size + 2:
                data += self._more(connection, deadline)
            body += data[:size]
            data = data[size + 2 :]
            if size == 0:
                self._rest = data
                return bytes(body)

    def _until_closed(self, connection: socket.socket, data: bytes, deadline: float) -> bytes:
        parts, size = [data], len(data)
        while chunk := _receive(connection, deadline):
            parts.append(chunk)
            size += len(chunk)
            self._bound(size)
        return b"".join(parts)

    def _more(self, connection: socket.socket, deadline: float) -> bytes:
        if not (chunk := _receive(connection, deadline)):
            raise NoAnswer("the app closed the connection in the middle of its answer")
        return chunk

    def _bound(self, size: int) -> None:
        if size > self._limit:
            raise NoAnswer(f"the answer is larger than {self._limit} bytes")


def _receive(connection: socket.socket, deadline: float) -> bytes:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    connection.settimeout(left)
    return connection.recv(65536)


def _chunk_size(line: bytes) -> int:
    digits = line.split(b";")[0].strip()
    if not re.fullmatch(rb"[0-9a-fA-F]{1,8}", digits):
        raise NoAnswer("the answer is not HTTP")
    return int(digits, 16)
