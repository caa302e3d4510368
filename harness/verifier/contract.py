"""Phase `contract`: the interfaces that the app's programs declare, before and after.

A program may recite a document that it does not keep. So every path of the base that a document
still names is asked for by TRACE, which no handler serves: a path that is there refuses the method,
one that is not there is not found. What a path answers to its own methods is for the suites and
the sequences, as far as they come there.
"""

import json
import re
import time
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .alternatives import as_dict, as_list
from .job import Job, NoVerdict, Settings
from .limited import limited
from .openapi import breaking_changes, operations
from .wire import NoAnswer, Wire

_LARGEST_DOCUMENTS = 16_000_000
"""Bytes of all of them together: a few bytes of JSON may take many times as much once read."""
_MOST_PROGRAMS = 1_000
_MOST_BREAKS = 200
_UNANSWERED = "x-unanswered"
"""Under which a recorded document keeps the paths that the base itself does not answer."""


@dataclass(frozen=True)
class _Fetched:
    """What a program said; `why` where it gave no document."""

    document: object | None
    why: str | None
    unanswered: tuple[str, ...] = ()
    """paths that were asked for and are not there"""
    size: int = 0
    """bytes of the document"""


def contract(job: Job) -> dict[str, object]:
    """Compare with the documents of the base, or record where none are given.

    Recording demands a document of the base from at least one program.
    """
    fetched = _fetch_all(job)
    before = job.settings.documents
    if before is None:
        return {"mode": "record", **_record(fetched)}
    compared = sum(operations(document) for document in before.values())
    if not compared:
        raise NoVerdict("the documents of the base describe no operation")
    return {
        "mode": "compare",
        "programs": sorted(before),
        "operations": compared,
        "breaks": _compare(before, fetched, job.settings),
        "documents": None,
    }


def programs(app_toml: bytes) -> dict[str, int]:
    """Programs and ports as app.toml declares them. Raises ValueError with one line."""
    try:
        declared = tomllib.loads(app_toml.decode("utf-8")).get("programs", {})
        ports = {str(name): program["port"] for name, program in declared.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"app.toml: {type(error).__name__}: {error}") from None
    if len(ports) > _MOST_PROGRAMS:
        raise ValueError(f"app.toml: more than {_MOST_PROGRAMS} programs")
    for name, port in ports.items():
        if type(port) is not int or not 0 < port < 65536:
            raise ValueError(f"app.toml: programs.{name}.port is {port!r:.40}")
    return ports


def _fetch_all(job: Job) -> dict[str, _Fetched]:
    try:
        ports = programs(job.files("tree").get("app.toml", b""))
    except ValueError as error:
        return {name: _Fetched(None, str(error)) for name in job.settings.documents or ()}
    deadline = time.monotonic() + job.settings.documents_seconds
    # What a program that the base has not says of itself is compared with nothing.
    wanted = ports if job.settings.documents is None else job.settings.documents
    fetched: dict[str, _Fetched] = {}
    left = _LARGEST_DOCUMENTS
    for name in ports:
        if name in wanted:
            fetched[name] = _fetch(name, ports[name], job.settings, deadline, left)
            left -= fetched[name].size
    return fetched


def _fetch(name: str, port: int, settings: Settings, deadline: float, limit: int) -> _Fetched:
    seconds = min(settings.document_seconds, deadline - time.monotonic())
    if seconds <= 0:
        return _Fetched(None, "was not asked: the others took all the time there is")
    url = f"http://127.0.0.1:{port + settings.port_offset}"
    wire = Wire(url, seconds=seconds, limit=limit)
    try:
        answer = wire.call("GET", "/openapi.json", {"accept": "application/json"})
        if answer.status != 200:
            return _Fetched(None, f"answers {answer.status} for /openapi.json")
        document = json.loads(answer.body)
        asked = (settings.documents or {}).get(name, document)
        unanswered = tuple(_unanswered(wire, asked, deadline))
    except NoAnswer as error:
        return _Fetched(None, str(error))
    except (ValueError, RecursionError):
        return _Fetched(None, "gives no JSON for /openapi.json")
    finally:
        wire.close()
    if not isinstance(document, dict):
        return _Fetched(None, "gives no JSON object for /openapi.json")
    return _Fetched(document, None, unanswered, len(answer.body))


def _unanswered(wire: Wire, document: object, deadline: float) -> Iterator[str]:
    """The paths of a document of the base that are not there; the last one may hang."""
    for path in as_dict(as_dict(document).get("paths")):
        if time.monotonic() > deadline:
            return
        try:
            status = wire.call("TRACE", re.sub(r"\{[^}]*\}", "0", path), {}).status
        except NoAnswer:
            yield path
            return
        if status == 404:
            yield path


def _record(fetched: Mapping[str, _Fetched]) -> dict[str, object]:
    for name, found in fetched.items():
        if found.why:
            raise NoVerdict(f"program {name} {found.why}")
    documents = {name: _noted(found) for name, found in fetched.items()}
    described = sum(operations(document) for document in documents.values())
    if not described:
        raise NoVerdict("no program describes an operation")
    return {
        "programs": sorted(documents),
        "operations": described,
        "breaks": [],
        "documents": documents,
    }


def _noted(found: _Fetched) -> object:
    silent = {_UNANSWERED: list(found.unanswered)} if found.unanswered else {}
    return {**as_dict(found.document), **silent}


def _compare(
    before: Mapping[str, object], fetched: Mapping[str, _Fetched], settings: Settings
) -> list[str]:
    def work() -> Iterator[str]:
        for name, document in before.items():
            yield from _program(name, document, fetched.get(name), settings)

    outcome = limited(work, settings.inspect_seconds, settings.inspect_mb)
    breaks = [str(item) for item in outcome.items[:_MOST_BREAKS]]
    if outcome.died:
        breaks.append(f"the documents could not be compared: {outcome.died}")
    return breaks


def _program(name: str, old: object, now: _Fetched | None, settings: Settings) -> Iterator[str]:
    if now is None:
        yield f"{name}: the program is gone"
    elif now.why is not None:
        yield f"{name}: {now.why}"
    else:
        for change in breaking_changes(old, now.document, settings.intended):
            yield f"{name}: {change}"[:400]
        named = as_dict(as_dict(now.document).get("paths"))
        silent = as_list(as_dict(old).get(_UNANSWERED))
        for path in now.unanswered:
            if path in named and path not in silent:
                yield f"{name}: {path}: the document names it and nothing is there"
