"""What must hold of judged mutants, and the table that they are kept in."""

import csv
from pathlib import Path

import pytest

from harness.errors import BadInput
from harness.gates.kills import (
    UNCHANGED,
    Findings,
    Killer,
    Ledger,
    Verdict,
    problems,
    read_reasons,
    summary,
)
from harness.pairs.weave import Mutant

ARMS = ("one", "two")
NAMES = [f"tally.step.{line}.comparison" for line in range(1, 11)]


def mutant(name: str) -> Mutant:
    return Mutant(name, "tally", "step", 2, "comparison", "<", "<=", "domain/tally.py", "")


def verdict(name: str, arm: str, killed_by: Killer = "test", judged: str = "d1") -> Verdict:
    return Verdict(
        mutant=name,
        context="tally",
        function="step",
        line=2,
        operator="comparison",
        before="<",
        after="<=",
        arm=arm,
        killed_by=killed_by,
        first="contract/test_tally.py::test_step" if killed_by == "test" else "",
        why="assert 1 == 2,\nor so",
        judged=judged,
    )


def findings(lives: dict[str, tuple[str, ...]], reasons: dict[str, str] | None = None) -> Findings:
    """Ten mutants, killed by a test but on the arms where they live."""
    rows = [verdict(UNCHANGED, arm, "nothing") for arm in ARMS]
    rows += [
        verdict(name, arm, "nothing" if arm in lives.get(name, ()) else "test")
        for name in NAMES
        for arm in ARMS
    ]
    return Findings("tally", [mutant(name) for name in [*NAMES, "tally.x"]], rows, reasons or {})


def test_nothing_is_wrong_where_the_one_survivor_has_a_reason():
    found = findings({NAMES[3]: ARMS}, {NAMES[3]: "equivalent: no step is 0"})
    assert list(problems(found)) == []
    told = summary(found, "seambench strength tally")
    assert "10 of 11 mutants, each on 2 arms. The kill sets of the arms are equal." in told
    assert "| tally | 9 of 10 (90%) | 9 of 10 (90%) |" in told
    assert "| all but the equivalent | 9 of 9 (100%) | 9 of 9 (100%) |" in told
    assert "| test | 9 | 9 |" in told
    assert f"- `{NAMES[3]}` (line 2): `<` became `<=`. equivalent: no step is 0" in told


def test_a_summary_without_survivors_says_so():
    assert summary(findings({}), "x").endswith("## Survivors\n\nNone.\n")


def test_a_survivor_without_a_reason_is_named():
    assert list(problems(findings({NAMES[3]: ARMS}))) == [
        f"{NAMES[3]}: survives without a reason in survivors.yaml"
    ]


def test_kill_sets_that_differ_are_told_by_mutant_and_arm():
    found = findings({NAMES[3]: ("two",)}, {NAMES[3]: "unseen: nobody asks"})
    assert list(problems(found)) == [f"{NAMES[3]}: killed on one, lives on two"]
    assert "The kill sets of the arms are NOT equal." in summary(found, "x")


def test_too_few_kills_are_told_by_arm():
    lives = dict.fromkeys(NAMES[:2], ARMS)
    found = findings(lives, dict.fromkeys(NAMES[:2], "unseen: nobody asks"))
    assert list(problems(found)) == [
        "one: 80.0% of the mutants are killed, 90% must be",
        "two: 80.0% of the mutants are killed, 90% must be",
    ]


def test_an_unchanged_app_that_fails_discredits_the_rest():
    rows = [verdict(UNCHANGED, "one"), *findings({}).verdicts[1:]]
    found = Findings("tally", [mutant(name) for name in NAMES], rows, {})
    (problem,) = problems(found)
    assert problem.startswith("one: the unchanged app fails: test contract/test_tally.py::")


def test_a_reason_that_no_survivor_needs_is_named():
    reasons = {NAMES[0]: "unseen: nobody asks", "tally.gone": "unseen: nobody asks"}
    assert list(problems(findings({}, {**reasons, "tally.x": "unseen: not of this sample"}))) == [
        f"survivors.yaml: {NAMES[0]}: does not survive, take it out",
        "survivors.yaml: tally.gone: there is no such mutant",
    ]


@pytest.mark.parametrize("reason", ["", "equivalent:", "because: so it is", "unseen:  x"])
def test_a_reason_says_of_which_kind_it_is_and_why(tmp_path: Path, reason: str):
    path = tmp_path / "survivors.yaml"
    path.write_text(f'tally.x: "{reason}"\n', encoding="utf-8")
    with pytest.raises(BadInput, match=r"survivors.yaml:1: tally.x: "):
        read_reasons(path)


def test_reasons_are_read_and_none_are_needed(tmp_path: Path):
    path = tmp_path / "survivors.yaml"
    assert read_reasons(path) == {}
    path.write_text('tally.x: "equivalent: a: b"\n', encoding="utf-8")
    assert read_reasons(path) == {"tally.x": "equivalent: a: b"}


def test_the_ledger_keeps_every_verdict_and_forgets_what_no_longer_holds(tmp_path: Path):
    path = tmp_path / "results/tally.csv"
    rows = [verdict(name, arm) for name in NAMES[:2] for arm in ARMS]
    with Ledger(path) as ledger:
        for row in rows:
            ledger.add(row)
    with Ledger(path) as again:
        assert [again.verdict(row.mutant, row.arm, "d1") for row in rows] == rows
        assert again.verdict(NAMES[0], "one", "d2") is None
        assert again.verdict(NAMES[2], "one", "d1") is None


def test_a_smaller_sample_comes_first_and_takes_nothing_away(tmp_path: Path):
    path = tmp_path / "tally.csv"
    rows = [verdict(name, arm) for name in [*NAMES[:2], "tally.gone"] for arm in ARMS]
    with Ledger(path) as ledger:
        for row in rows:
            ledger.add(row)
        ledger.arrange(rows[2:4], NAMES)
    with path.open(encoding="utf-8", newline="") as file:
        kept = [(row["mutant"], row["arm"]) for row in csv.DictReader(file)]
    assert kept == [(row.mutant, row.arm) for row in [*rows[2:4], *rows[:2]]]


def test_two_at_once_do_not_write_one_folder(tmp_path: Path):
    path = tmp_path / "tally.csv"
    with Ledger(path), pytest.raises(BadInput, match="another `strength` is writing there"):
        Ledger(path)
    Ledger(path).close()


def test_a_table_that_is_none_is_refused_with_its_line(tmp_path: Path):
    path = tmp_path / "tally.csv"
    with Ledger(path) as ledger:
        ledger.add(verdict(NAMES[0], "one"))
    path.write_text(path.read_text().replace(",test,", ",luck,"))
    with pytest.raises(BadInput, match=r"tally.csv:\d: .*killed_by"):
        Ledger(path)


def test_a_table_that_is_no_text_is_named(tmp_path: Path):
    path = tmp_path / "tally.csv"
    path.write_bytes(b"mutant,context\ncaf\xe9,tally\n")
    with pytest.raises(BadInput, match=r"tally\.csv: not UTF-8: "):
        Ledger(path)
