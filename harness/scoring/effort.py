"""Effort: how much was changed, beside the reference."""

from dataclasses import dataclass

from harness.scoring.evidence import EffortEvidence
from harness.verifier.ownership import SHARED


@dataclass(frozen=True)
class Effort:
    """Code lines leave out blank lines, comments and docstrings."""

    code_lines_added: int
    code_lines_deleted: int
    domain_lines_changed: int
    glue_lines_changed: int
    contexts_changed: tuple[str, ...]
    churn_ratio: float | None
    """changed code lines over the reference's; null where that is unknown or has none"""


def effort(evidence: EffortEvidence, reference: EffortEvidence | None = None) -> Effort:
    """The effort columns of a trial. Files of no context do not make a context changed."""
    changed = evidence.total.changed
    against = reference.total.changed if reference else 0
    return Effort(
        code_lines_added=evidence.total.added,
        code_lines_deleted=evidence.total.deleted,
        domain_lines_changed=evidence.domain.changed,
        glue_lines_changed=evidence.glue.changed,
        contexts_changed=tuple(sorted(set(evidence.contexts) - {SHARED})),
        churn_ratio=changed / against if against else None,
    )
