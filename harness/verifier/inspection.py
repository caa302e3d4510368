"""Phase `inspect`: what can be told from the two trees alone."""

from collections.abc import Iterator

from .effort import Effort, effort
from .integrity import integrity
from .job import Job
from .limited import limited
from .quality import quality
from .structure import structure
from .walk import Unparsable

_MOST_FINDINGS = 200


def inspect(job: Job) -> dict[str, object]:
    """Structure, integrity, effort, quality. Code that cannot be inspected is itself a finding."""
    base, tree = job.files("base"), job.files("tree")
    settings = job.settings

    def findings() -> Iterator[str]:
        for number, finding in enumerate(integrity(base, tree, settings)):
            if number == _MOST_FINDINGS:
                return
            yield " ".join(finding.split())[:300]

    def counts() -> Iterator[dict[str, object]]:
        yield effort(base, tree, settings).to_json()
        try:
            before, after = quality(base, tree, settings)
        except (Unparsable, ValueError):
            return  # what is no Python, or cannot be written as such, has no quality
        yield {"before": before.to_json(), "after": after.to_json()}

    bounds = settings.inspect_seconds, settings.inspect_mb
    found = limited(findings, *bounds)
    counted = limited(counts, *bounds)
    unknown = [f"the tree could not be inspected: {found.died}"] if found.died else []
    return {
        "structure": structure(job),
        "integrity": [*found.items, *unknown],
        "effort": counted.items[0] if counted.items else Effort().to_json(),
        "effort_complete": bool(counted.items),
        "quality": counted.items[1] if len(counted.items) > 1 else None,
    }
