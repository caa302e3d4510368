"""Verification: a fresh app sandbox, a verifier beside it, and the evidence that comes out.

The app runs in one sandbox, the verifier in another that shares its loopback and nothing else.
Every verdict is the verifier's own output; nothing the app prints is read as one.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar

from harness.config import VerificationConfig
from harness.errors import AppDidNotStart
from harness.pairs import Pair
from harness.patch import FILE, Tree
from harness.sandbox import Command, Sandbox, Sandboxes
from harness.scoring import job
from harness.scoring.evidence import (
    BehaviourEvidence,
    ContractEvidence,
    Evidence,
    InspectEvidence,
    ReplayEvidence,
    RestartEvidence,
    read_verdict,
)
from harness.stopwatch import Stopwatch
from harness.tasks import Task
from harness.verifier.job import ContextGlobs, Settings

TEST_MODE = {"APP_CLOCK": "request", "APP_IDS": "sequential"}
"""How an app runs under test: time comes with each request, ids count up."""
_PHASE_SECONDS = 600.0
"""Longer than the verifier gives a suite or a replay: it tells of a time that is over by itself."""
_LOG_LINES = 200
E = TypeVar("E", bound=Evidence)


@dataclass(frozen=True)
class Subject:
    """What is verified: a base and a tree to judge, on one arm; without a task, an app alone."""

    pair: Pair
    arm: str
    base: Tree
    tree: Tree
    task: Task | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)
    """new path -> the path in the base"""


@dataclass(frozen=True)
class Known:
    """What the app's untouched arm answers: recorded once, compared with ever after."""

    sequences: bytes
    answers: str | None = None
    documents: dict[str, object] | None = None


@dataclass(frozen=True)
class Findings:
    """All evidence of one verification.

    Where the app did not start, there is what the files tell and what earlier starts showed.
    """

    inspect: InspectEvidence
    starts: tuple[BehaviourEvidence, ...] = ()
    replay: ReplayEvidence | None = None
    restart: RestartEvidence | str | None = None
    """text: why the app did not start again on its data; null: the replay came to no end, or had
    nothing to look at"""
    contract: ContractEvidence | None = None
    not_started: str | None = None
    app_log: str = ""


class Session:
    """One app sandbox with its verifier, both holding the subject."""

    def __init__(self, app: Sandbox, verifier: Sandbox, name: str, start_seconds: float) -> None:
        self.app = app
        self.verifier = verifier
        self.name = name
        self.start_seconds = start_seconds
        self._starts = 0

    def start(self) -> None:
        """Start the app anew on empty data. Raises AppDidNotStart with the end of its log."""
        self._up("--fresh")

    def restart(self) -> None:
        """Start the app again on the data that it has. Raises AppDidNotStart."""
        self._up()

    def _up(self, *options: str) -> None:
        self._starts += 1
        command = ("app", "up", *options, "--wait", str(self.start_seconds))
        end = self.app.run(Command(command, self.start_seconds + 30, env=TEST_MODE))
        if not end.ok:
            tail = (end.stderr or end.stdout).strip()
            last = tail.splitlines()[-1] if tail else f"ended by {end.ending}"
            told = f"{self.name} did not start (start {self._starts}): {last[:300]}"
            raise AppDidNotStart(told, tail)

    def phase(self, kind: type[E], phase: job.Phase) -> E:
        """Run one phase of the verifier. Raises VerifierError without positive evidence."""
        return run_phase(self.verifier, kind, phase)

    def log(self) -> str:
        """The end of the app's log."""
        command = ("app", "logs", "--lines", str(_LOG_LINES))
        return self.app.run(Command(command, timeout=20)).stdout


def run_phase(verifier: Sandbox, kind: type[E], phase: job.Phase) -> E:
    """Run one phase in a verifier that holds its job."""
    command = Command(
        job.argv(phase, verifier.root),
        timeout=_PHASE_SECONDS,
        cwd=job.FOLDER,
        env=job.env(verifier.root),
        output_limit=job.OUTPUT_LIMIT,
    )
    end = verifier.run(command)
    return read_verdict(kind, end.stdout, end.code if end.ending == "exit" else None, end.stderr)


@contextmanager
def session(
    sandboxes: Sandboxes,
    subject: Subject,
    known: Known,
    watch: Stopwatch,
    urgent: str | None = None,
) -> Iterator[Session]:
    """Open both sandboxes and lay the subject in; the time counts as the harness's own.

    The first one is filled while the second one starts.

    `urgent`: a context whose tests go first, where the first test that fails is evidence enough.
    """
    arm = subject.pair.spec.arms[subject.arm]
    with ExitStack() as opened:
        with watch.span("overhead"), ThreadPoolExecutor(1) as meanwhile:
            app = sandboxes.open("app")
            opened.callback(app.close)
            coming = meanwhile.submit(sandboxes.open, "verifier", beside=app)
            opened.callback(lambda: coming.result().close())
            app.put(subject.tree.tar(), "/work")
            settled = _job(subject, known, app.port_offset, urgent)
            verifier = coming.result()
            verifier.put(settled, job.FOLDER)
        try:
            yield Session(app, verifier, f"{subject.pair.app}/{subject.arm}", arm.start_seconds)
        finally:
            with watch.span("overhead"):
                opened.close()


def verify(
    sandboxes: Sandboxes,
    subject: Subject,
    known: Known,
    rules: VerificationConfig,
    watch: Stopwatch,
) -> Findings:
    """All evidence on one tree: what its files tell, then what it does when it runs.

    The hidden suite runs in as many fresh starts as the rules say; one that fails settles it.
    """
    with session(sandboxes, subject, known, watch) as opened, watch.span("verify"):
        inspect = opened.phase(InspectEvidence, "inspect")
        starts: tuple[BehaviourEvidence, ...] = ()
        try:
            while len(starts) < rules.starts and all(start.exit_code == 0 for start in starts):
                opened.start()
                starts = (*starts, opened.phase(BehaviourEvidence, "behaviour"))
            opened.start()
            contract = opened.phase(ContractEvidence, "contract")
            replay = opened.phase(ReplayEvidence, "replay")
            asked = replay.looks and not replay.difference
            restart = _restarted(opened) if asked else None
        except AppDidNotStart as error:
            return Findings(inspect, starts, not_started=str(error), app_log=error.log_tail)
        return Findings(inspect, starts, replay, restart, contract, app_log=opened.log())


def _job(subject: Subject, known: Known, port_offset: int, urgent: str | None) -> bytes:
    return job.write_job(
        replace(settings(subject, known, port_offset), urgent=urgent),
        base=contents(subject.base),
        tree=contents(subject.tree),
        hidden=contents(Tree.read(subject.task.hidden)) if subject.task else None,
        contract=contents(Tree.read(subject.pair.contract, subject.pair.spec.ignored)),
        predicates=subject.task.predicates.read_bytes() if subject.task else b"",
        sequences=known.sequences,
        expected=known.answers,
    )


def _restarted(opened: Session) -> RestartEvidence | str:
    """What the app shows after it was started again on its data, or why it was not."""
    try:
        opened.restart()
    except AppDidNotStart as error:
        return str(error)
    return opened.phase(RestartEvidence, "restart")


def settings(subject: Subject, known: Known, port_offset: int = 0) -> Settings:
    """What the verifier is told about a subject."""
    spec = subject.pair.spec
    arm = spec.arms[subject.arm]
    task = subject.task.spec if subject.task else None
    contexts = {
        name: ContextGlobs(domain=files.domain, glue=files.glue)
        for name, files in arm.contexts.items()
    }
    seconds, megabytes = _bounds(subject.base)
    return Settings(
        app_url=f"http://127.0.0.1:{spec.entry_port + port_offset}",
        port_offset=port_offset,
        contexts=contexts,
        new_contexts=task.new_contexts if task else (),
        shared=arm.shared,
        protected=spec.protected,
        ignored=spec.ignored,
        contracts=arm.contracts,
        id_pattern=spec.id_pattern,
        predicates=task.predicates if task else (),
        intended=task.intended if task else (),
        differs=task.differs if task else (),
        base_modes=_modes(subject.base),
        tree_modes=_modes(subject.tree),
        renamed=subject.renamed,
        documents=known.documents,
        inspect_seconds=seconds,
        inspect_mb=megabytes,
    )


def _bounds(base: Tree) -> tuple[float, int]:
    """Seconds and MB for each look at the trees: by the size of the base, which no agent can grow.

    200,000 lines are about 8 MB; reading them twice takes 15 s and 500 MB.
    """
    size = sum(len(entry.content) for entry in base.entries.values()) / 1e6
    seconds = Settings.inspect_seconds + 12.0 * size
    megabytes = Settings.inspect_mb + round(60 * size)
    return min(180.0, seconds), min(1_536, megabytes)


def contents(tree: Tree) -> dict[str, bytes]:
    """Path to content. A link is its target's text, which is how the verifier sees it."""
    return {path: entry.content for path, entry in tree.entries.items()}


def _modes(tree: Tree) -> dict[str, str]:
    return {path: f"{e.mode:o}" for path, e in tree.entries.items() if e.mode != FILE}
