"""The pair's gates: one contract suite on every arm, and the same answers to generated requests."""

import json
from collections.abc import Callable

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


def verify_pair(bench: Bench, pair: Pair, console: Console) -> bool:
    """Both gates on every arm; prints what it found, and the first difference made small."""
    first, *others = pair.spec.arms
    results = [_suite_passes(bench, pair, arm, console) for arm in pair.spec.arms]
    known = bench.references.known(pair, first)
    for arm in others:
        found = compare(bench, pair, arm, known)
        results.append(found.difference is None)
        if found.difference is None:
            console.print(
                f"{arm} answers like {first}: {found.sequences} sequences, {found.calls} requests"
            )
        else:
            _show_difference(bench, pair, (first, arm), known, found.difference, console)
    return all(results)


def _suite_passes(bench: Bench, pair: Pair, arm: str, console: Console) -> bool:
    base = bench.bases.tree(pair, arm)
    subject = Subject(pair, arm, base, base)
    with session(bench.sandboxes, subject, Known(b"[]"), Stopwatch()) as opened:
        opened.start()
        found = opened.phase(BehaviourEvidence, "behaviour")
    bad = [test for test in found.tests if test.outcome != "passed"]
    console.print(f"{arm}: contract suite {found.collected - len(bad)}/{found.collected} passed")
    for test in bad:
        console.print(f"  {test.test}: {test.message}", soft_wrap=True)
    return not bad


def compare(bench: Bench, pair: Pair, arm: str, known: Known) -> ReplayEvidence:
    """Play the sequences on a fresh start of an arm and compare with the known answers."""
    base = bench.bases.tree(pair, arm)
    with session(bench.sandboxes, Subject(pair, arm, base, base), known, Stopwatch()) as opened:
        opened.start()
        return opened.phase(ReplayEvidence, "replay")


def _show_difference(
    bench: Bench,
    pair: Pair,
    arms: tuple[str, str],
    known: Known,
    found: Difference,
    console: Console,
) -> None:
    """Print the first exchange that differs, in the smallest sequence that still shows one."""
    every: list[Sequence] = json.loads(known.sequences)
    culprit = next(sequence for sequence in every if sequence["name"] == found.sequence)
    differ = _differ_on(bench, pair, arms)
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
        console.print(f"  {arm}: {told.status} {told.body}", soft_wrap=True, markup=False)


def _bounded(differs: Callable[[Sequence], bool]) -> Callable[[Sequence], bool]:
    """The same question, answered no once the search has cost enough."""
    left = iter(range(_MOST_SHRINKS))
    return lambda sequence: next(left, None) is not None and differs(sequence)


def _differ_on(
    bench: Bench, pair: Pair, arms: tuple[str, str]
) -> Callable[[Sequence], Difference | None]:
    """Play one sequence on fresh starts of both arms: how they differ, or None."""

    def differ(sequence: Sequence) -> Difference | None:
        one = json.dumps([sequence]).encode()
        recorded = compare(bench, pair, arms[0], Known(one))
        if recorded.answers is None:
            raise VerifierError("replay: no answers were recorded")
        return compare(bench, pair, arms[1], Known(one, recorded.answers)).difference

    return differ
