"""Results folders for the report: with artefacts, with hostile words, with 10,000 trials."""

import base64
import json
import random
import re
import zlib
from pathlib import Path

from harness.paths import RunPaths
from harness.records import CallRecord, TrialRecord
from harness.store import Entry
from tests.records_factory import AGENTS, TASKS, attempts, hidden_tests, trial

HOSTILE = (
    "</script><script>window.ran = 1</script><img src=x onerror='window.ran = 1'>"
    '"><svg onload=window.ran=1><a href="javascript:window.ran=1">press</a>'
    "<!--<script>{{ 7 * 191 }}\u2028window.ran = 1//\u202e\U000e0041]]>&lt;"
)
PATCH = """diff --git a/catalogue/service.py b/catalogue/service.py
index 5b67ad8..6a584b8 100644
--- a/catalogue/service.py
+++ b/catalogue/service.py
@@ -1,4 +1,4 @@
 import os
--- a/not a header
+++ b/not a header either
 kept = {number}
-gone = {number}
+come = {number}
diff --git a/new.py b/new.py
new file mode 100644
--- /dev/null
+++ b/new.py
@@ -0,0 +1 @@
+made = {number}
"""


def trajectory(number: int = 0, words: str = "words", turns: int = 2) -> dict:
    """A tool loop's trajectory of `turns` calls."""
    return {
        "scaffold": "tool_loop",
        "limits": {},
        "system": f"You are careful. {words}",
        "tools": [],
        "calls": [call(turn, number, words) for turn in range(1, turns + 1)],
        "uses": [],
        "closing": [message("user", {"kind": "text", "text": f"closing {words}"})],
        "ending": "submitted",
        "failure": None,
    }


def call(turn: int, number: int, words: str) -> dict:
    """One call: a tool is asked for, and answered in the next."""
    said = {"kind": "text", "text": f"Please refactor. {words}"}
    if turn > 1:
        said = {"kind": "tool_result", "call_id": "1", "text": f"listing {number}.{turn} {words}",
                "is_error": False}  # fmt: skip
    tool = {"kind": "tool_call", "id": "1", "name": f"bash {words}" if turn == 1 else "bash",
            "arguments": {"command": f"ls {words}\ncat {turn}"}, "raw": ""}  # fmt: skip
    thought = {"kind": "thinking", "text": f"I think {words}", "sealed": ""}
    answer = message("assistant", thought, {"kind": "text", "text": f"Answer {turn}"}, tool)
    usage = {"fresh_input": 900, "cache_read": 100, "cache_write": 0, "output": 50, "reasoning": 5}
    tried = {"status": "answered", "detail": "", "usage": usage}
    return {"turn": turn, "request_digest": "d", "new_messages": [message("user", said)],
            "answer": {"message": answer, "stop": "tool_calls", "served_by": "m", "tries": []},
            "tries": [tried], "seconds": 1.5, "compacted": False, "cost_usd": None}  # fmt: skip


def message(role: str, *parts: dict) -> dict:
    return {"role": role, "parts": list(parts)}


def score(row: TrialRecord) -> dict:
    """The `score.json` that belongs to a record."""
    names = ("behaviour", "equivalence", "structure", "contract", "integrity")
    why = f"{row.reason} (score.json)"
    held = {n: getattr(row, n) for n in names}
    factors = {n: {"holds": h, "reason": why if h is False else None} for n, h in held.items()}
    return {"resolved": row.resolved, "factors": factors}


def write_artefacts(folder: Path, row: TrialRecord, patch: str, talk: dict | None) -> None:
    """A trial's patch, score and, where there is one, its conversation."""
    paths = RunPaths(folder).trial(row.trial_id)
    paths.folder.mkdir(parents=True)
    paths.patch.write_text(patch)
    paths.score.write_text(json.dumps(score(row)))
    if talk is not None:
        paths.trajectory.write_text(json.dumps(talk))


def write_lines(folder: Path, entries: list[Entry]) -> Path:
    """The record file at once: a store that waits for the disk 10,000 times takes minutes."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [entry.model_dump_json() + "\n" for entry in entries]
    RunPaths(folder).records.write_text("".join(lines))
    return folder


def entry(row: TrialRecord) -> Entry:
    """A trial with its tests, and its calls where a model was asked."""
    (attempt,) = attempts([row])
    calls = tuple(call_record(row.trial_id, n) for n in (1, 2)) if row.model else ()
    return Entry(attempt=attempt, trial=row, tests=tuple(hidden_tests([row])), calls=calls)


def call_record(trial_id: str, number: int) -> CallRecord:
    return CallRecord(trial_id=trial_id, attempt=1, call=number, status="answered", stop="end",
                      served_by="m", tries=1, seconds=1.5, waited_seconds=0.0,
                      fresh_input_tokens=900, cache_read_tokens=100, cache_write_tokens=0,
                      output_tokens=50, reasoning_tokens=5, usage_reported=True,
                      cache_hit_share=0.1, cost_usd=None, context_tokens=1000,
                      compacted=False)  # fmt: skip


def many_trials(number: int) -> list[TrialRecord]:
    """Trials over three arms, four tasks, three controls and three models, some of them lost."""
    dice = random.Random(20260504)
    return [_one_of_many(place, dice) for place in range(number)]


def _one_of_many(place: int, dice: random.Random) -> TrialRecord:
    task, family, task_class, factor = TASKS[place % 4]
    agent = (*AGENTS, "tool_loop", "tool_loop", "tool_loop")[place % 6]
    model = f"model-{dice.randrange(3)}" if agent == "tool_loop" else None
    arm = ("monolith", "modular", "microservices")[dice.randrange(3)]
    is_resolved = agent == "oracle" or (model is not None and dice.random() < 0.4)
    is_lost = model is not None and not is_resolved and dice.random() < 0.05
    why = f"{factor}: what failed in trial {place} is told in a line that is about so long"
    return trial(
        trial_id=f"{task.partition('/')[2]}-{arm}-{agent}-r{place}",
        task=task, family=family, task_class=task_class, arm=arm, agent=agent, model=model,
        scope=dice.choice(["all", "own"]) if model else "all", variant=None, repeat=place,
        status="lost" if is_lost else "scored", resolved=is_resolved,
        reason=None if is_resolved or is_lost else why,
        input_tokens=dice.randrange(10**6) if model else 0,
        output_tokens=dice.randrange(10**4) if model else 0,
        model_calls=2 if model else 0,
        **({} if is_resolved else {factor: None if is_lost else False}),
    )  # fmt: skip


def write_many(folder: Path, number: int) -> Path:
    """A results folder with `number` trials, each with its own patch and conversation."""
    trials = many_trials(number)
    for place, row in enumerate(trials):
        talk = trajectory(place, f"words of trial {place} ", turns=6) if row.model else None
        write_artefacts(folder, row, PATCH.replace("{number}", str(place)) * 5, talk)
    return write_lines(folder, [entry(row) for row in trials])


def hostile_trial() -> TrialRecord:
    """A trial in which every free text tries to run as a script."""
    words = ("task", "family", "agent", "model", "variant", "failure_detail", "agent_ending", "arm")
    return trial(trial_id="<img src=x onerror='window.ran=1'>", **dict.fromkeys(words, HOSTILE),
                 model_calls=2, resolved=False, structure=False,
                 reason=f"structure: {HOSTILE}")  # fmt: skip


def write_hostile(folder: Path) -> Path:
    """The hostile trial with a hostile patch, conversation and caption."""
    row = hostile_trial()
    patch = PATCH.replace("{number}", HOSTILE) + f"diff --git a/{HOSTILE} b/{HOSTILE}\n"
    write_artefacts(folder, row, patch, trajectory(0, HOSTILE))
    figures = folder / "figures"
    figures.mkdir()
    (figures / "one.png").write_bytes(PNG)
    (figures / "one.txt").write_text(HOSTILE)
    told = entry(row)
    tests = [t.model_copy(update={"outcome": "failed", "message": HOSTILE}) for t in told.tests]
    return write_lines(folder, [told.model_copy(update={"tests": tuple(tests)})])


PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)


def index_of(page: str) -> dict:
    """The document that the page reads first."""
    (text,) = re.findall(r'<script type="application/json" id="index">(.*?)</script>', page)
    return json.loads(text)


def unpacked(page: str) -> list:
    """Every packed document of a page, by number."""
    packed = re.findall(r'<script type="text/plain" id="b\d+">([^<]*)</script>', page)
    return [json.loads(zlib.decompress(base64.b64decode(text))) for text in packed]


def opened(page: str, trial_id: str) -> dict:
    """What the page shows of a trial: detail, instruction, talk and patch by name."""
    index, documents = index_of(page), unpacked(page)
    numbers = index["parts"][index["ids"].index(trial_id)]
    parts = dict(zip(("detail", "instruction", "talk", "patch"), numbers, strict=True))
    return {name: documents[number] for name, number in parts.items()}
