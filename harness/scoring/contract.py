"""Contract: no breaking change of an interface."""

from harness.errors import VerifierError
from harness.scoring.evidence import ContractEvidence
from harness.scoring.factor import Factor


def contract(evidence: ContractEvidence) -> Factor:
    """Holds without a break. Raises VerifierError for a recording."""
    if evidence.mode != "compare":
        raise VerifierError("contract: nothing was compared, only recorded")
    return Factor.of("contract", _reason(evidence.breaks))


def _reason(breaks: list[str]) -> str | None:
    if len(breaks) > 1:
        return f"{len(breaks)} breaking changes, first {breaks[0]}"
    return breaks[0] if breaks else None
