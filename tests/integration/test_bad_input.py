"""Bad input gets one line that names it, and exit code 2: through the real command."""

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.analysis.frame import read_trials
from tests.benches import CONTROLS, QUICK, edit, seambench
from tests.samples import write

TASK = "tasks/tally/rename/task.yaml"
PAIR = "fixtures/tally/pair.yaml"
RUN = ("run", "sandbox=process", *QUICK, "name=bad")
RUN_SMALL = (*RUN, "budget=small")
PREDICTIONS = ("run", *QUICK, "agent=predictions", "--dry-run")
Spoil = Callable[[Path], object]


def replaced(path: str, old: str, new: str) -> Spoil:
    return lambda home: edit(home / path, old, new)


def removed(path: str) -> Spoil:
    return lambda home: (home / path).unlink()


def added(path: str) -> Spoil:
    return lambda home: (home / path).touch()


def no_text(path: str) -> Spoil:
    return lambda home: (home / path).write_bytes(b"caf\xe9\n")


def nothing(home: Path) -> None:
    """The arguments alone are wrong."""


CASES: dict[str, tuple[Spoil, tuple[str, ...], tuple[str, ...]]] = {
    "unknown app": (
        replaced(TASK, "app: tally", "app: taly"),
        RUN,
        ("task.yaml: app: unknown app 'taly'; there is: tally",),
    ),
    "unknown context": (
        replaced(TASK, "contexts: [tally]", "contexts: [tolly]"),
        RUN,
        ("task.yaml: contexts: unknown context 'tolly'",),
    ),
    "new context that is there": (
        replaced(TASK, "contexts: [tally]", "contexts: [tally]\nnew_contexts: [tally]"),
        RUN,
        ("task.yaml: new_contexts: tally has a context 'tally' already",),
    ),
    "unknown context of an arm": (
        replaced(PAIR, "contexts: [tally]", "contexts: [counter]"),
        RUN,
        ("pair.yaml: arms.one.contexts: unknown context 'tally'",),
    ),
    "unknown app whose behaviour it has": (
        replaced(PAIR, "title: A tally", "title: A tally\nbehaviour: tolly"),
        RUN,
        ("pair.yaml: behaviour: unknown app 'tolly'; there is: tally",),
    ),
    "unknown arm": (nothing, (*RUN, "arms=[three]"), ("unknown arm 'three'; there is: one, two",)),
    "patch of an unknown arm": (
        added("tasks/tally/rename/solutions/plain/six.patch"),
        RUN,
        ("six.patch: unknown arm 'six'",),
    ),
    "missing patch": (
        removed("tasks/tally/rename/sabotages/hollow/two.patch"),
        RUN,
        ("task.yaml: sabotages/hollow/two.patch is missing",),
    ),
    "solution that is not listed": (
        lambda home: write(home / "tasks/tally/rename/solutions/other/one.patch", ""),
        RUN,
        ("task.yaml: solutions/other/ is there and not listed",),
    ),
    "sabotage that is not listed": (
        lambda home: write(home / "tasks/tally/rename/sabotages/other/one.patch", ""),
        RUN,
        ("task.yaml: sabotages/other/ is there and not listed",),
    ),
    "missing hidden suite": (
        removed("tasks/tally/rename/hidden/test_zero.py"),
        RUN,
        ("hidden/ holds no test_*.py",),
    ),
    "missing app.toml": (
        removed("fixtures/tally/one/app.toml"),
        RUN,
        ("pair.yaml: arms.one.path:", "holds no app.toml"),
    ),
    "architecture word": (
        replaced("tasks/tally/rename/instruction.md", "tally to", "tally\nin each service to"),
        RUN,
        ("instruction.md:2: 'service' names an architecture",),
    ),
    "words that are no text": (
        no_text("tasks/tally/rename/instruction.md"),
        RUN,
        ("instruction.md: not UTF-8: ",),
    ),
    "bad yaml": (replaced(TASK, "class: L", "class: [L"), RUN, ("task.yaml:", ": not YAML:")),
    "a key twice": (
        replaced(TASK, "class: L", "class: L\nclass: X"),
        RUN,
        ("task.yaml:5: not YAML: class stands twice",),
    ),
    "unknown key in a task": (
        replaced(TASK, "family: rename", "family: rename\ncolour: red"),
        RUN,
        ("task.yaml:4: colour: Extra inputs are not permitted",),
    ),
    "no time for an agent": (
        replaced(TASK, "class: L", "class: L\nagent_seconds: 0"),
        RUN,
        ("task.yaml:5: agent_seconds: Input should be greater than 0",),
    ),
    "a tag that does not fit": (
        replaced(TASK, "class: L", 'class: !!bool "x"'),
        RUN,
        ("task.yaml:", ": not YAML: a tag (!!...) does not fit its value"),
    ),
    "wrong class": (replaced(TASK, "class: L", "class: Z"), RUN, ("task.yaml:", ": class: ")),
    "config that is no yaml": (
        replaced("configs/budget/small.yaml", "study_usd:", "- study_usd:"),
        RUN_SMALL,
        ("configs/budget/small.yaml:", ": not YAML: "),
    ),
    "config that is no text": (
        no_text("configs/budget/small.yaml"),
        RUN_SMALL,
        ("configs/budget/small.yaml: not UTF-8: ",),
    ),
    "results of a name too long": (nothing, (*RUN, f"name={'n' * 300}"), ("File name too long",)),
    "the last of many jobs": (
        nothing,
        ("run", "--multirun", *RUN[1:], "seed=1,2", "repeats=1,0"),
        ("repeats=0: must be at least 1",),
    ),
    "unknown key in the config": (nothing, (*RUN, "repeets=2"), ("repeets",)),
    "wrong value in the config": (nothing, (*RUN, "repeats=two"), ("repeats", "two")),
    "glob without a match": (nothing, (*RUN, "tasks=[tolly/*]"), ("'tolly/*' matches none of",)),
    "pair that is not there": (
        nothing,
        ("pairs", "verify", "tolly", "--sandbox", "process"),
        ("unknown app 'tolly'; there is: tally",),
    ),
    "results that are not there": (nothing, ("tables", "nowhere"), ("nowhere: no records.jsonl",)),
    "results of a name too long to be there": (
        nothing,
        ("tables", "n" * 300),
        ("nnn/records.jsonl: cannot be opened: File name too long",),
    ),
    "predictions of a name too long": (
        nothing,
        (*PREDICTIONS, f"from={'n' * 300}"),
        ("nnn: File name too long; from= names a file of predictions",),
    ),
    "predictions that are a folder": (
        nothing,
        (*PREDICTIONS, "from=configs"),
        ("configs: Is a directory; from= names a file of predictions",),
    ),
    "command that is not there": (
        nothing,
        ("validat",),
        ("No such command 'validat'. Did you mean 'validate'? (see ", "seambench --help)"),
    ),
    "argument that is missing": (
        nothing,
        ("compare",),
        ("Missing argument 'results'.", " compare --help)"),
    ),
    "option of a run that is not there": (
        nothing,
        (*RUN, "--dryrun"),
        ("unrecognized arguments: --dryrun (see seambench run --help)",),
    ),
    "option of a run without such a value": (
        nothing,
        (*RUN, "--cfg", "jobs"),
        ("argument --cfg/-c: invalid choice: 'jobs'", "(see seambench run --help)"),
    ),
    "option of a run that may be two": (
        nothing,
        (*RUN, "--r"),
        ("ambiguous option: --r could match --resolve, --run",),
    ),
    "option that is no number": (
        nothing,
        ("pairs", "verify", "tally", "--sequences", "many"),
        ("'--sequences': ", "valid integer", " pairs verify --help)"),
    ),
    "regrade of no results": (
        nothing,
        ("regrade", "nowhere", "--sandbox", "process"),
        ("nowhere/plan.json: no plan there",),
    ),
    "solution that does not apply": (
        replaced("tasks/tally/rename/solutions/plain/one.patch", "-def next", "-def nixt"),
        (*RUN, "arms=[one]", CONTROLS),
        ("solutions/plain/one.patch: ",),
    ),
    "sabotage that does not apply": (
        replaced("tasks/tally/rename/sabotages/hollow/one.patch", "+# Counts", "+# Co\n-nts"),
        (*RUN, "arms=[one]", "agent=sabotage", "agents.sabotage.variant=hollow"),
        ("sabotages/hollow/one.patch: ",),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_gets_one_line_that_names_it(home: Path, case: str) -> None:
    spoil, arguments, said = CASES[case]
    spoil(home)
    done = seambench(home, *arguments)
    lines = [line for line in done.stderr.splitlines() if line.startswith("seambench: ")]
    assert done.returncode == 2, done.stderr
    assert len(lines) == 1, done.stderr
    assert "Usage" not in done.stderr
    assert "Traceback" not in done.stderr
    for words in said:
        assert words in lines[0]
    assert not list((home / "results").glob("*")), "a refused run leaves nothing behind"


@pytest.mark.parametrize("group", [(), ("pairs",)])
def test_without_a_command_the_help_is_shown(home: Path, group: tuple[str, ...]) -> None:
    done = seambench(home, *group)
    assert (done.returncode, done.stderr) == (2, "")
    assert "Commands" in done.stdout


def test_a_file_in_the_place_of_results_is_named(home: Path) -> None:
    (home / "results").mkdir(exist_ok=True)
    (home / "results/mine").write_text("a note", encoding="utf-8")
    done = seambench(home, *RUN, "name=mine")
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[-1].endswith("results/mine: File exists")
    assert (home / "results/mine").read_text() == "a note"


def test_a_dry_run_leaves_nothing_behind(home: Path) -> None:
    done = seambench(home, *RUN, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert not list((home / "results").glob("*"))


def test_a_run_that_was_refused_can_be_run_under_the_same_name_when_mended(home: Path) -> None:
    patch = "tasks/tally/rename/solutions/plain/one.patch"
    edit(home / patch, "-def next", "-def nixt")
    arguments = (*RUN, "arms=[one]", "agent=oracle")
    assert seambench(home, *arguments).returncode == 2
    edit(home / patch, "-def nixt", "-def next")
    done = seambench(home, *arguments)
    assert done.returncode == 0, done.stderr
    (row,) = read_trials(home / "results/bad").to_dict("records")
    assert (row["resolved"], row["behaviour_of"]) == (True, "tally")


def test_an_arm_that_does_not_start_ends_a_run_with_the_end_of_its_log(home: Path) -> None:
    edit(home / "fixtures/tally/two/beyond.py", "app = FastAPI()", "raise OSError('no beyond')")
    done = seambench(home, *RUN)
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("seambench: ")]
    assert "tally/two" in line
    assert "no beyond" in done.stderr
    assert "Traceback" not in line
