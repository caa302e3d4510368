"""Frames: how requests, replies and orders are laid on a stream of bytes.

A frame is 4 bytes header length, 8 bytes payload length (big-endian), the header (a JSON object)
and the payload (bytes).
"""

import json
import struct
from typing import Any

Header = dict[str, Any]
Framed = tuple[Header, bytes]

PREFIX = struct.Struct("!IQ")


def frame(header: Header, payload: bytes = b"") -> bytes:
    """One frame as bytes."""
    text = json.dumps(header).encode()
    return PREFIX.pack(len(text), len(payload)) + text + payload


def split_frame(buffer: bytearray) -> Framed | None:
    """Take the first whole frame off `buffer`, or None while it is incomplete."""
    if len(buffer) < PREFIX.size:
        return None
    header_size, payload_size = PREFIX.unpack_from(buffer)
    body = PREFIX.size + header_size
    if len(buffer) < body + payload_size:
        return None
    header = json.loads(buffer[PREFIX.size : body])
    payload = bytes(memoryview(buffer)[body : body + payload_size])
    del buffer[: body + payload_size]
    return header, payload
