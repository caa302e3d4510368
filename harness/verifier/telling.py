"""How two answers differ, in one line."""

import json

from .sequences import Recorded

SHOWN = 1500
"""characters of a request or an answer"""


def shown(answer: Recorded) -> dict[str, object]:
    """An answer as evidence holds it, its body cut."""
    return {"status": answer[0], "content_type": answer[1], "body": answer[2][:SHOWN]}


def what(old: Recorded, new: Recorded, who: str = "the base") -> str:
    """The first thing in which `new` differs from what `who` answered."""
    if old[0] != new[0]:
        told = f" ({new[2][:200]})" if new[0] == 0 else ""
        return f"status {new[0]}{told} where {who} answers {old[0]}"
    if old[1] != new[1]:
        return f"content type {new[1]!r} where {who} answers {old[1]!r}"
    try:
        return _where(json.loads(old[2]), json.loads(new[2]), "body", who)
    except (ValueError, RecursionError):
        return "the body differs"


def _where(old: object, new: object, path: str, who: str) -> str:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            if key not in new:
                return f"{path}.{key} is gone"
            if key not in old:
                return f"{path}.{key} is new"
            if json.dumps(old[key]) != json.dumps(new[key]):
                return _where(old[key], new[key], f"{path}.{key}", who)
    if isinstance(old, list) and isinstance(new, list):
        if len(old) != len(new):
            return f"{path} has {len(new)} elements where {who} has {len(old)}"
        for index, (a, b) in enumerate(zip(old, new, strict=True)):
            if json.dumps(a) != json.dumps(b):
                return _where(a, b, f"{path}.{index}", who)
    return f"{path} is {json.dumps(new)[:100]} where {who} has {json.dumps(old)[:100]}"
