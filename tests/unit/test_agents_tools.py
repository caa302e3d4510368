"""What the scaffolds do in a sandbox: the edit tool, calls that were cut, the edits of one answer.

The sandbox is a process: nothing here runs a program that a model wrote.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from harness.agents.one_shot import OneShot
from harness.agents.protocol import AgentReport, Assignment
from harness.agents.session import Limits, Session
from harness.agents.tools import Toolbox
from harness.llm import Answer, Text, ToolCall, ToolResult
from harness.llm.arguments import read_call
from harness.pairs import load_pair
from harness.patch import read_workspace
from harness.paths import Checkout
from harness.sandbox import Sandbox, Sandboxes
from tests.sandboxes import shell, tar_of
from tests.wire.scripted import ScriptedModel, answer, says, uses

ROOT = Path(__file__).parents[2]
ASSIGNMENT = Assignment(
    cast("object", SimpleNamespace(instruction="x")),  # type: ignore[arg-type]
    "one",
    None,
    1,
    60.0,
)


class OneSession:
    """Sessions with a model that says one thing."""

    def __init__(self, said: Answer) -> None:
        self.said = said

    def open(self, assignment: Assignment) -> Session:
        del assignment
        return Session(ScriptedModel([self.said]), None, Limits())


@pytest.fixture
def place(processes: Sandboxes) -> Iterator[Sandbox]:
    with processes.open("agent") as opened:
        yield opened


def serve(place: Sandbox, said: Answer) -> list[ToolResult]:
    tools = Toolbox(ASSIGNMENT, place, OneSession(said).open(ASSIGNMENT))
    return [part for part in tools.serve(said).parts if isinstance(part, ToolResult)]


def edit(place: Sandbox, **arguments: object) -> str:
    (result,) = serve(place, uses(("edit", arguments)))
    return f"{'error: ' * result.is_error}{result.text}"


def file(place: Sandbox, path: str) -> bytes:
    return read_workspace(place.get("/work", limit=2**20)).tree.entries[path].content


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ({}, "1\tline 1", "[600 more lines]"),
        ({"start": 1, "end": 1000}, "1\tline 1", "[600 more lines]"),
        ({"start": 0, "end": -1}, "1\tline 1", "[600 more lines]"),
        ({"start": 5, "end": 6}, "5\tline 5", "[994 more lines]"),
        ({"start": 700}, "700\tline 700", "1000\tline 1000"),
        ({"start": 1001}, "error: a.py: line 1001: it has 1000 lines",
         "error: a.py: line 1001: it has 1000 lines"),
    ],
)  # fmt: skip
def test_a_view_tells_what_is_left(
    asked: dict[str, int], first: str, last: str, place: Sandbox
) -> None:
    place.put(tar_of({"a.py": "".join(f"line {n}\n" for n in range(1, 1001))}), "/work")
    shown = edit(place, command="view", path="a.py", **asked).split("\n")
    assert (shown[0], shown[-1]) == (first, last)


def test_the_edit_tool_keeps_the_line_ends_of_a_file(place: Sandbox) -> None:
    place.put(tar_of({"a.py": b"a\r\nb\r\nc\r\nd"}), "/work")
    assert edit(place, command="view", path="a.py", end=2) == "1\ta\n2\tb\n[2 more lines]"
    assert edit(place, command="str_replace", path="a.py", old="b\nc\n", new="x\ny\nz\n") == (
        "a.py: replaced"
    )
    assert file(place, "a.py") == b"a\r\nx\r\ny\r\nz\r\nd"
    place.put(tar_of({"b.py": b"a\r\nfoo\r\n"}), "/work")
    assert edit(place, command="str_replace", path="b.py", old="\nfoo", new="\nbar") == (
        "b.py: replaced"
    )
    assert file(place, "b.py") == b"a\r\nbar\r\n"
    assert edit(place, command="insert", path="a.py", line=5, text="e") == "a.py: inserted"
    assert edit(place, command="insert", path="a.py", line=0, text="0\n") == "a.py: inserted"
    assert file(place, "a.py") == b"0\r\na\r\nx\r\ny\r\nz\r\nd\r\ne\r\n"


def test_the_edit_tool_counts_lines_as_every_other_tool_does(place: Sandbox) -> None:
    place.put(tar_of({"a.py": "a\n\f\nb = '\u2028\x85'\nc"}), "/work")
    assert edit(place, command="view", path="a.py") == "1\ta\n2\t\f\n3\tb = '\u2028\x85'\n4\tc"
    edit(place, command="insert", path="a.py", line=3, text="x")
    assert file(place, "a.py").decode() == "a\n\f\nb = '\u2028\x85'\nx\nc"


def test_two_places_that_overlap_are_not_one(place: Sandbox) -> None:
    place.put(tar_of({"a.py": "x\nx\nx\n"}), "/work")
    told = edit(place, command="str_replace", path="a.py", old="x\nx\n", new="")
    assert told == "error: a.py: the text to replace is there 2 times, must be once"
    assert file(place, "a.py") == b"x\nx\nx\n"


def call(number: int) -> ToolCall:
    return read_call(f"c{number}", "bash", {"command": f"echo {number}"})


def test_a_call_is_cut_only_where_it_is_the_last_of_the_answer(place: Sandbox) -> None:
    whole = answer([call(1), Text(text="and now I")], "max_tokens")
    assert [result.text for result in serve(place, whole)] == ["1\n"]
    first, second = serve(place, answer([call(1), call(2)], "max_tokens"))
    assert first.text == "1\n"
    assert "reached its limit inside this call" in second.text
    assert [r.text for r in serve(place, answer([call(1), call(2)]))] == ["1\n", "2\n"]


def test_a_use_tells_what_it_read_or_edited_and_how_long_both_texts_were(place: Sandbox) -> None:
    """Tokens are estimated at three bytes each, and one more for what is left over."""
    path = "atelier/services/jobs.py"
    place.put(tar_of({path: "ten = 1010\n"}), "/work")
    asked = replace(ASSIGNMENT, arm="monolith", pair=load_pair(Checkout(ROOT), "atelier"))
    look, change = f"cat {path}", f"sed -i s/ten/TEN/ {path} && echo done"
    written = [json.dumps({"command": command}) for command in (look, change)]
    assert [len(text) for text in written] == [43, 70]
    said = uses(*[("bash", text) for text in written])
    tools = Toolbox(asked, place, OneSession(said).open(asked))
    tools.serve(said)
    assert [(use.number, use.kind, use.ending) for use in tools.uses] == [
        (1, "read", "ok"),
        (2, "edit", "ok"),
    ]
    touched = [(use.contexts_read, use.contexts_edited) for use in tools.uses]
    assert touched == [(("jobs",), ()), ((), ("jobs",))]
    tokens = [(use.request_tokens, use.result_tokens) for use in tools.uses]
    assert tokens == [(43 // 3 + 1, 11 // 3 + 1), (70 // 3 + 1, 5 // 3 + 1)]


def one_shot(place: Sandbox, said: str) -> AgentReport:
    return OneShot(OneSession(says(said))).work(ASSIGNMENT, place)


def test_edits_that_cannot_lie_side_by_side_are_not_both_made(place: Sandbox) -> None:
    """A file, and another below it: what comes second fails, and the trial goes on."""
    block = "{}\n<<<<<<< FILE\n1\n>>>>>>> END\n"
    report = one_shot(place, "".join(map(block.format, ["x", "x/y.py", "deep/er/z.py"])))
    assert (report.ending, report.edits_applied, report.edits_failed) == ("stopped", 2, 1)
    assert "x/y.py: 'x' is both a file and a folder" in report.log
    assert shell(place, "find . -type f | sort").stdout.split() == ["./deep/er/z.py", "./x"]


def test_one_shot_edits_programs_and_files_with_other_line_ends(place: Sandbox) -> None:
    place.put(tar_of({"run.sh": "one\ntwo", "a.py": b"a\r\nb\r\n", "raw": b"\xff\n"}), "/work")
    shell(place, "chmod +x run.sh")
    block = "{}\n<<<<<<< SEARCH\n{}\n=======\nnew\n>>>>>>> REPLACE\n"
    said = block.format("run.sh", "two") + block.format("a.py", "b") + block.format("raw", "x")
    report = one_shot(place, said)
    assert (report.edits_applied, report.edits_failed) == (2, 1)
    assert file(place, "run.sh") == b"one\nnew"
    assert shell(place, "test -x run.sh").ok
    assert file(place, "a.py") == b"a\r\nnew\r\n"
    assert file(place, "raw") == b"\xff\n"


def test_what_a_model_writes_into_a_file_is_what_stands_there(place: Sandbox) -> None:
    written = "cat > a.py <<'E'\npath = f\"{root}/x.db\"\nE\necho '{root}'"
    (result,) = serve(place, uses(("bash", {"command": written})))
    assert result.text == "{root}\n"
    assert file(place, "a.py") == b'path = f"{root}/x.db"\n'
