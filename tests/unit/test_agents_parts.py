"""The parts of the scaffolds: edits, labels, prompts, packing."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from harness.agents.conversation import Conversation
from harness.agents.edits import Edit, apply_edit, parse_edits
from harness.agents.labels import contexts_in, kind_of
from harness.agents.packing import pack
from harness.agents.prompting import FOLDER, prompt_digests, render
from harness.agents.protocol import Assignment
from harness.agents.reporting import reported
from harness.agents.session import Limits, Session
from harness.agents.tool_loop import _loop
from harness.agents.tools import TOOLS, Toolbox
from harness.llm import Message, Text, Thinking
from harness.pairs import load_pair
from harness.paths import Checkout
from harness.sandbox import Sandbox
from harness.tasks.lint import architecture_words
from tests.wire.scripted import ScriptedModel, answer, says, uses

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


def test_a_block_without_an_end_takes_none_of_the_next_one() -> None:
    """It counts as one that failed, and the good one behind it is made."""
    answer = "a.py\n<<<<<<< FILE\nx = 1\n\nb.py\n<<<<<<< FILE\ny = 2\n>>>>>>> END\n"
    broken, good = parse_edits(answer)
    files: dict[str, str] = {}
    assert (broken.path, apply_edit(broken, files)) == ("a.py", "the block has no end")
    assert apply_edit(good, files) is None
    assert files == {"b.py": "y = 2\n"}


@pytest.mark.parametrize("between", ["", "\n", "```\n\n```python\n"])
def test_blocks_under_one_name_change_the_same_file(between: str) -> None:
    block = "<<<<<<< SEARCH\n{}\n=======\n{}\n>>>>>>> REPLACE\n"
    answer = "a.py\n" + block.format("x", "y") + between + block.format("z", "w")
    assert list(parse_edits(answer)) == [Edit("a.py", "x\n", "y\n"), Edit("a.py", "z\n", "w\n")]


@pytest.mark.parametrize(
    ("text", "old"),
    [
        ("    max = 1\n", "x = 1\n"),
        ("class A:\n    def f(self):\n        return 1\n", "def f(self):\n        return 1\n"),
        ("x = 10\n", "x = 1\n"),
        ("x\nx\nx\n", "x\nx\n"),
        ("x\n", "x\n\n"),
        ("x\n", "\n"),
    ],
)
def test_only_whole_lines_that_are_there_once_are_replaced(text: str, old: str) -> None:
    files = {"a.py": text}
    assert "must be once" in (apply_edit(Edit("a.py", old, "y\n"), files) or "")
    assert files == {"a.py": text}


@pytest.mark.parametrize(
    ("text", "old", "new", "after"),
    [
        ("x = 1", "x = 1\n", "x = 2\n", "x = 2"),
        ("a\nx = 1", "x = 1\n", "", "a\n"),
        ("a\r\nb\r\nc\r\n", "a\nb\n", "x\ny\nz\n", "x\r\ny\r\nz\r\nc\r\n"),
        ("a\r\nb", "b\n", "x\ny\n", "a\r\nx\r\ny"),
        ("a\r\nb\nc\n", "a\nb\n", "", "c\n"),
        ("\f\nb = '\u2028'\nc\n", "b = '\u2028'\n", "\x85\n", "\f\n\x85\nc\n"),
        ("x\n\ny\n", "\n", "", "x\ny\n"),
    ],
)
def test_a_file_keeps_its_line_ends_and_the_lack_of_one(
    text: str, old: str, new: str, after: str
) -> None:
    files = {"a.py": text}
    assert apply_edit(Edit("a.py", old, new), files) is None
    assert files == {"a.py": after}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_an_answer_is_split_at_line_feeds_alone(end: str) -> None:
    text = "a.py\n<<<<<<< FILE\nS = 'a\u2028b\x85'\n\f\n>>>>>>> END\n".replace("\n", end)
    (edit,) = parse_edits(text)
    assert edit == Edit("a.py", None, "S = 'a\u2028b\x85'\n\f\n")
    files = {"a.py": "T\r\n", "b.py": "T\n"}
    apply_edit(edit, files)
    apply_edit(replace(edit, path="b.py"), files)
    assert files == {"a.py": edit.new.replace("\n", "\r\n"), "b.py": edit.new}


LINES = st.lists(st.sampled_from(["x", " x", "x = 1", "", "\f", "a\u2028b", "b.py"]), max_size=6)
BLOCKS = st.lists(
    st.tuples(st.sampled_from(["SEARCH", "FILE"]), LINES, LINES, st.booleans()), max_size=5
)


@given(BLOCKS)
def test_each_block_that_is_begun_is_one_edit_and_only_broken_ones_fail(
    blocks: list[tuple[str, list[str], list[str], bool]],
) -> None:
    answer, wanted = "", []
    for kind, old, new, is_closed in blocks:
        middle = [*old, "======="] if kind == "SEARCH" else []
        body = [*middle, *new] if is_closed else new
        end = [">>>>>>> " + ("REPLACE" if kind == "SEARCH" else "END")] if is_closed else []
        answer += "\n".join(["name.py", f"<<<<<<< {kind}", *body, *end, ""])
        texts = ["".join(f"{line}\n" for line in lines) for lines in (old, new)]
        wanted.append(Edit("name.py", texts[0] if middle else None, texts[1]) if end else None)
    edits = list(parse_edits(answer))
    assert [None if edit.problem else edit for edit in edits] == wanted


@given(LINES, LINES, LINES, LINES, st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_what_is_replaced_is_what_stands_there_line_by_line(
    before: list[str], old: list[str], after: list[str], new: list[str], end: str, is_ended: bool
) -> None:
    """Against a search through the lines, for every kind of line end."""
    rows = [line + end for line in (*before, *old, *after)]
    if rows and not is_ended and rows[-1] != end:
        rows[-1] = rows[-1].removesuffix(end)
    bare = [row.removesuffix(end) for row in rows]
    places = [n for n in range(len(rows)) if old and bare[n : n + len(old)] == old]
    text = "".join(rows)
    files = {"a.py": text}
    asked, told = ("".join(f"{line}\n" for line in lines) for lines in (old, new))
    problem = apply_edit(Edit("a.py", asked, told), files)
    if len(places) != 1:
        assert problem == f"the text to replace is there {len(places)} times, must be once"
        assert files == {"a.py": text}
        return
    assert problem is None
    stop = places[0] + len(old)
    made = [end.join(new), rows[stop - 1].removeprefix(bare[stop - 1])] if new else []
    usual = end if end in text else "\n"
    expected = "".join([*rows[: places[0]], *made, *rows[stop:]])
    assert files["a.py"] == expected.replace(end, usual)


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
        ("grep -rn 'def .* -> int' src/", "navigate"),
        ('grep -n "a \\" > b" a.md', "navigate"),
        ("grep -c \\> a.md", "navigate"),
        ("grep -rn pytest .", "navigate"),
        ("awk '$1 > 3' app/x.py", "read"),
        ("cat a.py >>/dev/null", "read"),
        ("cat a.py  # > b.py", "read"),
        ("echo x >>a.py", "edit"),
        ("echo x > 'a b.py'", "edit"),
        ("app test > /tmp/log 2>&1; tail /tmp/log", "test"),
        ("app test 2>&1 | tee /tmp/log", "test"),
        ("app logs | tee a.log", "edit"),
        ("grep -rl old src | xargs sed -i 's/old/new/g'", "edit"),
        ("grep -rl old src | xargs -0 -I {} -n 1 grep new {}", "navigate"),
        ("find src -name '*.py' -exec sed -i 's/a/b/' {} +", "edit"),
        ("find src -name '*.py' -exec cat {} \\;", "read"),
        ("find . -name '*.pyc' -delete", "edit"),
        ("sed -Ei 's/a/b/' src/a.py", "edit"),
        ("sed -ri 's/a/b/' src/a.py", "edit"),
        ("sed --in-place=.bak s/a/b/ src/a.py", "edit"),
        ("sed -n -e '/ -i /p' a-i.py", "read"),
        ("perl -pi -e 's/a/b/' src/a.py", "edit"),
        ("perl -ne 'print if /x/' src/a.py", "run"),
        ("timeout 60 app test", "test"),
        ("timeout -k 5 60 python3.11 -m pytest -q tests", "test"),
        ("env -u HOME TZ=UTC nice -n 5 /usr/bin/cat a.py", "read"),
        ("for f in src/*.py; do cat $f; done", "read"),
        ("if grep -q foo a.py; then echo y; fi", "navigate"),
        ("! grep -q foo a.py", "navigate"),
        ("(cd src && cat a.py)", "read"),
        ("git restore src/a.py", "edit"),
        ("git -C src reset --hard", "edit"),
        ("git stash", "edit"),
        ("git stash list", "navigate"),
        ("git --no-pager log -- checkout", "navigate"),
        ('python -c "print(1 > 0)"', "run"),
        ("python3 - <<'EOF'\nif 2 > 1:\n    rm = 'cat'\nEOF\nls", "run"),
        ("python3 - <<'EOF'\nPath('a.py').write_text('b')\nEOF", "edit"),
        ("python3 -c 'import sys; sys.stdout.write(\"x\")'", "run"),
        ("echo $((1 << n))\napp test", "test"),
        ("cat a.py \\\n  b.py", "read"),
        ("cat it's.py | head", "read"),
        ("sed -i 's/a/b/ a.py", "edit"),
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


def test_a_prompt_is_told_by_the_digest_of_its_source() -> None:
    sources = {path.name: path.read_bytes() for path in FOLDER.glob("*.j2")}
    assert sources
    assert prompt_digests() == {name: sha256(text).hexdigest() for name, text in sources.items()}


def test_an_answer_that_is_cut_is_no_silence_and_is_told_so() -> None:
    """Reminded of the tools, a model that was cut while thinking would fall silent at once."""
    cut = [answer([Thinking(text="hm", sealed="{}")], "max_tokens") for _ in range(3)]
    model = ScriptedModel([*cut, says("hm"), *cut[:1], says("hm"), uses(("submit", {}))])
    session = Session(model, None, Limits())
    talk = Conversation("s", TOOLS, 30_000, 4096)
    talk.say(Message(role="user", parts=(Text(text="do it"),)))
    tools = Toolbox(assignment(), cast("Sandbox", None), session)  # nothing is run
    report = reported("tool_loop", session, talk, tools.uses, lambda: _loop(session, talk, tools))
    assert (report.ending, len(report.calls)) == ("submitted", 7)
    told = [message.text for message in talk.said if message.role == "user" and message.text]
    assert ["4096 tokens" in text for text in told] == [False, True, True, True, False, True, False]


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
    shown, left_out = pack(files, assignment(), 30_000)
    assert [path for path, _ in shown] == [
        "atelier/services/catalogue.py",
        "atelier/app.py",
        "atelier/services/stores.py",
        "atelier/services/jobs.py",
        "atelier/alone.py",
    ]
    assert left_out == []
    shown, left_out = pack(files, assignment(), 300)
    assert left_out == ["atelier/alone.py"]
