"""What the programs of an arm show one another, as their running selves give it.

    openapi/<program>.json                    what a program says that it answers
    interactions/<consumer>-<provider>.json   what one context asks of another, and what comes back

Both are recorded while the pair's generated request sequences are played: `seambench pairs record`
writes them into every arm whose `contracts` name them, `seambench pairs verify` compares.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from harness.config import VerificationConfig
from harness.errors import VerifierError
from harness.pairs import Pair
from harness.patch import FILE, Entry, Tree, read_workspace
from harness.references import References
from harness.scoring.evidence import ContractEvidence, ReplayEvidence
from harness.stopwatch import Stopwatch
from harness.store import write_atomically
from harness.trial import Bench
from harness.verification import Subject, session
from harness.verifier.globs import matching

RULES = VerificationConfig(sequences=200)
"""Which sequences are played: the same ones for whoever records and whoever compares."""
DOCUMENTS, INTERACTIONS = "openapi", "interactions"
_RECORDER = Path(__file__).with_name("recorder.py")
_RECORDED = "recorded.jsonl"
_DATA = "/tmp/app/data"  # noqa: S108 - the sandbox's own
_LARGEST = 64 * 2**20


def record_contracts(bench: Bench, pair: Pair, console: Console) -> None:
    """Write what the programs show one another into the arms that keep it."""
    for arm in _arms(pair):
        found = _contracts(bench, pair, arm)
        folder = pair.arm_folder(arm)
        for path in _kept(folder) - found.keys():
            (folder / path).unlink()
        for path, text in found.items():
            (folder / path).parent.mkdir(exist_ok=True)
            write_atomically(folder / path, text.encode())
        console.print(f"{arm}: {len(found)} contracts recorded")


def contracts_hold(bench: Bench, pair: Pair, console: Console) -> bool:
    """Whether the recorded contracts are what the programs give now; prints what is not."""
    wrong = []
    for arm in _arms(pair):
        found = _contracts(bench, pair, arm)
        folder = pair.arm_folder(arm)
        there = _kept(folder)
        stale = sorted(path for path in found.keys() | there
                       if not _says(folder / path, found.get(path)))  # fmt: skip
        console.print(f"{arm}: {len(found.keys() - set(stale))} of {len(found)} contracts as told")
        wrong += [f"{arm}/{path}" for path in stale]
    for path in wrong:
        why = f"not what the programs answer; run `seambench pairs record {pair.app}`"
        console.print(f"  {path}: {why}", soft_wrap=True)
    return not wrong


def interactions(lines: Mapping[str, str], id_pattern: str) -> dict[str, str]:
    """Recorded calls, by program, as files: of each kind of call the first, ids counted anew.

    Calls are of one kind that have provider, method, path, status and code of refusal in common.
    """
    is_id = re.compile(id_pattern)
    found: dict[tuple[str, str], dict[tuple[str, ...], Any]] = {}
    for consumer, text in sorted(lines.items()):
        for call in map(json.loads, text.splitlines()):
            if call["provider"] is None:
                continue
            kind, exchange = _exchange(call, is_id)
            found.setdefault((consumer, call["provider"]), {}).setdefault(kind, exchange)
    return {
        f"{INTERACTIONS}/{consumer}-{provider}.json": _json({
            "consumer": consumer,
            "provider": provider,
            "interactions": [exchange for _, exchange in sorted(kinds.items())],
        })
        for (consumer, provider), kinds in found.items()
    }  # fmt: skip


def _exchange(call: Mapping[str, Any], is_id: re.Pattern[str]) -> tuple[tuple[str, ...], Any]:
    answered = json.loads(call["answered"]) if call["answered"] else None
    request: dict[str, Any] = {"method": call["method"], "path": call["path"]}
    request |= {"query": call["query"]} if call["query"] else {}
    request |= {"body": json.loads(call["sent"])} if call["sent"] else {}
    detail = answered.get("detail") if isinstance(answered, dict) else None
    code = detail.get("code", "") if isinstance(detail, dict) else ""
    kind = (call["path"], call["method"], str(call["status"]), str(code))
    exchange = {"request": request, "response": {"status": call["status"], "body": answered}}
    known: dict[str, str] = {}

    def counted(match: re.Match[str]) -> str:
        head, _, _ = match.group().rpartition("_")
        return known.setdefault(match.group(), f"{head or 'id'}_{len(known) + 1}")

    return kind, json.loads(is_id.sub(counted, json.dumps(exchange)))


def _arms(pair: Pair) -> Iterator[str]:
    for arm, spec in pair.spec.arms.items():
        if any(glob.startswith((f"{DOCUMENTS}/", f"{INTERACTIONS}/")) for glob in spec.contracts):
            yield arm


def _contracts(bench: Bench, pair: Pair, arm: str) -> dict[str, str]:
    """Play the sequences on a fresh start of an arm that notes its calls: path -> text."""
    base = bench.bases.tree(pair, arm)
    references = References(bench.sandboxes, bench.bases, RULES, bench.references.cache)
    plain = references.known(pair, arm)
    noting = Subject(pair, arm, base, _noting(base, pair))
    with session(bench.sandboxes, noting, replace(plain, documents=None), Stopwatch()) as opened:
        opened.start()
        documents = opened.phase(ContractEvidence, "contract").documents
        replay = opened.phase(ReplayEvidence, "replay")
        noted = read_workspace(opened.app.get(_DATA, limit=_LARGEST)).tree
    if found := replay.difference:
        where = f"sequence {found.sequence} step {found.step}, {found.request[:120]}"
        raise VerifierError(f"{arm}: answers otherwise while it is recorded: {where}: {found.what}")
    if documents is None:
        raise VerifierError("contract: no documents were recorded")
    made = {f"{DOCUMENTS}/{name}.json": _json(each) for name, each in documents.items()}
    made |= interactions(_lines(noted), pair.spec.id_pattern)
    is_contract = matching(pair.spec.arms[arm].contracts)
    return {path: text for path, text in made.items() if is_contract(path)}


def _noting(base: Tree, pair: Pair) -> Tree:
    code = b"\n" + _RECORDER.read_bytes()
    packages = [f"{context}/__init__.py" for context in pair.spec.contexts]
    return base.overlay(Tree({
        path: Entry(FILE, base.entries[path].content + code)
        for path in packages
        if path in base.entries
    }))  # fmt: skip


def _lines(noted: Tree) -> dict[str, str]:
    return {
        path.removesuffix(f"/{_RECORDED}"): entry.content.decode()
        for path, entry in noted.entries.items()
        if path.endswith(f"/{_RECORDED}")
    }


def _kept(folder: Path) -> set[str]:
    files = (path for kind in (DOCUMENTS, INTERACTIONS) for path in (folder / kind).glob("*.json"))
    return {path.relative_to(folder).as_posix() for path in files}


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _says(path: Path, told: str | None) -> bool:
    """Whether a file is there and says what was told, however it is laid out."""
    try:
        return told is not None and bool(json.loads(path.read_bytes()) == json.loads(told))
    except (OSError, ValueError):
        return False
