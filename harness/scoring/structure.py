"""Structure: every predicate of the task holds."""

from collections.abc import Sequence

from harness.errors import VerifierError
from harness.scoring.evidence import InspectEvidence
from harness.scoring.factor import Factor


def structure(evidence: InspectEvidence, predicates: Sequence[str]) -> Factor:
    """Holds when all the task's `predicates` do. Raises VerifierError where others were checked."""
    checked = [result.name for result in evidence.structure]
    if checked != list(predicates) or not checked:
        raise VerifierError(f"structure: checked {checked}, the task asks for {list(predicates)}")
    failing = next((result for result in evidence.structure if not result.holds), None)
    return Factor.of("structure", f"{failing.name}: {failing.reason}" if failing else None)
