"""The score of a trial: five factors and what follows from them (SCIENCE.md (b))."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.scoring.behaviour import behaviour, passed_everywhere
from harness.scoring.contract import contract
from harness.scoring.equivalence import LEAST_SEQUENCES, equivalence
from harness.scoring.evidence import (
    BehaviourEvidence,
    ContractEvidence,
    InspectEvidence,
    ReplayEvidence,
    RestartEvidence,
)
from harness.scoring.factor import Factor
from harness.scoring.integrity import integrity
from harness.scoring.structure import structure


@dataclass(frozen=True)
class Score:
    """Five factors. A test counts as passed when it passed in every fresh start that ran."""

    behaviour: Factor
    equivalence: Factor
    structure: Factor
    contract: Factor
    integrity: Factor
    tests_passed: int
    tests_total: int
    sequences_replayed: int

    @property
    def factors(self) -> tuple[Factor, ...]:
        return (self.behaviour, self.equivalence, self.structure, self.contract, self.integrity)

    @property
    def resolved(self) -> bool:
        """Y = B x R x S x C x T."""
        return all(factor.holds for factor in self.factors)

    @property
    def reason(self) -> str | None:
        """Why the first failing factor failed; null when resolved."""
        return next((f"{f.name}: {f.reason}" for f in self.factors if not f.holds), None)


def unstarted(
    inspect: InspectEvidence,
    why: str,
    *,
    predicates: Sequence[str],
    starts: Sequence[BehaviourEvidence] = (),
) -> Score:
    """The score of a tree whose app does not start: what it does fails, what it says is judged.

    `starts`: the fresh starts before the one that failed, whose tests are counted.
    """
    seen = behaviour(starts).reason if starts else None
    return Score(
        behaviour=Factor.of("behaviour", seen or why),
        equivalence=Factor.of("equivalence", why),
        structure=structure(inspect, predicates),
        contract=Factor.of("contract", why),
        integrity=integrity(inspect),
        tests_passed=len(passed_everywhere(starts)),
        tests_total=len(starts[0].tests) if starts else 0,
        sequences_replayed=0,
    )


def score(
    starts: Sequence[BehaviourEvidence],
    replay: ReplayEvidence,
    restart: RestartEvidence | str | None,
    inspect: InspectEvidence,
    contracts: ContractEvidence,
    *,
    predicates: Sequence[str],
    least_sequences: int = LEAST_SEQUENCES,
) -> Score:
    """Turn the evidence of one trial into its score. Raises VerifierError."""
    return Score(
        behaviour=behaviour(starts),
        equivalence=equivalence(replay, restart, least=least_sequences),
        structure=structure(inspect, predicates),
        contract=contract(contracts),
        integrity=integrity(inspect),
        tests_passed=len(passed_everywhere(starts)),
        tests_total=len(starts[0].tests),
        sequences_replayed=replay.sequences,
    )
