"""Phase `restart`: what the app showed before it was started again on its data, it shows after.

`replay` plays on one start, so state that a program holds in memory answers it as well as stored
state does. At its end it asks once more what some of its sequences asked last, and leaves requests
and answers behind for this phase.
"""

import json
import time
from collections.abc import Iterable, Mapping
from typing import TypedDict

from .job import Job, NoVerdict
from .player import Player
from .sequences import Recorded, Request
from .telling import SHOWN, shown, what

_FILE = "looked.json"
_SEQUENCES = 50
"""whose last looks are taken, spread evenly: a tenth of what a trial plays"""


class _Look(TypedDict):
    """A GET of a sequence, and what came."""

    sequence: str
    path: str
    headers: Mapping[str, str]
    answer: Recorded


class Looks:
    """Requests that change nothing, by the sequence that made them."""

    def __init__(self, sequences: int) -> None:
        self._every = max(1, sequences // _SEQUENCES)
        self._seen = 0
        self._found: list[tuple[str, Request]] = []

    def add(self, sequence: str, requests: Iterable[Request]) -> None:
        if self._seen % self._every == 0:
            self._found += [(sequence, request) for request in requests]
        self._seen += 1

    def keep(self, job: Job, player: Player) -> int:
        """Ask them all and leave the answers in the job's folder; gives how many there are."""
        rows = [
            _Look(
                sequence=sequence,
                path=request.path,
                headers=request.headers,
                answer=player.ask(request),
            )
            for sequence, request in self._found
        ]
        (job.root / _FILE).write_text(json.dumps(rows), "utf-8")
        return len(rows)


def restart(job: Job) -> dict[str, object]:
    """Ask everything again; stop at the first that is answered differently."""
    rows = _read(job)
    player = Player(job)
    started = time.monotonic()
    difference: dict[str, object] | None = None
    for row in rows:
        request = Request("GET", row["path"], row["headers"], None)
        status, kind, body = row["answer"]  # JSON knows no tuples
        old, new = (status, kind, body), player.ask(request)
        if new != old:
            difference = {
                "sequence": row["sequence"],
                "request": str(request)[:SHOWN],
                "expected": shown(old),
                "got": shown(new),
                "what": what(old, new, "the app before it"),
            }
            break
    player.close()
    return {
        "looks": player.calls,
        "looks_total": len(rows),
        "seconds": round(time.monotonic() - started, 3),
        "difference": difference,
    }


def _read(job: Job) -> list[_Look]:
    try:
        rows: list[_Look] = json.loads(job.text(_FILE))
    except ValueError as error:
        raise NoVerdict(f"{_FILE}: {error}") from None
    if not rows:
        raise NoVerdict(f"{_FILE}: nothing was looked at before")
    return rows
