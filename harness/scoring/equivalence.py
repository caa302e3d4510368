"""Equivalence: generated request sequences are answered like the base answers them."""

from harness.errors import VerifierError
from harness.scoring.evidence import ReplayEvidence, RestartEvidence
from harness.scoring.factor import Factor

LEAST_SEQUENCES = 500
"""SCIENCE.md (b)"""


def equivalence(
    evidence: ReplayEvidence,
    restart: RestartEvidence | str | None,
    *,
    least: int = LEAST_SEQUENCES,
) -> Factor:
    """Holds when no sequence differs, and nothing that was looked at is forgotten by a restart.

    `restart`: what was seen then, or why the app did not start again.

    Raises VerifierError for a recording, fewer than `least` sequences, or looks without a restart.
    """
    if evidence.mode != "compare":
        raise VerifierError("equivalence: nothing was compared, only recorded")
    if evidence.sequences_total < least:
        told = f"{evidence.sequences_total} sequences, at least {least} are asked for"
        raise VerifierError(f"equivalence: {told}")
    if found := evidence.difference:
        where = f"sequence {found.sequence} step {found.step}, {found.request[:120]}"
        return Factor.of("equivalence", f"{where}: {found.what}")
    if evidence.looks and restart is None:
        raise VerifierError("equivalence: the app was not started again on its data")
    if isinstance(restart, str):
        return Factor.of("equivalence", f"after a restart: {restart}")
    if restart and (lost := restart.difference):
        where = f"after a restart, sequence {lost.sequence}, {lost.request[:120]}"
        return Factor.of("equivalence", f"{where}: {lost.what}")
    return Factor.of("equivalence", None)
