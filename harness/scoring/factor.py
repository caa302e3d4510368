"""One factor of Resolved."""

from dataclasses import dataclass
from typing import Self

from harness.tasks.spec import Factor as FactorName


@dataclass(frozen=True)
class Factor:
    """Whether a factor holds, and in one line why not; `reason` is null exactly where it holds."""

    name: FactorName
    holds: bool
    reason: str | None

    @classmethod
    def of(cls, name: FactorName, reason: str | None) -> Self:
        """A factor that holds unless there is a reason."""
        return cls(name, reason is None, None if reason is None else " ".join(reason.split()))
