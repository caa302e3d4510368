"""JSON lines from whoever connects: bounded, and never waited for."""

import json
import socket
from typing import Any

Message = dict[str, Any]

LONGEST = 1 << 20
"""Bytes of a request; a whole environment goes into one."""


class Peer:
    """One connection. Whoever breaks the rules is gone."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.socket.setblocking(False)
        self.is_gone = False
        self._buffer = bytearray()

    def requests(self) -> list[Message]:
        """The requests that have arrived whole."""
        try:
            chunk = self.socket.recv(1 << 16)
        except BlockingIOError:
            return []
        except OSError:
            chunk = b""
        self._buffer += chunk
        *lines, rest = self._buffer.split(b"\n")
        self._buffer = bytearray(rest)
        self.is_gone = not chunk or len(rest) > LONGEST
        try:
            found = [json.loads(line) for line in lines]
        except (ValueError, RecursionError):
            found = [None]
        if all(isinstance(each, dict) for each in found):
            return found
        self.is_gone = True
        return []

    def answer(self, message: Message) -> None:
        """Answers are short: where one does not fit, nobody reads them."""
        try:
            self.socket.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            self.is_gone = True

    def close(self) -> None:
        self.socket.close()
