"""The gates of tasks and pairs, seen to pass and seen to fail."""

import io
import shutil
import signal
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from harness.agents import Agent
from harness.agents.controls import Nop, PatchPlayer
from harness.config import BudgetConfig, SandboxKind, VerificationConfig
from harness.executors import LocalExecutor
from harness.gates.tasks import validate_tasks
from harness.plan import Study
from tests.benches import Witness, bench_of, edit, in_background, lend_venv, seambench
from tests.samples import APP, FILES, PATCHES, RENAME, Change, make_patch, write
from tests.woven import make_woven_checkout

WITHOUT_ENGINE = ("--sandbox", "process")


def quickly(home: Path) -> None:
    """Let the gates take little evidence: what is tested is what they make of it."""
    edit(home / "configs/config.yaml", "verification: full", "verification: quick")


def kept(home: Path) -> int:
    """How many trials the gates keep that have not ended."""
    found = home.glob(".cache/gates/*/records.jsonl")
    return sum(path.read_bytes().count(b"\n") for path in found)


def break_off(home: Path, command: Sequence[str], trials: int, by: signal.Signals) -> int:
    """End a gate by a signal once it keeps so many trials; how many it keeps then."""
    with in_background(home, *command) as running:
        while kept(home) < trials and running.poll() is None:
            time.sleep(0.05)
        running.send_signal(by)
        _, said = running.communicate(timeout=60)
    assert running.returncode == 130, said
    return kept(home)


@pytest.mark.timeout(200)
def test_validate_passes_on_a_sound_task_and_goes_on_where_it_was_broken_off(home: Path) -> None:
    """About 30 s: every control on both arms."""
    quickly(home)
    command = ("validate", "--sandbox", "process", "--workers", "1")
    finished = break_off(home, command, 2, signal.SIGTERM)  # as a batch system does
    done = seambench(home, *command)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "10 of 10 controls as they must be, over tally/rename" in done.stdout
    assert done.stderr.count(" s  rename-") == 10 - finished < 9
    assert not kept(home), "a gate that has ended proves everything anew"


@pytest.mark.long
def test_validate_proves_one_arm_alone_where_it_is_asked_to(home: Path) -> None:
    """A gate of every arm that was broken off keeps what it has; another app may lack the arm."""
    quickly(home)
    every = ("validate", "--sandbox", "process", "--workers", "1")
    of_every_arm = break_off(home, every, 1, signal.SIGINT)
    assert of_every_arm
    shutil.copytree(home / "fixtures/tally", home / "fixtures/other")
    edit(home / "fixtures/other/pair.yaml", "app: tally", "app: other")
    edit(home / "fixtures/other/pair.yaml", "  two:\n    path: two", "  three:\n    path: three")
    (home / "fixtures/other/two").rename(home / "fixtures/other/three")
    shutil.copytree(home / "tasks/tally", home / "tasks/other")
    edit(home / "tasks/other/rename/task.yaml", "app: tally", "app: other")
    for patch in list((home / "tasks/other").rglob("two.patch")):
        patch.rename(patch.with_name("three.patch"))

    command = (*every, "--arm")
    done = seambench(home, *command, "two")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 of 5 controls as they must be, over tally/rename\n" in done.stdout
    assert "rename-one" not in done.stderr
    assert kept(home) == of_every_arm
    refused = seambench(home, *command, "four")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "arms: unknown arm 'four'; there is: one, three, two" in refused.stderr


def spoil(home: Path) -> None:
    """Make the task wrong in every way that a task can be."""
    task = home / "tasks/tally/rename"
    write(
        task / "predicates.py",
        (task / "predicates.py").read_text() + "\n\ndef always(tree):\n    return None\n",
    )
    edit(
        task / "task.yaml", "[advance_replaces_next_value]", "[advance_replaces_next_value, always]"
    )
    edit(task / "task.yaml", "{plain: {}}", "{plain: {}, wrong: {}}")
    edit(task / "task.yaml", ", also: [equivalence]", "")
    edit(
        task / "task.yaml",
        "sabotages:\n",
        "sabotages:\n  sound: {meaning: the solution itself, fails: behaviour}\n",
    )
    patches = {"solutions/wrong": PATCHES["sabotages/broken"], "sabotages/sound": RENAME}
    for name, changes in patches.items():
        for arm in APP:
            write(task / name / f"{arm}.patch", make_patch(FILES, changes))


@pytest.mark.long
@pytest.mark.timeout(200)
def test_validate_names_every_way_in_which_a_task_is_wrong(home: Path) -> None:
    """About 30 s: every control on both arms."""
    quickly(home)
    spoil(home)
    done = seambench(home, "validate", "tally/*", "--sandbox", "process", "--workers", "1")
    assert done.returncode == 1
    problems = {}
    for line in done.stdout.splitlines():
        if line.startswith("  rename-"):
            name, _, problem = line.strip().partition(": ")
            problems.setdefault(name.rpartition("-r0")[0], []).append(problem)
    for arm in ("one", "two"):
        assert problems.pop(f"rename-{arm}-nop") == [
            "the predicate always holds on the untouched base"
        ]
        (wrong,) = problems.pop(f"rename-{arm}-oracle-wrong")
        assert wrong.startswith("the solution is not resolved: behaviour: ")
        (sound,) = problems.pop(f"rename-{arm}-sabotage-sound")
        assert sound.startswith("must fail behaviour, fails nothing")
        (broken,) = problems.pop(f"rename-{arm}-sabotage-broken")
        assert broken == "also fails equivalence, which task.yaml does not state"
    assert not problems
    assert "6 of 14 controls as they must be" in done.stdout


def small(study: Study) -> Study:
    """The study with one arm and without sabotages: two controls, nop and the solution."""
    (task,), pair = study.tasks, study.pairs["tally"]
    arms = {"one": pair.spec.arms["one"]}
    pair = replace(pair, spec=pair.spec.model_copy(update={"arms": arms}))
    task = replace(task, spec=task.spec.model_copy(update={"sabotages": {}}))
    return replace(study, tasks=(task,), pairs={"tally": pair})


def validated(home: Path, starts: int) -> tuple[bool, list[str]]:
    """Whether the small study passes the gate, and the lines that the gate prints."""
    agents: dict[str, Agent] = {"nop": Nop(), "oracle": PatchPlayer("solutions")}
    rules, once = VerificationConfig(starts, sequences=20), BudgetConfig(attempts=1)
    said = io.StringIO()
    kind = SandboxKind.process
    with bench_of(home, kind, agents, verification=rules, budget=once) as made:
        executor = LocalExecutor(1, made.sandboxes.abort)
        bench = replace(made, study=small(made.study))
        passed = validate_tasks(bench, executor, Witness(), Console(file=said), home / "gate")
    return passed, said.getvalue().splitlines()


TIRES: list[Change] = [
    *RENAME,
    ("tally/main.py", "values[name])\n", "values[name] + (step.step == 0 and TIRED))\n"),
    (
        "tally/main.py",
        "values: dict[str, int] = {}\n",
        """values: dict[str, int] = {}
with open("starts", "a") as starts:
    starts.write("x")
    TIRED = starts.tell() > 1
""",
    ),
]
"""Wrong from the second start on, where only the hidden test asks."""


def test_validate_judges_a_solution_by_every_fresh_start(home: Path) -> None:
    solution = home / "tasks/tally/rename/solutions/plain/one.patch"
    solution.write_text(make_patch(FILES, TIRES))
    passed, (*problems, last) = validated(home, starts=2)
    assert not passed
    (problem,) = problems
    assert problem.startswith("  rename-one-oracle")
    assert ": the solution is not resolved: behaviour: " in problem
    assert "test_zero_keeps_the_value failed in start 2: " in problem
    assert last == "1 of 2 controls as they must be, over tally/rename"


def test_validate_does_not_pass_where_its_controls_were_lost(home: Path) -> None:
    (home / "tasks/tally/rename/hidden/test_zero.py").write_text("VALUE = 0\n")
    passed, (*problems, last) = validated(home, starts=1)
    assert not passed
    assert len(problems) == 2
    for problem in problems:
        assert ": lost to infrastructure: behaviour: " in problem
        assert "hidden/ collected no tests" in problem
    assert last == "0 of 2 controls as they must be, over tally/rename"


def test_validate_tells_what_is_woven_with_a_part_for_one_arm(home: Path) -> None:
    solution = home / "tasks/tally/rename/solutions/plain"
    for name in ("two.extra", "one.dose2.extra", "extra"):
        (solution / f"{name}.patch").write_text("")
    passed, (told, last) = validated(home, starts=1)
    assert passed
    assert told == "  tally/rename/solutions/plain: with a part for one from dose 2, two"
    assert last == "2 of 2 controls as they must be, over tally/rename"


VALUE = "(BaseModel):\n    value: int\n"
RETYPED: Change = ("tally/main.py", VALUE, VALUE.replace("int", "str"))
FAULTY: Change = (
    "tally/main.py",
    VALUE,
    f"""{VALUE}
    def model_post_init(self, _: object) -> None:
        self.value += self.value == 0
""",
)


@pytest.mark.long
@pytest.mark.timeout(200)
@pytest.mark.parametrize(
    ("kind", "fault", "told"),
    [
        ("L", RETYPED, "the untouched base fails behaviour, contract, equivalence"),
        ("D", RETYPED, "the untouched base fails behaviour, contract, equivalence"),
        ("L", FAULTY, "the untouched base fails behaviour, equivalence, structure: "),
        ("D", FAULTY, None),
    ],
)
def test_a_base_of_its_own_must_be_sound_but_for_a_fault_that_the_task_is_about(
    home: Path, kind: str, fault: Change, told: str | None
) -> None:
    """About 25 s: every control on both arms."""
    quickly(home)
    task = home / "tasks/tally/rename"
    edit(task / "task.yaml", "contexts: [tally]", "contexts: [tally]\nbase: base")
    for arm in APP:
        write(task / f"base/{arm}.patch", make_patch(FILES, [fault]))
    edit(task / "task.yaml", "class: L", f"class: {kind}")
    done = seambench(home, "validate", "tally/*", "--sandbox", "process", "--workers", "1")
    lines = [line.partition(": ")[2] for line in done.stdout.splitlines() if "-nop-" in line]
    assert len(lines) == (2 if told else 0), done.stdout + done.stderr
    assert all(line.startswith(str(told)) for line in lines)


def test_a_seeded_fault_that_nothing_sees_is_told(home: Path) -> None:
    edit(home / "tasks/tally/rename/task.yaml", "class: L", "class: D")
    passed, (problem, last) = validated(home, starts=1)
    assert not passed
    assert problem.startswith("  rename-one-nop")
    assert problem.endswith(": no test and no sequence sees the fault of the untouched base")
    assert last == "1 of 2 controls as they must be, over tally/rename"


def look(home: Path) -> None:
    """Let every sequence end by looking, as those of a sound app do."""
    sequences = home / "fixtures/tally/contract/sequences.py"
    looks = "dict(method='GET', path='/health', headers=dict(), save=dict())"
    edit(sequences, "    ])", f"    ] + [{looks}])")


def test_equal_arms_pass_the_pair_gate(home: Path) -> None:
    look(home)
    done = seambench(home, "pairs", "verify", "tally", *WITHOUT_ENGINE, "--sequences", "30")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "one: contract suite 3/3 passed" in done.stdout
    assert "two: contract suite 3/3 passed" in done.stdout
    assert "two answers like one: 30 sequences, 120 requests" in done.stdout


def test_arms_of_which_nothing_is_asked_after_a_restart_do_not_pass(home: Path) -> None:
    done = seambench(home, "pairs", "verify", "tally", *WITHOUT_ENGINE, "--sequences", "5")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "two answers like one: 5 sequences, 15 requests" in done.stdout
    assert (
        "  of the sequences asked again after a restart none ends by looking (GET)" in done.stdout
    )


@pytest.mark.timeout(200)
def test_arms_that_differ_are_shown_by_the_smallest_exchange(home: Path) -> None:
    """About 20 s: every smaller example is tried on fresh starts of both arms."""
    rules = home / "fixtures/tally/two/tally/rules.py"
    edit(rules, "return value + step", "return value + step + (step == 2)")
    done = seambench(home, "pairs", "verify", "tally", *WITHOUT_ENGINE, "--sequences", "20")
    assert done.returncode == 1
    assert "two: contract suite 3/3 passed" in done.stdout
    assert "two differs from one" in done.stdout, done.stdout + done.stderr
    shown = done.stdout[done.stdout.index("two differs from one") :].splitlines()
    assert shown[0].endswith("step 1:")
    assert shown[1].startswith("  1. POST /v1/tallies/s")
    assert shown[1].endswith('{"step": 2}')
    assert shown[-2].strip().startswith("one: 201")
    assert shown[-1].strip().startswith("two: 201")
    assert '"value": 3' in shown[-1].replace("'", '"')
    assert len(shown) == 5


def test_an_arm_that_breaks_the_contract_suite_is_named_with_the_test(home: Path) -> None:
    rules = home / "fixtures/tally/two/tally/rules.py"
    edit(rules, "return value + step", "return value + step + (step == 5)")
    done = seambench(home, "pairs", "verify", "tally", *WITHOUT_ENGINE, "--sequences", "5")
    assert done.returncode == 1
    assert "one: contract suite 3/3 passed" in done.stdout
    assert "two: contract suite 2/3 passed" in done.stdout
    assert "test_a_step_counts_up_and_never_down[5-5]" in done.stdout


def test_the_parity_report_has_a_column_for_each_arm(home: Path) -> None:
    done = seambench(home, "pairs", "show", "tally", *WITHOUT_ENGINE)
    assert done.returncode == 0, done.stderr
    rows = {
        cells[0]: cells[1:]
        for line in done.stdout.splitlines()
        if len(cells := [cell.strip() for cell in line.split("│") if cell.strip()]) == 3
    }
    seconds = rows.pop("start-up, s")
    assert rows == {
        "domain: code lines": ["4", "4"],
        "domain: tokens": ["25", "25"],
        "domain: files": ["1", "1"],
        "glue: code lines": ["16", "21"],
        "glue: tokens": ["128", "162"],
        "glue: files": ["2", "3"],
        "files a context": ["2.0", "2.0"],
        "contexts": ["1", "1"],
        "programs": ["1", "2"],
        "public endpoints": ["2", "2"],
    }
    assert all(0 < float(each) < 30 for each in seconds)


@pytest.mark.long
@pytest.mark.timeout(200)
def test_strength_ends_well_only_where_nothing_is_wrong(tmp_path: Path) -> None:
    """About 15 s: the unchanged app and one mutant on three arms."""
    home = lend_venv(make_woven_checkout(tmp_path / "home"))
    quickly(home)
    command = ("strength", "tally", *WITHOUT_ENGINE, "--sample", "1", "--seed", "0")
    sound = seambench(home, *command)
    assert sound.returncode == 0, sound.stdout + sound.stderr
    assert "counting.raised.4.arithmetic on monolith: test contract/" in sound.stderr
    assert "1 of 11 mutants, each on 3 arms. The kill sets of the arms are equal." in sound.stdout
    assert "| all | 1 of 1 (100%) | 1 of 1 (100%) | 1 of 1 (100%) |" in sound.stdout
    assert (home / "results/strength/tally.md").read_text() == sound.stdout

    write(home / "fixtures/tally/survivors.yaml", "counting.gone: 'unseen: nobody asks'\n")
    wrong = seambench(home, *command)
    assert wrong.returncode == 1, wrong.stderr
    assert "6 verdicts, 6 of them known already" in wrong.stderr
    said = "  survivors.yaml: counting.gone: there is no such mutant\n"
    assert wrong.stdout == sound.stdout + said


@pytest.mark.long
@pytest.mark.timeout(200)
def test_a_verdict_of_strength_is_taken_again_only_under_the_same_rules(tmp_path: Path) -> None:
    """About 30 s: the unchanged app and one mutant on three arms, and once more."""
    home = lend_venv(make_woven_checkout(tmp_path / "home"))
    quickly(home)
    pair = home / "fixtures/tally/pair.yaml"
    command = ("strength", "tally", *WITHOUT_ENGINE, "--sample", "1", "--seed", "0")
    assert "6 verdicts, 0 of them known already" in seambench(home, *command).stderr
    pair.write_text(pair.read_text().replace("start_seconds: 30.0", "start_seconds: 31.0", 1))
    assert "6 verdicts, 4 of them known already" in seambench(home, *command).stderr
    edit(pair, "tal_[0-9a-z]+", "tal_[0-9a-f]+")
    assert "6 verdicts, 0 of them known already" in seambench(home, *command).stderr
