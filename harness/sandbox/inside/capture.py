"""What is kept of a command's output."""

import codecs

CHUNK = 1 << 16


class Capture:
    """What a command printed: the first and the last half of `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self._head_limit = limit // 2
        self._tail_limit = limit - limit // 2
        self._head = bytearray()
        self._tail = bytearray()
        self._total = 0
        self.closed = False

    def feed(self, chunk: bytes) -> None:
        self._total += len(chunk)
        room = self._head_limit - len(self._head)
        self._head += chunk[:room]
        self._tail += chunk[room:] if room > 0 else chunk
        if len(self._tail) > self._tail_limit + CHUNK:  # trim seldom: it moves what stays
            del self._tail[: len(self._tail) - self._tail_limit]

    def text(self) -> str:
        """Valid text; no character is cut in two where bytes were left out."""
        tail = self._tail[max(0, len(self._tail) - self._tail_limit) :]
        if len(self._head) + len(tail) == self._total:
            return (self._head + tail).decode(errors="replace")
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        head = decoder.decode(bytes(self._head))
        none = len(tail) if len(tail) < 4 else 0  # four such bytes are no cut character
        started = next((i for i, byte in enumerate(tail[:4]) if byte & 0xC0 != 0x80), none)
        kept = len(self._head) - len(decoder.getstate()[0]) + len(tail) - started
        left_out = f"\n[... {self._total - kept} bytes left out ...]\n"
        return head + left_out + tail[started:].decode(errors="replace")
