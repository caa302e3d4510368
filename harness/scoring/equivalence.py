"""Equivalence: generated request sequences are answered like the base answers them."""

from harness.errors import VerifierError
from harness.scoring.evidence import ReplayEvidence
from harness.scoring.factor import Factor

LEAST_SEQUENCES = 500
"""SCIENCE.md (b)"""


def equivalence(evidence: ReplayEvidence, *, least: int = LEAST_SEQUENCES) -> Factor:
    """Holds when no sequence differs.

    Raises VerifierError for a recording or fewer than `least` sequences.
    """
    if evidence.mode != "compare":
        raise VerifierError("equivalence: nothing was compared, only recorded")
    if evidence.sequences_total < least:
        told = f"{evidence.sequences_total} sequences, at least {least} are asked for"
        raise VerifierError(f"equivalence: {told}")
    found = evidence.difference
    if found is None:
        return Factor.of("equivalence", None)
    where = f"sequence {found.sequence} step {found.step}, {found.request[:120]}"
    return Factor.of("equivalence", f"{where}: {found.what}")
