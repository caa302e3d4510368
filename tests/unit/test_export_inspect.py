"""Trials as logs of Inspect: its own readers and dataframes open them."""

import random
import subprocess
import sys
from pathlib import Path

import pytest
from inspect_ai.analysis import evals_df, messages_df, samples_df
from inspect_ai.log import EvalLog, list_eval_logs, read_eval_log

from harness.errors import BadInput
from harness.export.inspect.log import export
from harness.export.inspect.talk import NO_MODEL
from harness.paths import RunPaths
from harness.records import TrialRecord
from harness.sandbox import Sandboxes
from tests.benches import FACTORS
from tests.conversations import SCRIPT, asked_trial, converse, fails, turn, write_conversation
from tests.records_factory import ARMS, demo_trials, lost, replayed, trial
from tests.report_runs import entry, write_lines

ROOT = Path(__file__).parents[2]
# Inspect's own use of pandas.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")


def asked(number: int, **changes: object) -> TrialRecord:
    """A trial of a model that used some tokens."""
    spent = {"input_tokens": 147, "fresh_input_tokens": 100, "cache_read_tokens": 40,
             "cache_write_tokens": 7, "output_tokens": 30, "reasoning_tokens": 12,
             "cost_usd": 0.25, "model_calls": 4}  # fmt: skip
    cell = {"trial_id": f"asked-{number}", "cell_id": f"cell-{number}"}
    return asked_trial(**(spent | cell | changes))


ASKED = [
    asked(0),
    asked(1, repeat=1, resolved=False, structure=False, reason="structure: still there: twice"),
    asked(2, arm="microservices", scope="own", context_budget="32k", contract=None,
          resolved=False, status="failed", failure_cause="app_did_not_start",
          failure_detail="no port", agent_ending="turns"),
    lost(asked(3, arm="microservices")),
    asked(4, model="n", cost_usd=None),
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(processes: Sandboxes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of three controls and two models; one trial has its conversation and its patch."""
    home = tmp_path_factory.mktemp("inspect")
    told = converse(processes, home / "home")
    made = write_conversation(home / "study", ASKED[0], told)
    RunPaths(made).trial("asked-0").patch.write_text("diff --git a/x b/x\n")
    return write_lines(made, [entry(row) for row in [*demo_trials(), *ASKED]])


@pytest.fixture(scope="module")
def logs(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("logs")
    export(folder, out)
    return out


def log_of(logs: Path, agent: str, model: str | None = None) -> EvalLog:
    for one in list_eval_logs(str(logs)):
        log = read_eval_log(one)
        if (log.eval.solver, log.eval.model) == (agent, model or NO_MODEL):
            return log
    raise AssertionError(agent)


def test_there_is_one_log_for_each_agent_and_model(logs):
    found = evals_df(str(logs), quiet=True)
    workers = set(zip(found["solver"], found["model"], strict=True))
    controls = {(name, "none/none") for name in ("oracle", "nop", "sabotage")}
    assert workers == controls | {("tool_loop", "m"), ("tool_loop", "n")}
    assert set(found["task_name"]) == {"study"}
    assert set(found["status"]) == {"success"}
    of_m = found[found["model"] == "m"].iloc[0]
    assert (of_m["total_samples"], of_m["completed_samples"], of_m["epochs"]) == (4, 3, 2)
    assert (of_m["score_headline_name"], of_m["score_headline_metric"]) == ("resolved", "accuracy")


def test_every_trial_is_a_sample_with_its_factors(logs):
    found = samples_df(str(logs), quiet=True)
    assert len(found) == len(demo_trials()) + len(ASKED)
    assert not found.duplicated(["eval_id", "id", "epoch"]).any()
    row = found[found["metadata_trial_id"] == "asked-2"].iloc[0]
    assert row["id"] == "atelier/price-tiers-as-table/microservices/own/32k"
    assert (row["metadata_arm"], row["metadata_app"]) == ("microservices", "atelier")
    assert (row["limit"], row["total_tokens"]) == ("turn", 177)
    oracle = found[found["metadata_agent"] == "oracle"]
    assert set(oracle["score_resolved"]) == {"C"}


def test_scores_are_resolved_and_the_five_factors_with_their_reasons(logs):
    log = log_of(logs, "tool_loop", "m")
    by_trial = {sample.metadata["trial_id"]: sample for sample in log.samples}
    assert set(by_trial["asked-0"].scores) == {"resolved", *FACTORS}
    second = by_trial["asked-1"].scores
    assert (second["resolved"].value, second["structure"].value) == ("I", "I")
    assert second["structure"].explanation == "still there: twice"
    assert second["behaviour"].value == "C"
    assert second["behaviour"].explanation is None
    third = by_trial["asked-2"].scores
    assert third["contract"].value != third["contract"].value  # NaN: no evidence
    assert third["resolved"].explanation == "no port"


def test_a_trial_that_was_lost_is_an_error_and_has_no_score(logs):
    log = log_of(logs, "tool_loop", "m")
    (gone,) = [sample for sample in log.samples if sample.error]
    assert (gone.metadata["trial_id"], gone.error.message) == (
        "asked-3",
        "sandbox: create timed out",
    )
    assert not gone.scores


def test_means_are_over_cells_and_over_what_has_evidence(logs):
    found = {one.name: one for one in log_of(logs, "tool_loop", "m").results.scores}
    # Cells: one resolved in one of two repeats, one not resolved, one lost.
    assert found["resolved"].metrics["accuracy"].value == pytest.approx((0.5 + 0) / 2)
    assert found["behaviour"].metrics["accuracy"].value == 1.0
    assert found["contract"].metrics["accuracy"].value == 1.0
    assert found["contract"].unscored_samples == 1


def test_repeats_of_patches_made_elsewhere_are_repeats_of_one_sample(tmp_path):
    """Each has a variant of its own; four of `t` are resolved, and the one of `u` is not."""
    kind = {"agent": "predictions", "model": "p"}
    cells = [("a/t", repeat, True) for repeat in range(4)] + [("a/u", 0, False)]
    rows = [
        trial(trial_id=f"{n}", task=task, repeat=repeat, resolved=held, variant=f"key{n}", **kind)
        for n, (task, repeat, held) in enumerate(cells)
    ]
    export(write_lines(tmp_path / "run", [entry(row) for row in rows]), tmp_path / "logs")
    log = log_of(tmp_path / "logs", "predictions", "p")
    assert log.eval.dataset.sample_ids == ["a/t/monolith", "a/u/monolith"]
    accuracy = next(one for one in log.results.scores if one.name == "resolved").metrics["accuracy"]
    assert accuracy.value == pytest.approx(0.5)


def test_the_scaffolds_of_a_study_that_is_played_again_are_a_log_each(tmp_path):
    """Their trials are the same repeats of the same cells of one agent, `replay`."""
    rows = [replayed(a, arm, n) for a in ("tool_loop", "one_shot") for arm in ARMS for n in (0, 1)]
    export(write_lines(tmp_path / "run", [entry(row) for row in rows]), tmp_path / "logs")
    for played, share in (("tool_loop", 1.0), ("one_shot", 0.0)):
        log = log_of(tmp_path / "logs", f"replay:{played}", "m")
        assert sorted(log.eval.dataset.sample_ids) == [
            "atelier/price-tiers-as-table/microservices",
            "atelier/price-tiers-as-table/monolith",
        ]
        assert sorted(sample.epoch for sample in log.samples) == [1, 1, 2, 2]
        resolved = next(one for one in log.results.scores if one.name == "resolved")
        assert resolved.metrics["accuracy"].value == share


def test_inspects_own_listing_tells_the_study_and_the_id_of_each_log(tmp_path):
    folder = write_lines(
        tmp_path / "my_big:study", [entry(row) for row in [*demo_trials(), *ASKED]]
    )
    export(folder, tmp_path / "logs")
    listed = list_eval_logs(str(tmp_path / "logs"))
    assert {one.task for one in listed} == {"my-big-study"}
    told = [read_eval_log(one, header_only=True).eval for one in listed]
    assert {spec.task for spec in told} == {"seambench/my_big:study"}
    assert [one.task_id for one in listed] == [spec.task_id for spec in told]
    assert len({spec.task_id for spec in told}) == 5


def test_trials_of_which_one_has_an_unknown_cost_have_no_known_cost_together(tmp_path):
    rows = [asked(0), asked(1, repeat=1, cost_usd=None)]
    export(write_lines(tmp_path / "run", [entry(row) for row in rows]), tmp_path / "logs")
    usage = log_of(tmp_path / "logs", "tool_loop", "m").stats.model_usage["m"]
    assert (usage.total_cost, usage.output_tokens) == (None, 60)


def test_usage_is_in_inspects_classes(logs):
    log = log_of(logs, "tool_loop", "m")
    usage = next(
        sample for sample in log.samples if sample.metadata["trial_id"] == "asked-0"
    ).model_usage["m"]
    assert (usage.input_tokens, usage.input_tokens_cache_read) == (100, 40)
    assert (usage.input_tokens_cache_write, usage.output_tokens, usage.total_tokens) == (7, 30, 177)
    assert usage.total_cost == 0.25
    assert log.stats.model_usage["m"].output_tokens == 4 * 30
    assert log_of(logs, "tool_loop", "n").stats.model_usage["n"].total_cost is None
    assert log_of(logs, "nop").stats.model_usage == {}


def test_the_conversation_is_whole_with_its_tools_and_the_patch(logs):
    log = log_of(logs, "tool_loop", "m")
    sample = next(one for one in log.samples if one.metadata["trial_id"] == "asked-0")
    roles = [message.role for message in sample.messages]
    assert roles == ["system", "user", "assistant", "tool", "tool", "assistant", "tool", "tool",
                     "assistant", "user", "assistant", "tool"]  # fmt: skip
    assert sample.input == sample.messages[1].text
    first, broken = sample.messages[2], sample.messages[5]
    assert first.content[0].reasoning == "thinking of looking"
    assert [call.function for call in first.tool_calls] == ["bash", "frobnicate"]
    assert [m.tool_call_id for m in sample.messages[3:5]] == ["a", "b"]
    assert "def next_value" in sample.messages[3].text
    assert sample.messages[4].error.type == "unknown"
    assert "{broken" in broken.tool_calls[0].parse_error
    assert sample.messages[6].error.type == "parsing"
    assert sample.output.completion == "</script>\u2028 € \x07"
    assert sample.store == {"patch": "diff --git a/x b/x\n"}


def test_the_events_are_the_calls_and_the_tools_in_their_order(logs):
    log = log_of(logs, "tool_loop", "m")
    (sample,) = [one for one in log.samples if one.events]
    kinds = [event.event for event in sample.events]
    assert kinds == ["model", "tool", "tool", "model", "tool", "tool", "model", "model", "tool"]
    first, tool, *_, last, submit = sample.events
    assert first.output.usage.input_tokens_cache_read == 40
    assert [one.role for one in first.input] == ["system", "user"]
    assert [tool.name for tool in first.tools] == ["bash", "edit", "submit"]
    assert [one.role for one in last.input] == [one.role for one in sample.messages[:-2]]
    assert (tool.id, tool.function, tool.error) == ("a", "bash", None)
    assert (submit.function, submit.result) == ("submit", "submitted")
    assert first.timestamp <= tool.timestamp == first.completed <= last.timestamp
    # Inspect makes its tables of messages from the calls: what came after the last is not in them.
    table = messages_df(str(logs), quiet=True)
    assert list(table["role"]) == [one.role for one in sample.messages[:-1]]


def test_a_call_that_got_no_answer_is_an_event_with_its_error(processes, tmp_path):
    told = converse(processes, tmp_path / "home", [SCRIPT[0], fails()])
    folder = write_conversation(tmp_path / "run", asked(0), told)
    export(folder, tmp_path / "out")
    (sample,) = log_of(tmp_path / "out", "tool_loop", "m").samples
    assert [event.event for event in sample.events] == ["model", "tool", "tool", "model"]
    assert sample.events[-1].error.startswith("server_error")
    assert [one.role for one in sample.messages][-3:] == ["assistant", "tool", "tool"]


def test_a_long_conversation_is_kept_once_and_not_once_a_turn(processes, tmp_path):
    words = [random.Random(number).randbytes(5_000).hex() for number in range(40)]
    told = converse(
        processes,
        tmp_path / "home",
        [turn(one, ("", "bash", {"command": "true"}, "")) for one in words],
    )
    folder = write_conversation(tmp_path / "run", asked(0), told)
    (path,) = export(folder, tmp_path / "out")
    (sample,) = read_eval_log(str(path)).samples
    assert sum(event.event == "model" for event in sample.events) > 20
    assert path.stat().st_size < 3 * len("".join(words))


def test_the_same_trial_of_two_runs_is_two_rows(folder, logs, tmp_path):
    rows = [row.model_copy(update={"plan_digest": "another"}) for row in ASKED]
    other = write_lines(tmp_path / "run", [entry(row) for row in rows])
    export(other, tmp_path / "out")
    found = samples_df([str(logs), str(tmp_path / "out")], quiet=True)
    assert len(found) == len(demo_trials()) + 2 * len(ASKED)


def test_a_second_export_says_the_same(folder, logs, tmp_path):
    again = sorted(path.name for path in export(folder, tmp_path))
    assert again == sorted(path.name for path in logs.iterdir())
    one, other = log_of(logs, "tool_loop", "m"), log_of(tmp_path, "tool_loop", "m")
    assert one.model_dump_json() == other.model_dump_json()


def test_ten_repeats_of_a_sabotage_are_told_apart_from_another_sabotage(tmp_path):
    rows = [trial(trial_id=f"{v}{r}", agent="sabotage", variant=v, repeat=r)
            for v in "ab" for r in range(10)]  # fmt: skip
    folder = write_lines(tmp_path / "run", [entry(row) for row in rows])
    export(folder, tmp_path / "out")
    found = samples_df(str(tmp_path / "out"), quiet=True)
    assert not found.duplicated(["id", "epoch"]).any()


def test_the_doses_of_a_study_are_told_apart(tmp_path):
    rows = [trial(trial_id=f"{dose}{arm}", arm=arm, dose=dose, resolved=dose == 0, variant=None)
            for dose in (0, 2) for arm in ("monolith", "microservices")]  # fmt: skip
    folder = write_lines(tmp_path / "run", [entry(row) for row in rows])
    export(folder, tmp_path / "out")
    found = samples_df(str(tmp_path / "out"), quiet=True).sort_values("metadata_trial_id")
    assert list(found["metadata_trial_id"]) == sorted(row.trial_id for row in rows)
    assert list(found["score_resolved"]) == ["C", "C", "I", "I"]
    assert found["id"].iloc[-1] == "atelier/price-tiers-as-table/monolith/dose2"


def test_two_trials_that_inspect_would_take_for_one_are_refused(tmp_path):
    rows = [trial(trial_id=name, seed=seed) for seed, name in enumerate(("first", "second"))]
    folder = write_lines(tmp_path / "run", [entry(row) for row in rows])
    with pytest.raises(BadInput) as refused:
        export(folder, tmp_path / "out")
    assert str(refused.value) == (
        f"{folder}: trials first and second are both repeat 0 of "
        "atelier/price-tiers-as-table/monolith/reference, and a log keeps one of them; "
        "export the studies that were joined one by one"
    )
    assert not (tmp_path / "out").exists()


def test_without_the_extra_there_is_one_line_and_exit_code_2(folder):
    program = f"""
import sys
sys.modules["inspect_ai"] = sys.modules["inspect_ai.log"] = None
sys.argv = ["seambench", "export", {str(folder)!r}, "--format", "inspect"]
from harness.cli import main
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "--format inspect: Inspect is not installed" in done.stderr
    assert "pip install 'seambench[inspect]'" in done.stderr
    assert not (folder / "export").exists()
