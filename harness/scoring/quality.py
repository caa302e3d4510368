"""Quality: what a patch makes of the code, as changes (after less before; SCIENCE.md (b)).

The nodes are bounded contexts, and an edge leads from each to those that it asks, so that imports
within one program and calls between services count alike.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TypeVar

from harness.scoring.evidence import QualityEvidence

N = TypeVar("N", int, float)
Edges = Mapping[str, Collection[str]]


@dataclass(frozen=True)
class Quality:
    """Changes; null where a side has nothing to measure."""

    propagation_cost: float | None
    """MacCormack, Rusnak and Baldwin 2006: pairs of nodes, each with itself, of which one reaches
    the other, of all pairs; null: no context has code"""
    dependencies: int
    """edges: the sum of Ce over contexts, which is the sum of Ca"""
    mutual_pairs: int
    """contexts that ask each other: SIY (Rud et al. 2006)"""
    circular_contexts: int
    afferent: int
    """edges into the target contexts, those between them too (Ca; AIS of services)"""
    efferent: int
    """edges out of the target contexts, likewise (Ce; ADS of services)"""
    instability: float
    """Ce / (Ca + Ce), Martin 1994: mean over target contexts; 0 for one without an edge"""
    complexity: int
    """sum over touched functions: what is as complex as before does not count"""
    complexity_mean: float | None
    complexity_max: int | None
    cohesion_lack: float | None
    repeated_lines: int
    """no share: arms differ in how many lines they repeat before anything is changed"""


def quality(evidence: QualityEvidence, targets: Collection[str]) -> Quality:
    """The quality columns of a trial; `targets` are the task's contexts."""
    before, after = evidence.before, evidence.after
    return Quality(
        propagation_cost=_less(propagation_cost(after.asked), propagation_cost(before.asked)),
        dependencies=_edges(after.asked) - _edges(before.asked),
        mutual_pairs=_mutual(after.asked) - _mutual(before.asked),
        circular_contexts=_circular(after.asked) - _circular(before.asked),
        afferent=_into(after.asked, targets) - _into(before.asked, targets),
        efferent=_out_of(after.asked, targets) - _out_of(before.asked, targets),
        instability=_instability(after.asked, targets) - _instability(before.asked, targets),
        complexity=sum(after.complexities) - sum(before.complexities),
        complexity_mean=_less(_mean(after.complexities), _mean(before.complexities)),
        complexity_max=_less(_largest(after.complexities), _largest(before.complexities)),
        cohesion_lack=_less(_mean(after.cohesions), _mean(before.cohesions)),
        repeated_lines=after.repeated_lines - before.repeated_lines,
    )


def propagation_cost(asked: Edges) -> float | None:
    """The density of the transitive closure with its diagonal; null without nodes."""
    return sum(len(_reached(asked, node)) for node in asked) / len(asked) ** 2 if asked else None


def _reached(asked: Edges, start: str) -> set[str]:
    """A node and whatever it leads to."""
    found = {start}
    waiting = [start]
    while waiting:
        new = set(asked.get(waiting.pop(), ())) - found
        found |= new
        waiting += new
    return found


def _edges(asked: Edges) -> int:
    return sum(map(len, asked.values()))


def _mutual(asked: Edges) -> int:
    back = (one in asked.get(other, ()) for one, others in asked.items() for other in others)
    return sum(back) // 2


def _circular(asked: Edges) -> int:
    return sum(
        any(node in _reached(asked, other) for other in others) for node, others in asked.items()
    )


def _into(asked: Edges, targets: Collection[str]) -> int:
    return sum(other in targets for others in asked.values() for other in others)


def _out_of(asked: Edges, targets: Collection[str]) -> int:
    return sum(len(asked.get(target, ())) for target in targets)


def _instability(asked: Edges, targets: Collection[str]) -> float:
    both = ((_out_of(asked, [target]), _into(asked, [target])) for target in targets)
    return fmean(out / ((out + into) or 1) for out, into in both)


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None


def _largest(values: Sequence[int]) -> int | None:
    return max(values, default=None)


def _less(after: N | None, before: N | None) -> N | None:
    return None if after is None or before is None else after - before
