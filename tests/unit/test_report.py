import base64
import hashlib
import re
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.estimate import pairing
from harness.analysis.estimate.effects import POOLED, PRIMARY, Question, effect
from harness.analysis.frame import read_run, to_frame, write_parquet
from harness.analysis.report.blobs import PATCH_CHARACTERS, Blobs, clip, inline_json, size
from harness.analysis.report.headline import headline
from harness.analysis.report.instructions import Instruction, find_instructions
from harness.analysis.report.page import page, write_report
from harness.build import digest_folder
from harness.config import AgentKind
from harness.errors import BadInput
from harness.paths import RunPaths
from harness.plan import Cell, Plan, dump_plan
from harness.records import TrialRecord
from harness.results import write_page
from tests.benches import seambench
from tests.records_factory import demo_trials, entries, lost, trial, write_run
from tests.report_runs import (
    HOSTILE,
    PATCH,
    PNG,
    entry,
    hostile_trial,
    index_of,
    opened,
    trajectory,
    unpacked,
    write_artefacts,
    write_hostile,
    write_lines,
    write_many,
)
from tests.samples import make_checkout

ROOT = Path(__file__).parents[2]
ASKED = trial(agent="tool_loop", model="m", variant=None, trial_id="asked", model_calls=2)


def run_of(folder, row=ASKED, patch=PATCH, talk=None):
    """A folder with one trial and its artefacts."""
    write_artefacts(folder, row, patch, talk)
    return write_lines(folder, [entry(row)])


# What the page promises.


def test_nothing_hostile_stands_in_the_file_as_markup(tmp_path):
    text = page(write_hostile(tmp_path / "<img src=x onerror=1>"), {})
    blobs = len(unpacked(text))
    assert text.count("<script") == text.count("</script") == blobs + 2
    assert "<img src=x" not in text
    assert "<svg onload" not in text
    assert "\u2028" not in text
    assert "\u202e" not in text
    assert "U+202E" in text
    assert "\U000e0041" not in text
    assert "1337" not in text  # the template engine did not read it either
    assert opened(text, hostile_trial().trial_id)["detail"]["failed"][0]["message"] == HOSTILE


UNSEEN = (
    "\x01\x1f\x7f\u00ad\u061c\u115f\u1160\u180e\u200b\u2028\u202e\u2060\u206f\u3164\ufeff\uffa0\ufff9"
    "\ufffb\U000e0001\U000e0041\U000e007f\U000e0100"
)
SEEN = "é한😀\ufe0f\ufffd"


def test_signs_that_cannot_be_seen_are_written_out_by_the_page_and_by_its_script(tmp_path):
    text = page(run_of(tmp_path / f"{UNSEEN}{SEEN}"), {})
    assert not set(UNSEEN) & set(text)
    assert SEEN in text
    (signs,) = re.findall(r"const ODD = /(\[.*\])/gu;", text)
    script = re.compile(re.sub(r"\\u\{(\w+)\}", lambda code: rf"\U{code[1]:0>8}", signs))
    assert script.findall(UNSEEN + SEEN) == list(UNSEEN)


def test_the_policy_allows_the_pages_own_script_and_style_and_no_network(tmp_path):
    text = page(run_of(tmp_path), {})
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    policy = policy.replace("&#39;", "'")
    for tag, rule in (("script", "script-src"), ("style", "style-src")):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        hashed = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{rule} 'sha256-{hashed}';" in policy
    assert policy.startswith("default-src 'none'; ")
    assert not re.search(r"(?:src|href|action)=[\"']?(?:https?:)?//", text)


def test_the_script_makes_text_nodes_only():
    scripts = [p.read_text() for p in (ROOT / "harness/analysis/report/page").glob("*.js")]
    assert len(scripts) == 8
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "fetch(",
    ):
        assert not [script for script in scripts if word in script], word


def test_the_same_records_give_the_same_bytes_in_any_order(tmp_path):
    rows = [*demo_trials(), ASKED]
    for name, turn in (("a", 1), ("b", -1)):
        folder = tmp_path / name / "run"
        for row in rows:
            write_artefacts(folder, row, PATCH, trajectory() if row.model else None)
        write_lines(folder, [entry(row) for row in rows[::turn]])
    assert page(tmp_path / "a/run", {}) == page(tmp_path / "b/run", {})


@pytest.mark.long
def test_ten_thousand_trials_are_written_in_two_minutes_and_forty_megabytes(tmp_path):
    folder = write_many(tmp_path / "many", 10_000)
    start = time.monotonic()
    path = write_report(folder, folder / "report.html", {})
    assert time.monotonic() - start < 120
    assert path.stat().st_size < 40e6
    assert len(index_of(path.read_text())["ids"]) == 10_000


def test_equal_texts_are_kept_once(tmp_path):
    rows = demo_trials()
    for row in rows:
        write_artefacts(tmp_path, row, PATCH, None)
    parts = index_of(page(write_lines(tmp_path, [entry(row) for row in rows]), {}))["parts"]
    details, instructions, talks, patches = (set(numbers) for numbers in zip(*parts, strict=True))
    assert (len(details), len(instructions), len(talks), len(patches)) == (24, 1, 1, 1)


# What a trial shows.


def test_a_trial_has_its_conversation_patch_and_each_factors_reason(tmp_path):
    row = ASKED.model_copy(update={"resolved": False, "structure": False, "reason": "structure: x"})
    shown = opened(page(run_of(tmp_path, row, talk=trajectory(turns=3)), {}), "asked")
    assert ["structure", False, "structure: x (score.json)"] in shown["detail"]["factors"]
    assert shown["patch"] == {"text": PATCH, "lines_left_out": 0, "note": None}
    first, second, third = shown["talk"]["first"]
    assert [said["who"] for said in first["said"]] == ["thinking", "model", "call"]
    assert second["said"][0] == {"who": "result", "name": "", "text": "listing 0.2 words"}
    assert second["said"][3]["text"] == "command: ls words\ncat 2"
    assert (third["tokens_in"], third["tokens_out"], third["seconds"]) == (1000, 50, 1.5)
    assert shown["talk"]["ending"] == "submitted"
    assert [call[:3] for call in shown["detail"]["calls"]] == [
        [1, "answered", "end"],
        [2, "answered", "end"],
    ]


def test_failed_hidden_tests_are_named_once_with_the_starts_they_failed_in(tmp_path):
    row = trial(behaviour=False, resolved=False, reason="behaviour: x", trial_id="t")
    failed = opened(page(run_of(tmp_path, row), {}), "t")["detail"]["failed"]
    name = "hidden/test_task.py::test_changed"
    assert failed == [{"test": name, "starts": [1, 2, 3], "message": "assert 12 == 13"}]


def test_attempts_lost_before_are_told_and_a_regraded_trial_counts_once(tmp_path):
    first = entry(lost(ASKED)).model_copy(update={"trial": None})
    again = entry(ASKED.model_copy(update={"attempt": 2, "reason": "old"}))
    graded = entry(ASKED.model_copy(update={"attempt": 3, "reason": "new"}))
    text = page(write_lines(tmp_path, [first, again, graded]), {})
    assert index_of(text)["words"]["reason"]["values"] == ["new"]
    told = opened(text, "asked")["detail"]["attempts"]
    assert [attempt[:3] for attempt in told] == [
        [1, "lost", "create timed out"],
        [2, "scored", None],
        [3, "scored", None],
    ]


def test_a_regraded_trial_keeps_the_calls_of_the_attempt_that_worked(tmp_path):
    graded = entry(ASKED.model_copy(update={"attempt": 2})).model_copy(update={"calls": ()})
    folder = write_lines(tmp_path / "run", [entry(ASKED), graded])
    out = tables_of(folder, tmp_path / "out", "trials", "attempts", "calls", "tools", "tests")
    for place in (folder, out):
        calls = opened(page(place, {}), "asked")["detail"]["calls"]
        assert [call[:3] for call in calls] == [[1, "answered", "end"], [2, "answered", "end"]]


def test_a_trial_whose_row_counts_no_call_shows_none_of_a_lost_attempt(tmp_path):
    first = entry(lost(ASKED))
    again = entry(ASKED.model_copy(update={"attempt": 2, "model_calls": 0}))
    folder = write_lines(tmp_path / "run", [first, again.model_copy(update={"calls": ()})])
    out = tables_of(folder, tmp_path / "out", "trials", "attempts", "calls", "tools", "tests")
    for place in (folder, out):
        assert opened(page(place, {}), "asked")["detail"]["calls"] == []


def test_a_control_says_that_it_has_no_conversation(tmp_path):
    shown = opened(page(run_of(tmp_path, trial(trial_id="c")), {}), "c")
    assert shown["talk"]["note"] == "There is no conversation: a control asks no model."


def spoil_by_removing(path):
    path.unlink()


def spoil_by_writing(path):
    path.write_bytes(b'{"calls": [{"turn": "\xff"}]}')


def spoil_by_a_folder(path):
    path.unlink()
    path.mkdir()


SPOILT = {
    "no patch": ("patch", spoil_by_removing, "There is no patch: trials/asked/patch.diff is not"),
    "patch is a folder": ("patch", spoil_by_a_folder, "The patch cannot be read: trials/asked/pa"),
    "no talk": ("trajectory", spoil_by_removing, "There is no conversation: trials/asked/traj"),
    "broken talk": ("trajectory", spoil_by_writing, "The conversation cannot be read: trials/ask"),
    "talk is a folder": ("trajectory", spoil_by_a_folder, "The conversation cannot be read: tria"),
    "no score": ("score", spoil_by_removing, "There is no trials/asked/score.json; this is what"),
    "broken score": ("score", spoil_by_writing, "trials/asked/score.json cannot be read; this is"),
    "score is a folder": ("score", spoil_by_a_folder, "trials/asked/score.json cannot be read; t"),
}
PLACES = {"patch": "patch", "trajectory": "talk", "score": "detail"}


@pytest.mark.parametrize("case", SPOILT)
def test_a_missing_or_broken_artefact_is_one_sentence_on_the_page(tmp_path, case):
    name, spoil, said = SPOILT[case]
    folder = run_of(tmp_path, talk=trajectory())
    spoil(getattr(RunPaths(folder).trial("asked"), name))
    note = opened(page(folder, {}), "asked")[PLACES[name]]["note"]
    assert note.startswith(said)
    assert "\n" not in note


def test_a_trial_without_a_score_file_shows_the_records_reason(tmp_path):
    row = trial(structure=False, resolved=False, reason="structure: told", trial_id="t")
    factors = opened(page(write_lines(tmp_path, [entry(row)]), {}), "t")["detail"]["factors"]
    assert factors[2] == ["structure", False, "told"]


def test_an_empty_patch_says_that_nothing_was_changed(tmp_path):
    note = opened(page(run_of(tmp_path, patch=""), {}), "asked")["patch"]["note"]
    assert note == "The patch is empty: nothing was changed."


# What is cut.


def test_a_long_patch_is_cut_at_a_line_and_says_how_many_are_left_out(tmp_path):
    line = "+" + "x" * 98 + "\n"
    shown = opened(page(run_of(tmp_path, patch=line * 2500), {}), "asked")["patch"]
    assert len(shown["text"]) == PATCH_CHARACTERS
    assert shown["lines_left_out"] == 500


def test_a_long_conversation_keeps_its_first_and_its_last_turns(tmp_path):
    told = trajectory(words="w" * 4000, turns=60)
    talk = opened(page(run_of(tmp_path, talk=told), {}), "asked")["talk"]
    assert talk["first"][0]["turn"] == 1
    assert talk["last"][-1]["turn"] == 60
    assert len(talk["first"]) + talk["left_out"] + len(talk["last"]) == 60
    assert talk["left_out"] > 0


@given(st.text(max_size=200), st.integers(min_value=4, max_value=100))
def test_a_cut_text_keeps_its_start_and_its_end_and_counts_the_rest(text, limit):
    kept = clip(text, limit)
    if len(text) <= limit:
        assert kept == text
        return
    start, left, end = kept
    assert size(kept) == limit
    assert text == start + text[len(start) : len(start) + left] + end


@given(st.text())
def test_json_inside_a_script_element_holds_no_sign_that_html_reads(text):
    packed = inline_json([text])
    assert packed.isascii()
    assert not set("<>&") & set(packed)


def test_equal_documents_share_a_number():
    blobs = Blobs()
    assert [blobs.add(d) for d in ({"a": 1}, {"a": 2}, {"a": 1})] == [0, 1, 0]
    assert len(blobs.packed) == 2


# Headline, figures, instructions.


def test_the_headline_tells_shares_with_intervals_and_differences_with_their_note(tmp_path):
    text = " ".join(page(write_run(tmp_path, entries(demo_trials())), {}).split())
    assert "<strong>8</strong> of <strong>24</strong> counted trials are resolved" in text
    assert "Controls ended as they must in 24 of 24 trials." in text
    assert "51.0 to 100.0%" in text
    assert "microservices minus monolith" in text
    assert "1 app: no interval across apps" in text


def test_two_apps_give_an_interval_across_apps(tmp_path):
    rows = demo_trials()
    other = [t.model_copy(update={"app": "b", "pair": "b", "task": t.task.replace("atelier", "b"),
                                  "trial_id": "b" + t.trial_id, "resolved": t.arm == "monolith"})
             for t in rows]  # fmt: skip
    text = page(write_run(tmp_path, entries(rows + other)), {})
    assert re.search(r"\u2212\d+\.\d to \+\d+\.\d", text)


def four_apps(**changes):
    """The demo of four apps, whose controls all end as they must."""
    return [
        t.model_copy(update={"app": app, "pair": app, "task": t.task.replace("atelier", app),
                             "trial_id": app + t.trial_id, **changes})
        for app in "abcd" for t in demo_trials()
    ]  # fmt: skip


def test_differences_are_the_estimates_of_the_package_with_their_p_and_their_sentence(tmp_path):
    rows = [r.model_copy(update={"model": "m", "agent": "tool_loop", "expected_factor": None,
                                 "task_class": "L" if r.task_class == "I" else r.task_class,
                                 "resolved": (hash_of(r) % 10) < (7 if r.arm == "monolith" else 4)})
            for r in four_apps()]  # fmt: skip
    frame = to_frame(rows, TrialRecord)
    primary, one = headline(frame).differences
    contrast = pairing.Contrast(pairing.Side("microservices"), pairing.Side("monolith"))
    found = pairing.differences(frame, contrast)
    for shown, level in ((primary, PRIMARY), (one, POOLED)):
        row = effect(found, Question(contrast), level=level)
        assert (shown.value, shown.low, shown.high, shown.p) == (
            row.difference, row.low, row.high, row.p_sign_flip,
        )  # fmt: skip
    assert primary.value != one.value
    assert one.notes == ("with 4 apps the smallest possible two-sided p is 0.125",)
    text = page(write_run(tmp_path, entries(rows)), {})
    assert f"{one.low:+.1f} to {one.high:+.1f}".replace("-", "\u2212") in text
    assert f'<td class="num">{one.p:.3f}</td>' in text


def test_a_p_that_three_digits_do_not_hold_is_below_a_bound(tmp_path):
    """Of twelve apps that all point one way 2 of 2^12 flips are as far; two repeats vary."""
    rows = [
        ASKED.model_copy(update={"trial_id": f"{n}{arm}{repeat}", "app": f"a{n}", "pair": f"a{n}",
                                 "task": f"a{n}/t", "arm": arm, "repeat": repeat,
                                 "resolved": arm == "monolith" or repeat + n % 2 > 1})
        for n in range(12) for arm in ("monolith", "microservices") for repeat in range(2)
    ]  # fmt: skip
    text = page(write_run(tmp_path, entries(rows)), {})
    assert '<td class="num">&lt;0.001</td>' in text
    assert '<td class="num">0.000</td>' not in text


def hash_of(row):
    return int(hashlib.sha256(row.trial_id.encode()).hexdigest(), 16)


def test_a_ceiling_and_a_floor_are_sentences_and_no_intervals():
    found = {one.agent: one for one in headline(to_frame(four_apps(), TrialRecord)).differences}
    assert found["oracle"].notes[0].startswith("all resolved on both sides: a ceiling")
    assert found["nop"].notes[0].startswith("none resolved on either side: a floor")
    assert {(one.low, one.p) for one in found.values()} == {(None, None)}


def test_lost_trials_are_bounded_and_several_models_are_told_together_first():
    rows = [row.model_copy(update={"model": name, "agent": "tool_loop", "expected_factor": None,
                                   "trial_id": name + row.trial_id})
            for name in "mn" for row in four_apps() if row.agent == "oracle"]  # fmt: skip
    rows[0] = lost(rows[0])
    found = headline(to_frame([*rows, *four_apps()], TrialRecord)).differences
    assert [one.agent for one in found][:4] == [
        "primary: classes of tasks at equal weight", "every agent and model", "tool_loop (m)",
        "tool_loop (n)",
    ]  # fmt: skip
    assert found[1].notes[-1] == "1 lost: 0 to +3.1 whatever they were"
    assert found[0].notes[-1].startswith("1 lost: 0 to +")
    assert len(found[3].notes) == 1


def test_of_three_arms_the_two_farthest_alone_are_the_primary_test():
    rows = [row.model_copy(update={"model": "m", "agent": "tool_loop", "expected_factor": None,
                                   "arm": arm, "trial_id": arm + row.trial_id})
            for arm in ("monolith", "modular", "microservices")
            for row in four_apps() if row.agent == "oracle" and row.arm == "monolith"]  # fmt: skip
    found = headline(to_frame(rows, TrialRecord)).differences
    primary = [one.arms for one in found if one.agent.startswith("primary")]
    assert primary == ["microservices minus monolith"]
    assert len(found) == 4


def test_two_pairs_of_one_behaviour_are_one_app_of_the_headline():
    rows = [row.model_copy(update={"behaviour_of": "a" if row.app in "ab" else row.app})
            for row in four_apps()]  # fmt: skip
    assert {one.apps for one in headline(to_frame(rows, TrialRecord)).differences} == {3}


# Folders that hold tables only.


def tables_of(folder, out, *names):
    """The Parquet files `names` of a run in a folder of their own."""
    write_parquet(read_run(folder), out)
    for path in out.glob("*.parquet"):
        if path.stem not in names:
            path.unlink()
    return out


def test_a_folder_of_tables_gives_the_same_headline_and_index_as_its_records(tmp_path):
    row = ASKED.model_copy(update={"behaviour": False, "resolved": False, "reason": "behaviour: x"})
    folder = run_of(tmp_path / "run", row, talk=trajectory())
    out = tables_of(folder, tmp_path / "out", "trials", "attempts", "calls", "tools", "tests")
    whole, tables = page(folder, {}), page(out, {})
    assert index_of(whole)["words"] == index_of(tables)["words"]
    assert index_of(whole)["numbers"] == index_of(tables)["numbers"]
    before, after = (opened(text, "asked")["detail"] for text in (whole, tables))
    for name in ("record", "failed", "attempts", "calls"):
        assert before[name] == after[name]
    assert len(after["failed"]) == 1
    assert len(after["calls"]) == 2


def test_what_a_folder_of_tables_does_not_hold_is_said(tmp_path):
    folder = run_of(tmp_path / "run", talk=trajectory())
    text = page(tables_of(folder, tmp_path / "out", "trials"), {})
    assert (
        "This folder holds tables only. Not in it: conversations, patches, the reasons of each "
        "factor&#39;s verdict, the words of the tasks, the table of attempts, the table of calls, "
        "the table of tests." in text
    )
    assert "The whole texts lie in the results folder." not in text
    shown = opened(text, "asked")
    assert shown["talk"]["note"] == "There is no conversation: this folder holds tables only."
    assert shown["patch"]["note"] == "There is no patch: this folder holds tables only."
    assert shown["detail"]["note"] == (
        "This folder holds tables only; this is what the record says."
    )
    assert "tables only" not in page(folder, {})
    known = {"asked": Instruction(text="Do it.")}
    assert "the words of the tasks" not in page(tmp_path / "out", known)


def test_the_simulated_study_is_a_page_that_says_what_it_is():
    text = page(ROOT / "results/simulated", {})
    assert "Simulated: no model was asked" in text
    assert len(index_of(text)["ids"]) == 6480
    assert text.count("<figure>") == 9
    assert "12 apps" in " ".join(text.split())


@pytest.mark.parametrize(
    ("change", "said"),
    [({"status": "odd"}, "row 1: status is none of"), ({"trial_id": "../x"}, "no plain name")],
)
def test_a_bad_row_of_a_table_is_one_line(tmp_path, change, said):
    to_frame([ASKED], TrialRecord).assign(**change).to_parquet(tmp_path / "trials.parquet")
    with pytest.raises(BadInput, match=rf"trials\.parquet: .*{said}"):
        page(tmp_path, {})


def test_a_run_without_isolation_and_one_with_a_wrong_control_say_so(tmp_path):
    rows = [t.model_copy(update={"isolation": "none"}) for t in demo_trials()]
    rows[0] = rows[0].model_copy(update={"resolved": False, "structure": False})
    text = page(write_run(tmp_path, entries(rows)), {})
    assert "No isolation:" in text
    assert "look at the others" in text


def test_the_figures_of_the_folder_stand_in_the_page_with_their_captions(tmp_path):
    folder = run_of(tmp_path)
    (folder / "figures").mkdir()
    (folder / "figures/one.png").write_bytes(PNG)
    (folder / "figures/one.txt").write_text("What <one>\nshows.")
    (folder / "figures/two.png").write_bytes(PNG)
    text = page(folder, {})
    uri = "data:image/png;base64," + base64.b64encode(PNG).decode()
    assert f'<img src="{uri}" alt="What &lt;one&gt; shows.">' in text
    assert 'alt="The figure two; there is no caption beside it."' in text


def test_a_run_without_figures_gets_one_and_its_folder_stays_as_it_was(tmp_path):
    folder = run_of(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert 'alt="Overview of 1 trials' in page(folder, {})
    assert sorted(tmp_path.rglob("*")) == before


def test_what_a_folder_lacks_of_the_papers_figures_is_drawn_into_the_page(tmp_path):
    """A run saves the overview alone; one that `figures` has drawn is shown as it was saved."""
    folder = write_run(tmp_path, entries(demo_trials()))
    (folder / "figures").mkdir()
    (folder / "figures/overview.png").write_bytes(PNG)
    text = page(folder, {})
    assert 'alt="The figure overview; there is no caption beside it."' in text
    assert text.count('alt="Calibration: ') == 1
    assert len(list((folder / "figures").iterdir())) == 1
    (folder / "figures/calibration.png").write_bytes(PNG)
    (folder / "figures/calibration.txt").write_text("Calibration: as saved.")
    assert text.count("data:image/png") == page(folder, {}).count("data:image/png")
    assert page(folder, {}).count('alt="Calibration: ') == 1


def test_an_instruction_is_shown_while_its_task_is_as_it_was(tmp_path):
    make_checkout(tmp_path)
    task = tmp_path / "tasks/tally/rename"
    locks = {"task/tally/rename": digest_folder(task)}

    def found():
        return find_instructions({"tally/rename"}, locks, tmp_path / "tasks", digest_folder)

    assert found()["tally/rename"] == Instruction((task / "instruction.md").read_text())
    (task / "instruction.md").write_text("Something else.")
    note = found()["tally/rename"].note
    assert note.startswith("tally/rename has changed since these trials ran")
    shutil.rmtree(task)
    assert found()["tally/rename"].note == "The words of tally/rename are not in this checkout."


def test_the_words_of_a_task_that_is_like_another_are_the_others():
    task, like = "atelier-handmade/price-table", "atelier/price-table"
    locks = {f"task/{name}": digest_folder(ROOT / "tasks" / name) for name in (task, like)}
    found = find_instructions({task}, locks, ROOT / "tasks", digest_folder)
    assert found[task].text == (ROOT / "tasks" / like / "instruction.md").read_text()


def test_trials_of_joined_studies_have_the_words_that_each_study_had(tmp_path, monkeypatch):
    """One study ran before the task changed and one after; the checkout has the words of now."""
    make_checkout(tmp_path / "home")
    monkeypatch.chdir(tmp_path / "home")
    now = digest_folder(tmp_path / "home/tasks/tally/rename")
    rows = [trial(trial_id=name, task="tally/rename") for name in ("before", "after")]
    folder = write_run(tmp_path / "joined", entries(rows))
    RunPaths(folder).joined_plans.mkdir()
    for row, digest in zip(rows, ("of then", now), strict=True):
        told = {name: getattr(row, name) for name in Cell.model_fields if name != "kind"}
        plan = Plan(
            name=row.trial_id,
            locks={"task/tally/rename": digest},
            cells=(Cell(**told, kind=AgentKind.oracle),),
        )
        RunPaths(folder).joined_plan(row.trial_id).write_text(dump_plan(plan))
    write_page(folder, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    before, after = (opened(text, row.trial_id)["instruction"] for row in rows)
    assert before["note"].startswith("tally/rename has changed since these trials ran")
    assert after["text"] == (tmp_path / "home/tasks/tally/rename/instruction.md").read_text()


def test_a_page_without_the_words_of_a_task_says_so(tmp_path):
    folder = run_of(tmp_path)
    assert "not in the results folder" in opened(page(folder, {}), "asked")["instruction"]["note"]
    told = {"asked": Instruction("Do it.")}
    assert opened(page(folder, told), "asked")["instruction"] == {"text": "Do it.", "note": None}


# The command.


def test_the_command_writes_beside_the_records_or_where_it_is_told(tmp_path):
    folder = run_of(tmp_path / "run")
    for place in (None, tmp_path / "x/y.html"):
        out = place or folder / "report.html"
        done = seambench(ROOT, "report", str(folder), *(("--out", str(out)) if place else ()))
        assert done.returncode == 0, done.stderr
        assert out.read_text().startswith("<!doctype html>")
        assert f"wrote {out}" in done.stdout


def empty(folder):
    folder.mkdir()


def corrupt(folder):
    write_lines(folder, [entry(ASKED)])
    (folder / "records.jsonl").write_text("{}\n")


def unended(folder):
    write_lines(folder, [entry(ASKED).model_copy(update={"trial": None})])


def bad_plan(folder):
    write_lines(folder, [entry(ASKED)])
    (folder / "plan.json").write_text("{}")


BAD = {
    "nothing": (empty, "no records.jsonl there"),
    "corrupt": (corrupt, "records.jsonl:1: attempt: Field required"),
    "no trial has ended": (unended, "no trial has ended yet"),
    "bad plan": (bad_plan, "plan.json: name: Field required"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_results_folder_gets_one_line_and_exit_code_2(tmp_path, case):
    spoil, said = BAD[case]
    spoil(tmp_path / "run")
    done = seambench(ROOT, "report", str(tmp_path / "run"))
    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    assert said in line
    assert not (tmp_path / "run/report.html").exists()


@pytest.mark.parametrize("out", [".", "records.jsonl/report.html", "n" * 300])
def test_a_file_that_cannot_be_written_is_bad_input(tmp_path, monkeypatch, out):
    folder = run_of(tmp_path / "run")
    monkeypatch.chdir(folder)
    with pytest.raises(BadInput, match=r"is a folder; name a file|cannot be (written|opened)"):
        write_report(folder, Path(out), {})
