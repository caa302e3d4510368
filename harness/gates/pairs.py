"""The pair's gates: one contract suite on every arm, and the same answers to generated requests."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rich.console import Console

from harness.errors import VerifierError
from harness.pairs import Pair
from harness.scoring.evidence import BehaviourEvidence, Difference, ReplayEvidence
from harness.stopwatch import Stopwatch
from harness.trial import Bench
from harness.verification import Known, Subject, session
from harness.verifier.sequences import RequestSequence as Sequence
from harness.verifier.sequences import minimise

_MOST_SHRINKS = 60
"""How many fresh starts the search for a smaller example may take."""
_NO_LOOKS = (
    "of the sequences asked again after a restart none ends by looking (GET): nothing was asked"
)


@dataclass(frozen=True)
class Variant:
    """An arm of an app, woven at a dose of couplings; null: as it is."""

    pair: Pair
    arm: str
    dose: int | None = None

    def __str__(self) -> str:
        return self.arm if self.dose is None else f"{self.arm} at dose {self.dose}"


def verify_pair(
    bench: Bench, pair: Pair, console: Console, doses: Mapping[int, Pair] | None = None
) -> bool:
    """Both gates on every arm; prints what it found, and the first difference made small.

    `doses` has the same app at other doses: their arms are held to the same, where they differ.
    """
    first, *others = [Variant(pair, arm) for arm in pair.spec.arms]
    for dose, woven in (doses or {}).items():
        others += [Variant(woven, arm, dose) for arm in differing(bench, pair, woven)]
    results = [_suite_passes(bench, each, console) for each in (first, *others)]
    known = bench.references.known(pair, first.arm)
    for other in others:
        found = compare(bench, other, known)
        results.append(found.difference is None and found.looks > 0)
        if found.difference:
            _show_difference(bench, (first, other), known, found.difference, console)
            continue
        console.print(
            f"{other} answers like {first}: {found.sequences} sequences, {found.calls} requests"
        )
        if not found.looks:
            console.print(f"  {_NO_LOOKS}", soft_wrap=True)
    return all(results)


def differing(bench: Bench, pair: Pair, woven: Pair) -> list[str]:
    """The arms of an app that are not the same at another dose."""
    return [arm for arm in woven.spec.arms
            if bench.bases.tree(woven, arm) != bench.bases.tree(pair, arm)]  # fmt: skip


def _suite_passes(bench: Bench, variant: Variant, console: Console) -> bool:
    base = bench.bases.tree(variant.pair, variant.arm)
    subject = Subject(variant.pair, variant.arm, base, base)
    with session(bench.sandboxes, subject, Known(b"[]"), Stopwatch()) as opened:
        opened.start()
        found = opened.phase(BehaviourEvidence, "behaviour")
    bad = [test for test in found.tests if test.outcome != "passed"]
    console.print(
        f"{variant}: contract suite {found.collected - len(bad)}/{found.collected} passed"
    )
    for test in bad:
        console.print(f"  {test.test}: {test.message}", soft_wrap=True)
    return not bad


def compare(bench: Bench, variant: Variant, known: Known) -> ReplayEvidence:
    """Play the sequences on a fresh start of an arm and compare with the known answers."""
    base = bench.bases.tree(variant.pair, variant.arm)
    subject = Subject(variant.pair, variant.arm, base, base)
    with session(bench.sandboxes, subject, known, Stopwatch()) as opened:
        opened.start()
        return opened.phase(ReplayEvidence, "replay")


def _show_difference(
    bench: Bench,
    arms: tuple[Variant, Variant],
    known: Known,
    found: Difference,
    console: Console,
) -> None:
    """Print the first exchange that differs, in the smallest sequence that still shows one."""
    every: list[Sequence] = json.loads(known.sequences)
    culprit = next(sequence for sequence in every if sequence["name"] == found.sequence)
    differ = _differ_on(bench, arms)
    if (alone := differ(culprit)) is None:
        console.print(f"{found.sequence} differs only after the sequences before it")
        smallest, shown = culprit, found
    else:
        smallest = minimise(culprit, _bounded(lambda steps: differ(steps) is not None))
        shown = differ(smallest) or alone
    console.print(f"{arms[1]} differs from {arms[0]} in {found.sequence}, step {shown.step}:")
    for number, step in enumerate(smallest["steps"], start=1):
        body = "" if step.get("body") is None else json.dumps(step["body"])
        console.print(f"  {number}. {step['method']} {step['path']} {body}", soft_wrap=True)
    console.print(f"  {shown.what}", soft_wrap=True)
    for arm, told in zip(arms, (shown.expected, shown.got), strict=True):
        console.print(f"  {arm}: {told.status} {told.body}", soft_wrap=True)


def _bounded(differs: Callable[[Sequence], bool]) -> Callable[[Sequence], bool]:
    """The same question, answered no once the search has cost enough."""
    left = iter(range(_MOST_SHRINKS))
    return lambda sequence: next(left, None) is not None and differs(sequence)


def _differ_on(
    bench: Bench, arms: tuple[Variant, Variant]
) -> Callable[[Sequence], Difference | None]:
    """Play one sequence on fresh starts of both arms: how they differ, or None."""

    def differ(sequence: Sequence) -> Difference | None:
        one = json.dumps([sequence]).encode()
        recorded = compare(bench, arms[0], Known(one))
        if recorded.answers is None:
            raise VerifierError("replay: no answers were recorded")
        return compare(bench, arms[1], Known(one, recorded.answers)).difference

    return differ
