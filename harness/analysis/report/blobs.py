"""Long texts inside the page: cut to a stated size, deflated, base64, equal ones kept once."""

import base64
import json
import zlib

Clip = str | tuple[str, int, str]
"""A whole text, or (its start, how many characters are left out, its end)."""

PATCH_CHARACTERS = 200_000
"""Most of a patch that the page holds; cut at a line."""
PART_CHARACTERS = 12_000
"""Most of one message or one tool's result: three quarters from its start, the rest its end."""
TALK_CHARACTERS = 200_000
"""Most of a conversation: its first and its last turns, half of this each."""


class Blobs:
    """Packed JSON documents; equal documents share one number."""

    def __init__(self) -> None:
        self.packed: list[str] = []
        self._known: dict[str, int] = {}

    def add(self, document: object) -> int:
        """The number of the document among `packed`."""
        text = json.dumps(document, separators=(",", ":"))
        packed = base64.b64encode(zlib.compress(text.encode(), 9)).decode()
        number = self._known.setdefault(packed, len(self.packed))
        if number == len(self.packed):
            self.packed.append(packed)
        return number


def clip(text: str, limit: int = PART_CHARACTERS) -> Clip:
    """The text where it fits, else its start and its end around a count."""
    if len(text) <= limit:
        return text
    head = limit * 3 // 4
    tail = limit - head
    return text[:head], len(text) - limit, text[-tail:]


def size(text: Clip) -> int:
    """How many characters of it the page holds."""
    return len(text) if isinstance(text, str) else len(text[0]) + len(text[2])


def inline_json(value: object) -> str:
    """JSON that may stand inside a script element: ASCII, and nothing that HTML could read."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
