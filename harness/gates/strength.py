"""Test strength: mutants of the domain code, woven into every arm, judged as trials are.

A mutant is killed by the contract suite (`test`), by the request sequences (`sequence`), by the
app that does not come up with it (`start`), or by `nothing`. One pair of sandboxes judges the
mutants of a context on an arm one after another; each has fresh starts of its own.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from harness.errors import AppDidNotStart, BadInput
from harness.executors import Executor
from harness.gates.kills import UNCHANGED, Killer, Ledger, Verdict
from harness.pairs import Pair
from harness.pairs.weave import Mutant, read_app, weave_variants
from harness.patch import FILE, Entry, Tree
from harness.plan import digest
from harness.sandbox.protocol import WORKSPACE
from harness.scoring import job
from harness.scoring.evidence import BehaviourEvidence, ReplayEvidence
from harness.stopwatch import Stopwatch
from harness.trial import Bench
from harness.verification import Known, Session, Subject, session

Say = Callable[[str], None]
_STARTS = 2
"""A mutant that an app does not start with is killed if it does not in a second sandbox either."""
_UNCHANGED = Mutant(UNCHANGED, "", "", 0, "", "", "", "", "")


@dataclass(frozen=True)
class Suspect:
    """A mutant on an arm, as the files of the arm that it changes."""

    mutant: Mutant
    arm: str
    change: Tree
    judged: str
    """digest of everything that the verdict depends on"""


@dataclass(frozen=True)
class _Court:
    """What judging takes, on any arm."""

    bench: Bench
    pair: Pair
    known: Known


def judge_mutants(
    bench: Bench,
    pair: Pair,
    mutants: Sequence[Mutant],
    executor: Executor,
    ledger: Ledger,
    say: Say,
) -> list[Verdict]:
    """The verdicts on the unchanged app and on all mutants, on every arm, in order.

    A verdict of the ledger is taken as it is where nothing that it depends on has changed.

    Raises:
        BadInput: the arms are not what the sources give, so mutants of these say nothing.
    """
    trees = weave_variants(
        read_app(pair.folder / "app"), [{each.path: each.text} for each in mutants]
    )
    woven = next(trees)
    for arm in pair.spec.arms:
        _demand_woven(pair, arm, bench.bases.tree(pair, arm), woven)
    court = _Court(bench, pair, bench.references.known(pair, next(iter(pair.spec.arms))))
    suspects = _suspects(court, [_UNCHANGED, *mutants], chain([woven], trees), woven)
    groups: dict[tuple[str, str], list[Suspect]] = defaultdict(list)
    for each in suspects:
        if ledger.verdict(each.mutant.id, each.arm, each.judged) is None:
            groups[each.mutant.context, each.arm].append(each)
    left = sum(map(len, groups.values()))
    say(f"{len(suspects)} verdicts, {len(suspects) - left} of them known already")

    def judge(group: list[Suspect]) -> None:
        for verdict in _judge_group(court, group):
            ledger.add(verdict)
            say(f"{verdict.mutant} on {verdict.arm}: {verdict.killed_by} {verdict.first}")

    for _ in executor.map(judge, groups.values()):
        pass
    found = (ledger.verdict(each.mutant.id, each.arm, each.judged) for each in suspects)
    return [verdict for verdict in found if verdict is not None]


def _suspects(
    court: _Court,
    mutants: Sequence[Mutant],
    trees: Iterable[Mapping[str, str]],
    woven: Mapping[str, str],
) -> list[Suspect]:
    """Every mutant on every arm; `trees` are the woven mutants, `woven` is the app without one."""
    pair, sandboxes = court.pair, court.bench.sandboxes
    contract = Tree.read(pair.contract, pair.spec.ignored).digest
    rules = [contract, digest([court.known.sequences.decode(), court.known.answers])]
    rules += [sandboxes.image_digest, job.verifier_digest(), pair.spec.id_pattern]
    bases = {arm: court.bench.bases.tree(pair, arm) for arm in pair.spec.arms}
    suspects = []
    for mutant, tree in zip(mutants, trees, strict=True):
        for arm, base in bases.items():
            change = _change(arm, woven, tree)
            seconds = pair.spec.arms[arm].start_seconds
            judged = digest([arm, seconds, base.overlay(change).digest, *rules])[:16]
            suspects.append(Suspect(mutant, arm, change, judged))
    return suspects


def _demand_woven(pair: Pair, arm: str, base: Tree, woven: Mapping[str, str]) -> None:
    for path, text in _below(arm, woven).items():
        there = base.entries.get(path)
        if there is None or there.content != text.encode():
            why = f"not what the sources give; run `seambench weave {pair.app}`"
            raise BadInput(f"{pair.arm_folder(arm) / path}: {why}")


def _change(arm: str, woven: Mapping[str, str], variant: Mapping[str, str]) -> Tree:
    """The files of an arm that a variant changes."""
    if variant.keys() != woven.keys():
        raise BadInput(f"{arm}: a mutant adds or removes a file, which nobody would take back")
    changed = {path: text for path, text in variant.items() if woven[path] != text}
    return Tree({path: Entry(FILE, text.encode()) for path, text in _below(arm, changed).items()})


def _below(arm: str, files: Mapping[str, str]) -> dict[str, str]:
    start = f"{arm}/"
    return {path.removeprefix(start): text for path, text in files.items()
            if path.startswith(start)}  # fmt: skip


def _judge_group(court: _Court, group: Sequence[Suspect]) -> Iterator[Verdict]:
    """The verdicts on suspects of one context and arm; a start that fails ends the sandboxes."""
    arm, context = group[0].arm, group[0].mutant.context
    base = court.bench.bases.tree(court.pair, arm)
    subject = Subject(court.pair, arm, base, base)
    waiting = list(group)
    failures: Counter[str] = Counter()
    while waiting:
        sandboxes = court.bench.sandboxes
        with session(sandboxes, subject, court.known, Stopwatch(), urgent=context) as opened:
            yield from _judge_some(opened, base, waiting, failures)


def _judge_some(
    opened: Session, base: Tree, waiting: list[Suspect], failures: Counter[str]
) -> Iterator[Verdict]:
    """Take from what waits until nothing does or a start fails that must be tried elsewhere."""
    laid = Tree({})
    while waiting:
        suspect = waiting[0]
        untouched = Tree({path: base.entries[path] for path in laid.entries})
        laid = suspect.change
        opened.app.put(untouched.overlay(laid).tar(), WORKSPACE)
        try:
            verdict = _judge(opened, suspect)
        except AppDidNotStart as error:
            failures[suspect.mutant.id] += 1
            if failures[suspect.mutant.id] < _STARTS:
                return
            verdict = _verdict(suspect, "start", "", str(error))
        waiting.pop(0)
        yield verdict


def _judge(opened: Session, suspect: Suspect) -> Verdict:
    """The suite in one fresh start, then the sequences in another, until something tells."""
    opened.start()
    found = opened.phase(BehaviourEvidence, "behaviour")
    for test in found.tests:
        if test.outcome in ("failed", "error"):
            return _verdict(suspect, "test", test.test, test.message or "")
    opened.start()
    difference = opened.phase(ReplayEvidence, "replay").difference
    if difference is None:
        return _verdict(suspect, "nothing", "", "")
    place = f"{difference.sequence} step {difference.step}"
    return _verdict(suspect, "sequence", place, difference.what)


def _verdict(suspect: Suspect, killed_by: Killer, first: str, why: str) -> Verdict:
    mutant = suspect.mutant
    return Verdict(
        mutant=mutant.id,
        context=mutant.context,
        function=mutant.function,
        line=mutant.line,
        operator=mutant.operator,
        before=mutant.before,
        after=mutant.after,
        arm=suspect.arm,
        killed_by=killed_by,
        first=first,
        why=why,
        judged=suspect.judged,
    )
