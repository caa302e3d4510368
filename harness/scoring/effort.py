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
    edit_radius: float | None
    """contexts changed over the reference's, likewise"""


def effort(evidence: EffortEvidence, reference: EffortEvidence | None = None) -> Effort:
    """The effort columns of a trial. Files of no context do not make a context changed."""
    contexts = _contexts(evidence)
    return Effort(
        code_lines_added=evidence.total.added,
        code_lines_deleted=evidence.total.deleted,
        domain_lines_changed=evidence.domain.changed,
        glue_lines_changed=evidence.glue.changed,
        contexts_changed=contexts,
        churn_ratio=_over(evidence.total.changed, reference.total.changed if reference else 0),
        edit_radius=_over(len(contexts), len(_contexts(reference)) if reference else 0),
    )


def _contexts(evidence: EffortEvidence) -> tuple[str, ...]:
    return tuple(sorted(set(evidence.contexts) - {SHARED}))


def _over(changed: int, of_reference: int) -> float | None:
    return changed / of_reference if of_reference else None
