"""What the verifier said, parsed strictly: anything odd is no evidence.

The verdict is the last line of the verifier's stdout and nothing else (see `harness.verifier`).
Everything here raises VerifierError with one line.
"""

from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from harness.errors import VerifierError
from harness.records import Outcome

_LONGEST_ERROR = 300


class Evidence(BaseModel):
    """A frozen verdict; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class TestOutcome(Evidence):
    """One hidden test in one fresh start."""

    __test__ = False  # pytest: a record, not a test class

    test: str = Field(min_length=1)
    context: str | None
    outcome: Outcome
    seconds: float = Field(ge=0)
    message: str | None


class BehaviourEvidence(Evidence):
    """One run of the hidden suite against one fresh start."""

    phase: Literal["behaviour"]
    exit_code: int
    collected: int = Field(gt=0)
    seconds: float
    tests: list[TestOutcome] = Field(min_length=1)

    @model_validator(mode="after")
    def _agree(self) -> "BehaviourEvidence":
        names = {test.test for test in self.tests}
        if len(names) != len(self.tests):
            raise ValueError("a test is listed twice")
        if len(names) != self.collected:
            raise ValueError(f"{self.collected} tests collected, {len(names)} listed")
        bad = any(test.outcome in ("failed", "error") for test in self.tests)
        if self.exit_code != int(bad):
            raise ValueError(f"exit code {self.exit_code} contradicts the outcomes")
        return self


class Told(Evidence):
    """One side of a difference."""

    status: int
    content_type: str
    body: str


class Forgotten(Evidence):
    """The first request that is answered otherwise after a restart."""

    sequence: str
    request: str
    expected: Told
    got: Told
    what: str


class Difference(Forgotten):
    """The first exchange that differs; texts are normalised."""

    step: int = Field(ge=1)


class ReplayEvidence(Evidence):
    """Sequences compared with the base, or recorded from it."""

    phase: Literal["replay"]
    mode: Literal["record", "compare"]
    sequences: int = Field(gt=0)
    sequences_total: int = Field(gt=0)
    calls: int = Field(gt=0)
    looks: int = Field(ge=0)
    """requests that changed nothing, kept to be asked again after a restart"""
    seconds: float
    digest: str
    difference: Difference | None
    answers: str | None

    @model_validator(mode="after")
    def _agree(self) -> "ReplayEvidence":
        if (self.answers is not None) != (self.mode == "record"):
            raise ValueError("answers belong to a recording and only to it")
        if self.difference is None and self.sequences != self.sequences_total:
            raise ValueError("not every sequence was played")
        return self


class RestartEvidence(Evidence):
    """What the app shows after it was started again on its data, compared with before."""

    phase: Literal["restart"]
    looks: int = Field(gt=0)
    looks_total: int = Field(gt=0)
    seconds: float
    difference: Forgotten | None

    @model_validator(mode="after")
    def _agree(self) -> "RestartEvidence":
        if self.difference is None and self.looks != self.looks_total:
            raise ValueError("not everything was looked at again")
        return self


class PredicateResult(Evidence):
    """One structural predicate."""

    name: str
    holds: bool
    reason: str | None

    @model_validator(mode="after")
    def _agree(self) -> "PredicateResult":
        if self.holds == bool(self.reason):
            raise ValueError(f"predicate {self.name} must have a reason if and only if it fails")
        return self


class Edits(Evidence):
    """Files, and code lines without blank lines, comments and docstrings."""

    files: int = Field(ge=0)
    added: int = Field(ge=0)
    deleted: int = Field(ge=0)

    @property
    def changed(self) -> int:
        return self.added + self.deleted


class EffortEvidence(Evidence):
    """What a patch changes; `contexts` has only those with an edited file, `shared` the rest."""

    total: Edits
    domain: Edits
    glue: Edits
    contexts: dict[str, Edits]


class QualityFacts(Evidence):
    """One side of a patch; see `harness.verifier.quality`."""

    asked: dict[str, list[str]]
    complexities: list[int]
    cohesions: list[int]
    lines: int = Field(ge=0)
    repeated_lines: int = Field(ge=0)


class QualityEvidence(Evidence):
    """What the code is like before and after a patch."""

    before: QualityFacts
    after: QualityFacts


class InspectEvidence(Evidence):
    """What the two trees alone tell."""

    phase: Literal["inspect"]
    structure: list[PredicateResult]
    integrity: list[str]
    effort: EffortEvidence
    effort_complete: bool
    quality: QualityEvidence | None
    """null: a tree could not be parsed within the bounds"""

    @property
    def counted(self) -> EffortEvidence | None:
        """The effort; null where counting did not come to its end."""
        return self.effort if self.effort_complete else None


class ContractEvidence(Evidence):
    """Interfaces compared with the base's, or recorded from it."""

    phase: Literal["contract"]
    mode: Literal["record", "compare"]
    programs: list[str] = Field(min_length=1)
    operations: int = Field(gt=0)
    breaks: list[str]
    documents: dict[str, object] | None

    @model_validator(mode="after")
    def _agree(self) -> "ContractEvidence":
        if (self.documents is not None) != (self.mode == "record"):
            raise ValueError("documents belong to a recording and only to it")
        return self


E = TypeVar("E", bound=Evidence)


def read_verdict(kind: type[E], stdout: str, code: int | None, stderr: str = "") -> E:
    """The verdict of a phase that ended with exit code `code` (null: it was ended)."""
    name = kind.__name__.removesuffix("Evidence").lower()
    if code != 0:
        said = next((line for line in reversed(stderr.splitlines()) if line.strip()), "no word")
        raise VerifierError(f"{name}: exit code {code}: {said.strip()[:_LONGEST_ERROR]}")
    lines = stdout.splitlines()
    if not lines or not lines[-1].startswith("{"):
        raise VerifierError(f"{name}: there is no verdict on the last line of the output")
    try:
        return kind.model_validate_json(lines[-1])
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the verdict"
        told = f"{name}: {where}: {first['msg']}"[:_LONGEST_ERROR]
        raise VerifierError(told) from None
