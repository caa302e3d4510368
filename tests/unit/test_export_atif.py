"""Conversations as ATIF: Harbor's own validator takes them, and nothing of them is left out."""

import json
from collections import Counter
from pathlib import Path

import pytest
from harbor.utils.trajectory_validator import TrajectoryValidator
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.agents.trajectory import Trajectory
from harness.errors import BadInput
from harness.export import atif
from harness.export.turns import talk_of
from harness.llm import Message, Text, Thinking, ToolCall, ToolResult
from harness.sandbox import Sandboxes
from tests.benches import seambench
from tests.conversations import SCRIPT, asked_trial, converse, fails, write_conversation
from tests.records_factory import demo_trials, entries, write_run
from tests.report_runs import trajectory as written_by_hand

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def told(processes: Sandboxes, tmp_path_factory: pytest.TempPathFactory) -> Trajectory:
    return converse(processes, tmp_path_factory.mktemp("atif"))


def problems(document: object) -> list[str]:
    """What Harbor's validator says of a document."""
    validator = TrajectoryValidator()
    validator.validate(document)
    return validator.get_errors()


def said_in(told: Trajectory) -> Counter[str]:
    """Every text of a trajectory, each message once."""
    messages = [message for call in told.calls for message in call.new_messages]
    messages += [call.answer.message for call in told.calls if call.answer]
    if told.calls and told.calls[-1].answer is not None:
        messages += told.closing
    parts = [part for message in messages for part in message.parts]
    texts = [p.text for p in parts if isinstance(p, Text | Thinking | ToolResult) and p.text]
    calls = [p.name for p in parts if isinstance(p, ToolCall)]
    return Counter([told.system, *texts, *calls])


def said_in_document(document: dict) -> Counter[str]:
    found = []
    for step in document["steps"]:
        found += [step["message"], step.get("reasoning_content", "")]
        found += [one["function_name"] for one in step.get("tool_calls", [])]
        found += [one["content"] for one in step.get("observation", {"results": []})["results"]]
    return Counter(text for text in found if text)


def document_of(told: Trajectory) -> dict:
    return json.loads(atif.text(asked_trial(), talk_of(told)))


def test_harbor_takes_the_file_and_nothing_of_the_conversation_is_left_out(told, tmp_path):
    folder = write_conversation(tmp_path / "run", asked_trial(trial_id="asked"), told)
    (path,) = atif.export(folder, tmp_path / "out")
    assert path == tmp_path / "out/asked.json"
    assert problems(path) == []
    assert said_in_document(json.loads(path.read_text())) == said_in(told)


def test_every_result_stands_beside_the_call_that_asked_for_it(told):
    turns = [step for step in document_of(told)["steps"] if step["source"] == "agent"]
    first, broken = turns[0], turns[1]
    names = {one["tool_call_id"]: one["function_name"] for one in first["tool_calls"]}
    results = {one["source_call_id"]: one for one in first["observation"]["results"]}
    assert names == {"a": "bash", "b": "frobnicate"}
    assert "def next_value" in results["a"]["content"]
    assert "there is no tool" in results["b"]["content"]
    assert results["b"]["extra"]["is_error"] is True
    # The second turn calls a tool `a` again, and one without a name; both keep their results.
    again, unnamed = broken["tool_calls"]
    assert (again["tool_call_id"], again["extra"]["id"]) == ("a#2.1", "a")
    assert (again["arguments"], again["extra"]["raw"]) == ({}, "{broken")
    assert unnamed["tool_call_id"] == "#2.2"
    contents = [one["content"] for one in broken["observation"]["results"]]
    assert "no JSON object" in contents[0]
    assert "[exit code 3]" in contents[1]


def test_usage_is_told_for_each_step_and_summed(told):
    document = document_of(told)
    metrics = [step["metrics"] for step in document["steps"] if step["source"] == "agent"]
    assert (metrics[0]["prompt_tokens"], metrics[0]["cached_tokens"]) == (147, 40)
    assert metrics[0]["extra"]["cache_write_tokens"] == 7
    assert metrics[0]["cost_usd"] == pytest.approx((100 + 4 + 8.75 + 150) / 1e6)
    final = document["final_metrics"]
    for name in ("prompt_tokens", "completion_tokens", "cached_tokens", "cost_usd"):
        assert final[f"total_{name}"] == pytest.approx(sum(one[name] for one in metrics))
    assert final["total_steps"] == len(document["steps"])
    assert final["extra"]["tool_calls"] == len(told.uses) == 5


def test_the_verdict_and_the_factors_go_with_the_conversation(told):
    extra = document_of(told)["extra"]
    assert (extra["arm"], extra["resolved"], extra["behaviour"]) == ("monolith", True, True)
    woven = asked_trial(app="atelier-1", behaviour_of="atelier", dose=1)
    extra = json.loads(atif.text(woven, talk_of(told)))["extra"]
    assert (extra["behaviour_of"], extra["dose"]) == ("atelier", 1)
    assert document_of(told)["agent"]["extra"]["limits"]["seconds"] is None  # infinite: no limit


def test_a_call_that_got_no_answer_is_a_step_and_what_it_said_stands_once(processes, tmp_path):
    failed = converse(processes, tmp_path, [SCRIPT[0], fails()])
    assert failed.closing == ()
    # Earlier versions told it once more at the end.
    doubled = failed.model_copy(update={"closing": failed.calls[-1].new_messages})
    for document in (document_of(failed), document_of(doubled)):
        assert problems(document) == []
        assert said_in_document(document) == said_in(failed)
        last = document["steps"][-1]
        assert last["message"] == ""
        assert last["metrics"]["extra"]["tries"][0]["status"] == "server_error"
        assert document["extra"]["failure"]


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
names = st.sampled_from(["", "1", "2"])
calls = st.builds(ToolCall, id=names, name=st.just("bash"), arguments=st.none(), raw=texts)
heard = st.builds(ToolResult, call_id=names, text=texts) | st.builds(Text, text=texts)
answers = calls | st.builds(Text, text=texts) | st.builds(Thinking, text=texts, sealed=texts)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(st.lists(heard, max_size=3), st.lists(answers, max_size=4)), max_size=4),
    st.lists(heard, max_size=3),
)
def test_whatever_was_said_in_whatever_order_is_valid_and_whole(turns, closing):
    told = Trajectory.model_validate(
        written_by_hand(turns=len(turns)) | {"tools": [], "closing": [], "limits": {}}
        | {"calls": [_call(number, *turn) for number, turn in enumerate(turns, start=1)]}
    )  # fmt: skip
    if closing:
        told = told.model_copy(update={"closing": (Message(role="user", parts=tuple(closing)),)})
    document = document_of(told)
    assert problems(document) == []
    whole = said_in(told)
    if not turns:
        whole += Counter(part.text for part in closing if part.text)
    # One answer's texts are one message, with a line between them.
    assert "".join(sorted("".join(said_in_document(document).elements()).replace("\n", ""))) == (
        "".join(sorted("".join(whole.elements()).replace("\n", "")))
    )


def _call(number: int, heard: list, said: list) -> dict:
    tried = {"status": "answered", "http_status": 200, "seconds": 0.1}
    parts = [part.model_dump() for part in said]
    message = {"role": "assistant", "parts": parts}
    answer = {"message": message, "stop": "end", "tries": [tried], "served_by": "m"}
    new = [{"role": "user", "parts": [part.model_dump() for part in heard]}]
    return {"turn": number, "request_digest": "d", "context_tokens": 1, "compacted": False,
            "new_messages": new, "answer": answer, "tries": [tried], "seconds": 0.1,
            "cost_usd": None}  # fmt: skip


@pytest.mark.parametrize(("form", "ends"), [("atif", "asked.json"), ("inspect", ".eval")])
def test_the_command_says_what_it_wrote(told, tmp_path, form, ends):
    folder = write_conversation(tmp_path / "run", asked_trial(trial_id="asked"), told)
    done = seambench(ROOT, "export", str(folder), "--format", form)
    assert done.returncode == 0, done.stderr
    (path,) = done.stdout.split()
    assert path.startswith(str(folder / "export" / form))
    assert path.endswith(ends)
    assert Path(path).is_file()


def test_where_no_model_was_asked_there_is_one_line(tmp_path):
    folder = write_run(tmp_path / "run", entries(demo_trials()[:1]))
    with pytest.raises(BadInput, match=r"no trial holds a trajectory\.json"):
        atif.export(folder, tmp_path / "out")


def test_a_broken_trajectory_is_named_with_its_field(told, tmp_path):
    folder = write_conversation(tmp_path / "run", asked_trial(trial_id="asked"), told)
    path = folder / "trials/asked/trajectory.json"
    path.write_text(path.read_text().replace('"scaffold"', '"scafold"'))
    with pytest.raises(BadInput, match=r"asked/trajectory\.json: scaffold: "):
        atif.export(folder, tmp_path / "out")


def test_the_validator_refuses_what_is_wrong(told):
    document = document_of(told)
    document["steps"][2]["step_id"] = 7
    assert problems(document)
    document = document_of(told)
    document["agent"]["colour"] = "blue"
    assert problems(document)
