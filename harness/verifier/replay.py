"""Phase `replay`: request sequences against the app, compared with recorded answers.

Answers are recorded as they came and made comparable only where they are not equal byte for byte:
ids are counted per sequence and `differs` belongs to a task, so one recording of a base serves
every task over it.
"""

import base64
import hashlib
import json
import time
import zlib
from collections.abc import Mapping, Sequence

from .job import Job, NoVerdict
from .sequences import Recorded, RequestSequence, Rules, Saved, comparable, parse
from .wire import NoAnswer, Wire

_LARGEST_RECORD = 256_000_000
_SHOWN = 1500
Answers = Mapping[str, Sequence[Recorded]]


def replay(job: Job) -> dict[str, object]:
    """Play every sequence; stop at the first that is answered differently."""
    text = _read(job, "sequences.json")
    sequences = parse(text)
    expected = _expected(job)
    rules = Rules.make(job.settings.id_pattern, job.settings.differs)
    player = _Player(job)
    digest = hashlib.sha256(text.encode())
    answers: dict[str, Sequence[Recorded]] = {}
    difference: dict[str, object] | None = None
    started = time.monotonic()
    for sequence in sequences:
        got = player.play(sequence)
        answers[sequence["name"]] = got
        digest.update(json.dumps(got).encode())
        if expected is None:
            _demand_answers(sequence, got)
        else:
            wanted = _wanted(expected, sequence)
            difference = first_difference(sequence, wanted, got, rules)
            if difference:
                break
    player.close()
    return {
        "mode": "record" if expected is None else "compare",
        "sequences": len(answers),
        "sequences_total": len(sequences),
        "calls": player.calls,
        "seconds": round(time.monotonic() - started, 3),
        "digest": digest.hexdigest(),
        "difference": difference,
        "answers": pack(answers) if expected is None else None,
    }


def first_difference(
    sequence: RequestSequence,
    expected: Sequence[Recorded],
    got: Sequence[Recorded],
    rules: Rules,
) -> dict[str, object] | None:
    """The first exchange of a sequence that is not the same, or null."""
    if list(expected) == list(got):
        return None
    before = comparable(sequence["steps"], expected, rules)
    after = comparable(sequence["steps"], got, rules)
    for number, ((asked, old), (asks, new)) in enumerate(zip(before, after, strict=False), 1):
        if old != new or asked != asks:
            return {
                "sequence": sequence["name"],
                "step": number,
                "request": asked[:_SHOWN],
                "expected": _shown(old),
                "got": _shown(new),
                "what": _what(old, new) if old != new else "the request: an earlier id changed",
            }
    return None


def pack(answers: Answers) -> str:
    """Recorded answers as one short string; what expected.json holds under "answers"."""
    return base64.b64encode(zlib.compress(json.dumps(answers).encode(), 6)).decode("ascii")


def unpack(packed: str) -> dict[str, list[Recorded]]:
    """The reverse of `pack`. Raises NoVerdict."""
    try:
        reader = zlib.decompressobj()
        text = reader.decompress(base64.b64decode(packed, validate=True), _LARGEST_RECORD)
        if not reader.eof:
            raise NoVerdict("recorded answers cannot be read: they are cut off or too large")
        found = json.loads(text)
        return {
            name: [(int(status), str(kind), str(body)) for status, kind, body in answers]
            for name, answers in found.items()
        }
    except (ValueError, zlib.error, TypeError, AttributeError) as error:
        raise NoVerdict(f"recorded answers cannot be read: {error}") from None


class _Player:
    """Plays sequences over one connection until its time is over."""

    def __init__(self, job: Job) -> None:
        self._settings = job.settings
        self._deadline = time.monotonic() + job.settings.replay_seconds
        self._wire = Wire(
            job.settings.app_url,
            seconds=job.settings.call_seconds,
            limit=job.settings.answer_bytes,
        )
        self.calls = 0

    def play(self, sequence: RequestSequence) -> list[Recorded]:
        saved = Saved()
        answers = []
        for step in sequence["steps"]:
            answer = self._ask(saved, step)
            saved.keep(step, answer[2])
            answers.append(answer)
        return answers

    def _ask(self, saved: Saved, step: Mapping[str, object]) -> Recorded:
        if time.monotonic() > self._deadline:
            return (0, "", f"replay took longer than {self._settings.replay_seconds:g} s")
        self.calls += 1
        request = saved.request(step)
        headers = dict(request.headers)
        if request.body is not None:
            headers.setdefault("content-type", "application/json")
        try:
            answer = self._wire.call(
                request.method,
                request.path,
                headers,
                (request.body or "").encode("utf-8", "replace"),
            )
        except NoAnswer as error:
            return (0, "", str(error))
        return (answer.status, answer.content_type, answer.body.decode("utf-8", "replace"))

    def close(self) -> None:
        self._wire.close()


def _read(job: Job, name: str) -> str:
    try:
        return (job.root / name).read_text("utf-8")
    except (OSError, ValueError) as error:
        raise NoVerdict(f"{name}: {error}") from None


def _expected(job: Job) -> dict[str, list[Recorded]] | None:
    if not (job.root / "expected.json").exists():
        return None
    try:
        packed = json.loads(_read(job, "expected.json"))["answers"]
    except (ValueError, KeyError, TypeError) as error:
        raise NoVerdict(f"expected.json: {error}") from None
    return unpack(str(packed))


def _wanted(expected: Answers, sequence: RequestSequence) -> Sequence[Recorded]:
    wanted = expected.get(sequence["name"])
    if wanted is None or len(wanted) != len(sequence["steps"]):
        raise NoVerdict(f"expected.json has no full answers for sequence {sequence['name']!r}")
    return wanted


def _demand_answers(sequence: RequestSequence, got: Sequence[Recorded]) -> None:
    for number, (status, _, body) in enumerate(got, 1):
        if status == 0:
            where = f"sequence {sequence['name']!r} step {number}"
            raise NoVerdict(f"nothing to record at {where}: {body}")


def _shown(answer: Recorded) -> dict[str, object]:
    return {"status": answer[0], "content_type": answer[1], "body": answer[2][:_SHOWN]}


def _what(old: Recorded, new: Recorded) -> str:
    if old[0] != new[0]:
        told = f" ({new[2][:200]})" if new[0] == 0 else ""
        return f"status {new[0]}{told} where the base answers {old[0]}"
    if old[1] != new[1]:
        return f"content type {new[1]!r} where the base answers {old[1]!r}"
    try:
        return _where(json.loads(old[2]), json.loads(new[2]), "body")
    except (ValueError, RecursionError):
        return "the body differs"


def _where(old: object, new: object, path: str) -> str:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            if key not in new:
                return f"{path}.{key} is gone"
            if key not in old:
                return f"{path}.{key} is new"
            if json.dumps(old[key]) != json.dumps(new[key]):
                return _where(old[key], new[key], f"{path}.{key}")
    if isinstance(old, list) and isinstance(new, list):
        if len(old) != len(new):
            return f"{path} has {len(new)} elements where the base has {len(old)}"
        for index, (a, b) in enumerate(zip(old, new, strict=True)):
            if json.dumps(a) != json.dumps(b):
                return _where(a, b, f"{path}.{index}")
    return f"{path} is {json.dumps(new)[:100]} where the base has {json.dumps(old)[:100]}"
