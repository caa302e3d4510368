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
from .player import Player
from .restart import Looks
from .sequences import Recorded, RequestSequence, Rules, comparable, parse
from .telling import SHOWN, shown, what

_LARGEST_RECORD = 256_000_000
Answers = Mapping[str, Sequence[Recorded]]


def replay(job: Job) -> dict[str, object]:
    """Play every sequence; stop at the first that is answered differently."""
    text = job.text("sequences.json")
    sequences = parse(text)
    expected = _expected(job)
    rules = Rules.make(job.settings.id_pattern, job.settings.differs)
    player, looks = Player(job), Looks(len(sequences))
    digest = hashlib.sha256(text.encode())
    answers: dict[str, Sequence[Recorded]] = {}
    difference: dict[str, object] | None = None
    started = time.monotonic()
    for sequence in sequences:
        got = player.play(sequence)
        answers[sequence["name"]] = got
        digest.update(json.dumps(got).encode())
        looks.add(sequence["name"], player.looks)
        if expected is None:
            _demand_answers(sequence, got)
        else:
            wanted = _wanted(expected, sequence)
            difference = first_difference(sequence, wanted, got, rules)
            if difference:
                break
    calls = player.calls
    looked = 0 if difference or expected is None else looks.keep(job, player)
    player.close()
    return {
        "mode": "record" if expected is None else "compare",
        "sequences": len(answers),
        "sequences_total": len(sequences),
        "calls": calls,
        "looks": looked,
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
                "request": asked[:SHOWN],
                "expected": shown(old),
                "got": shown(new),
                "what": what(old, new) if old != new else "the request: an earlier id changed",
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


def _expected(job: Job) -> dict[str, list[Recorded]] | None:
    if not (job.root / "expected.json").exists():
        return None
    try:
        packed = json.loads(job.text("expected.json"))["answers"]
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
