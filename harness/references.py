"""What is known beforehand about each untouched arm, measured once and kept by digest.

- `Known`: the generated request sequences, the arm's answers to them, its OpenAPI documents.
- the effort of each task's first solution, beside which an agent's effort is put.
"""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from harness.bases import Bases
from harness.config import VerificationConfig
from harness.errors import BadInput, PatchRefused, VerifierError
from harness.pairs import Pair
from harness.patch import Tree, apply_patch, make_patch
from harness.plan import digest
from harness.sandbox import Command, Sandboxes
from harness.scoring import job
from harness.scoring.evidence import (
    ContractEvidence,
    EffortEvidence,
    InspectEvidence,
    ReplayEvidence,
)
from harness.stopwatch import Stopwatch
from harness.store import write_atomically
from harness.tasks import Task
from harness.verification import Known, Subject, run_phase, session, settings
from harness.verification import contents as files_of


@dataclass
class References:
    """Made on first use, by whoever asks first; the others wait for that key only."""

    sandboxes: Sandboxes
    bases: Bases
    rules: VerificationConfig
    cache: Path
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _locks: dict[str, threading.Lock] = field(default_factory=dict)

    def known(self, pair: Pair, arm: str) -> Known:
        """Sequences, answers and documents of the untouched arm."""
        base = self.bases.tree(pair, arm)
        sequences = self.sequences(pair)
        key = self._key("known", base.digest, digest(sequences.decode()))
        stored = self._once(key, lambda: self._record(Subject(pair, arm, base, base), sequences))
        found = json.loads(stored)
        return Known(sequences, found["answers"], found["documents"])

    def sequences(self, pair: Pair) -> bytes:
        """The generated request sequences of a pair, as the JSON that the verifier plays."""
        generator = Tree.read(pair.contract, pair.spec.ignored)
        key = self._key("sequences", generator.digest)
        return self._once(key, lambda: self._generate(generator))

    def effort(self, task: Task, pair: Pair, arm: str) -> EffortEvidence | None:
        """What the task's first solution changes on an arm; null where that took too long."""
        base = self.bases.repository(pair, arm, task)
        patch = task.patch("solutions", next(iter(task.spec.solutions)), arm)
        try:
            tree = apply_patch(base, patch.read_bytes())
        except PatchRefused as error:
            raise BadInput(f"{patch}: {error}") from error
        renamed = make_patch(base, tree).changes.renamed
        subject = Subject(pair, arm, base.files, tree, task, renamed)
        key = self._key("effort", base.files.digest, tree.digest, str(pair.spec))
        stored = self._once(key, lambda: self._measure(subject))
        found = json.loads(stored)
        return EffortEvidence.model_validate(found) if found else None

    def _key(self, *parts: str) -> str:
        """A digest of everything that a stored answer depends on."""
        rules = [self.rules.seed, self.rules.sequences]
        return digest([*parts, rules, self.sandboxes.image_digest, job.verifier_digest()])

    def _once(self, key: str, make: Callable[[], bytes]) -> bytes:
        path = self.cache / f"{key[:32]}.json"
        with self._guard:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if not path.exists():
                write_atomically(path, make())
            return path.read_bytes()

    def _generate(self, generator: Tree) -> bytes:
        asked = ("--seed", str(self.rules.seed), "--count", str(self.rules.sequences))
        with self.sandboxes.open("verifier") as verifier:
            verifier.put(generator.tar(), job.FOLDER)
            script = f"{verifier.root}{job.FOLDER}/sequences.py"
            command = Command(
                ("python3", script, *asked), timeout=60, output_limit=job.OUTPUT_LIMIT
            )
            end = verifier.run(command)
        if not end.ok:
            raise VerifierError(f"sequences.py: {(end.stderr.strip() or end.ending)[-300:]}")
        return end.stdout.encode()

    def _record(self, subject: Subject, sequences: bytes) -> bytes:
        with session(self.sandboxes, subject, Known(sequences), Stopwatch()) as opened:
            opened.start()
            contract = opened.phase(ContractEvidence, "contract")
            replay = opened.phase(ReplayEvidence, "replay")
        found = {"answers": replay.answers, "documents": contract.documents}
        return json.dumps(found).encode()

    def _measure(self, subject: Subject) -> bytes:
        work = job.write_job(
            settings(subject, Known(b"")),
            base=files_of(subject.base),
            tree=files_of(subject.tree),
            predicates=subject.task.predicates.read_bytes() if subject.task else b"",
        )
        with self.sandboxes.open("verifier") as verifier:
            verifier.put(work, job.FOLDER)
            found = run_phase(verifier, InspectEvidence, "inspect")
        return (found.counted.model_dump_json() if found.counted else "null").encode()
