"""The parts of the scaffolds: edits, labels, prompts, packing."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from jinja2 import UndefinedError

from harness.agents.edits import Edit, apply_edit, parse_edits
from harness.agents.labels import contexts_in, kind_of
from harness.agents.packing import pack
from harness.agents.prompting import FOLDER, prompt_digests, render
from harness.agents.protocol import Assignment
from harness.pairs import load_pair
from harness.paths import Checkout
from harness.tasks.lint import architecture_words

ROOT = Path(__file__).parents[2]

ANSWER = """\
First the rule:

`tally/rules.py`
```python
<<<<<<< SEARCH
def next_value():
=======
def advance():
>>>>>>> REPLACE
```

new/file.py
<<<<<<< FILE
x = 1
>>>>>>> END
"""


def assignment(arm: str = "monolith", contexts: tuple[str, ...] = ("catalogue",)) -> Assignment:
    pair = load_pair(Checkout(ROOT), "atelier")
    task = SimpleNamespace(spec=SimpleNamespace(contexts=contexts))
    return Assignment(cast("object", task), arm, None, 1, 60.0, pair=pair)  # type: ignore[arg-type]


def test_blocks_and_whole_files_are_read() -> None:
    replaced, made = parse_edits(ANSWER)
    assert replaced == Edit("tally/rules.py", "def next_value():\n", "def advance():\n")
    assert made == Edit("new/file.py", None, "x = 1\n")
    files = {"tally/rules.py": "a\ndef next_value():\n    pass\n"}
    assert apply_edit(replaced, files) is None
    assert apply_edit(made, files) is None
    assert files == {"tally/rules.py": "a\ndef advance():\n    pass\n", "new/file.py": "x = 1\n"}


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("a.py\n<<<<<<< SEARCH\nx\n=======\ny\n", "no end"),
        ("a.py\n<<<<<<< SEARCH\nx\n>>>>>>> REPLACE\n", "0 dividing lines"),
        ("a.py\n<<<<<<< SEARCH\nx\n=======\ny\n=======\n>>>>>>> REPLACE\n", "2 dividing lines"),
        ("<<<<<<< FILE\nx\n>>>>>>> END\n", "no file is named"),
        ("/etc/passwd\n<<<<<<< FILE\nx\n>>>>>>> END\n", "no file is named"),
        ("../up.py\n<<<<<<< FILE\nx\n>>>>>>> END\n", "no file is named"),
        ("b.py\n<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE\n", "no such file"),
        ("a.py\n<<<<<<< SEARCH\nz\n=======\ny\n>>>>>>> REPLACE\n", "there 0 times"),
        ("a.py\n<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE\n", "there 2 times"),
        ("a.py\n<<<<<<< SEARCH\n=======\ny\n>>>>>>> REPLACE\n", "there 0 times"),
    ],
)
def test_an_edit_that_cannot_be_made_says_why(answer: str, problem: str) -> None:
    (edit,) = parse_edits(answer)
    files = {"a.py": "x\nx\n"}
    assert problem in (apply_edit(edit, files) or "")
    assert files == {"a.py": "x\nx\n"}


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("ls -la", "navigate"),
        ("cd x && grep -rn price .", "navigate"),
        ("cat a.py | head -20", "read"),
        ("sed -n 1,20p a.py", "read"),
        ("sed -i s/a/b/ a.py", "edit"),
        ("echo x > a.py", "edit"),
        ("cat > a.py <<'END'\nx\nEND", "edit"),
        ("ls 2>/dev/null", "navigate"),
        ("git apply x.patch", "edit"),
        ("git diff", "navigate"),
        ("app test", "test"),
        ("python -m pytest -q tests", "test"),
        ("app up", "run"),
        ("curl -s localhost:8000/health", "run"),
        ("cat a.py && app test", "test"),
        ("true", "other"),
        ("", "other"),
    ],
)
def test_a_command_line_is_labelled_by_its_strongest_part(command: str, kind: str) -> None:
    assert kind_of("bash", {"command": command}) == kind


def test_the_edit_tool_reads_or_edits() -> None:
    assert kind_of("edit", {"command": "view"}) == "read"
    assert kind_of("edit", {"command": "insert"}) == "edit"
    assert kind_of("submit", {}) == "other"


@pytest.mark.parametrize(
    ("arm", "command", "contexts"),
    [
        ("monolith", "cat atelier/services/jobs.py", ("jobs",)),
        ("monolith", "cat /work/atelier/services/jobs.py atelier/routes/gallery.py",
         ("jobs", "gallery")),
        ("monolith", "ls atelier/services", ()),
        ("microservices", "grep -rn hold accounts/", ("accounts",)),
        ("microservices", "ls .", ()),
    ],
)  # fmt: skip
def test_contexts_are_those_whose_files_are_named(
    arm: str, command: str, contexts: tuple[str, ...]
) -> None:
    assert contexts_in(assignment(arm), {"command": command}) == contexts


def test_prompts_name_no_architecture() -> None:
    for path in FOLDER.glob("*.j2"):
        assert architecture_words(path.read_text()) == [], path.name
    assert set(prompt_digests()) == {path.name for path in FOLDER.glob("*.j2")}


def test_a_prompt_without_its_values_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        render("one_shot_task", instruction="x")


def test_the_files_of_the_task_come_first_and_then_what_they_import() -> None:
    files = {
        "atelier/app.py": "import atelier.services.catalogue\n",
        "atelier/services/catalogue.py": "from atelier.services import stores\n",
        "atelier/services/stores.py": "",
        "atelier/services/jobs.py": "from . import stores\n",
        "atelier/alone.py": "x = 1\n" * 100,
    }
    shown, left_out = pack(files, assignment(), 10_000)
    assert [path for path, _ in shown] == [
        "atelier/services/catalogue.py",
        "atelier/app.py",
        "atelier/services/stores.py",
        "atelier/services/jobs.py",
        "atelier/alone.py",
    ]
    assert left_out == []
    shown, left_out = pack(files, assignment(), 100)
    assert left_out == ["atelier/alone.py"]
