"""What an untouched arm answers is recorded once, and anew when anything that it hangs on changes.

Sandboxes that are over tell the two apart: what is kept needs none.
"""

import json
import tempfile
from pathlib import Path

import pytest

from harness.bases import Bases
from harness.config import VerificationConfig
from harness.errors import EngineGone
from harness.pairs import load_pair
from harness.paths import Checkout
from harness.references import References
from harness.sandbox import Sandboxes
from harness.sandbox.process import ProcessSandboxes
from harness.verification import Known
from harness.verifier.replay import unpack
from tests.benches import edit
from tests.sandboxes import say

RULES = "fixtures/tally/one/tally/rules.py"


@pytest.fixture
def over() -> Sandboxes:
    """None of them opens any more."""
    made = ProcessSandboxes(say)
    made.abort()
    return made


def ask(home: Path, sandboxes: Sandboxes, *, seed: int = 1, sequences: int = 2) -> Known:
    """What is known of the first arm, as a new run asks for it: nothing but the cache is kept."""
    checkout = Checkout(home)
    rules = VerificationConfig(starts=1, sequences=sequences, seed=seed)
    with tempfile.TemporaryDirectory() as scratch:
        bases = Bases(Path(scratch))
        references = References(sandboxes, bases, rules, checkout.cache / "references")
        return references.known(load_pair(checkout, "tally"), "one")


def values(known: Known) -> list[list[int | None]]:
    """The tally after each step of each sequence; null where the step was refused."""
    answers = unpack(known.answers or "").values()
    return [[json.loads(body).get("value") for _, _, body in each] for each in answers]


def counted(known: Known, more: int = 0) -> list[list[int | None]]:
    """The same by hand: a tally goes up by each step and by `more`, never down; "x" is no step."""
    found = []
    for sequence in json.loads(known.sequences):
        value, row = 0, []
        for step in (each["body"]["step"] for each in sequence["steps"]):
            value += step + more if step in {1, 2} else 0
            row.append(None if step == "x" else value)
        found.append(row)
    return found


def test_an_arm_is_recorded_once_and_anew_when_it_answers_otherwise(
    home: Path, processes: Sandboxes, over: Sandboxes
) -> None:
    first = ask(home, processes)
    assert values(first) == counted(first)
    assert ask(home, over) == first
    edit(home / RULES, "value + step", "value + step + 1")
    with pytest.raises(EngineGone):
        ask(home, over)
    second = ask(home, processes)
    assert second.sequences == first.sequences
    assert values(second) == counted(first, more=1) != values(first)
    edit(home / RULES, "value + step + 1", "value + step")
    assert ask(home, over) == first


def test_other_rules_have_sequences_and_answers_of_their_own(
    home: Path, processes: Sandboxes, over: Sandboxes
) -> None:
    rules = [{"seed": 1}, {"seed": 2}, {"seed": 1, "sequences": 3}]
    found = [ask(home, processes, **each) for each in rules]
    assert [len(json.loads(known.sequences)) for known in found] == [2, 2, 3]
    assert found[0].sequences != found[1].sequences
    for known, each in zip(found, rules, strict=True):
        assert values(known) == counted(known)
        assert ask(home, over, **each) == known
