"""`WRITE_GOLDEN=1 pytest` writes the golden files anew; read the difference before it is kept."""

import io
import os
from pathlib import Path

import pytest
from rich.console import Console

from harness.analysis.frame import to_frame
from harness.analysis.latex import escape_latex, tabular
from harness.analysis.summary import differences, summary
from harness.analysis.tables import latex, p_value, results_table, spending_lines
from harness.records import TrialRecord
from harness.results import show_tables
from tests.records_factory import demo_trials, entries, lost, trial, write_run

GOLDEN = Path(__file__).parents[1] / "golden"


def assert_golden(name, text):
    if os.environ.get("WRITE_GOLDEN"):
        (GOLDEN / name).write_text(text)
    assert text == (GOLDEN / name).read_text()


def terminal(trials, width=80):
    console = Console(file=io.StringIO(), width=width)
    console.print(results_table(summary(to_frame(trials, TrialRecord))))
    return console.file.getvalue()


def tex(trials):
    frame = to_frame(trials, TrialRecord)
    return latex(summary(frame), differences(frame))


def demo_with_faults():
    """One trial lost and one sabotage that nothing refused."""
    trials = demo_trials()
    trials[0] = lost(trials[0])
    held = {"resolved": True, "behaviour": True, "reason": None, "tests_passed": 18}
    trials[-1] = trials[-1].model_copy(update=held)
    return trials


def test_the_terminal_table_of_the_demo_is_the_golden_one():
    assert_golden("results.txt", terminal(demo_trials()))


def test_the_terminal_table_shows_what_was_lost_and_which_control_surprised():
    assert_golden("results_faults.txt", terminal(demo_with_faults()))


def test_the_latex_table_is_the_golden_one():
    assert_golden("overview.tex", tex(demo_with_faults()))


def test_the_terminal_table_fits_80_columns_also_with_three_arms():
    text = terminal(demo_trials(("monolith", "modular", "microservices")))
    assert max(map(len, text.splitlines())) <= 80
    assert "microservices" in text


def test_the_words_say_all_that_colour_says():
    trials = demo_with_faults()
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system="truecolor")
    console.print(results_table(summary(to_frame(trials, TrialRecord))))
    assert "\x1b[32mresolved" in console.file.getvalue()
    assert "! resolved" in terminal(trials)
    assert "lost 1" in terminal(trials)


def test_repeats_are_shown_as_a_count_with_what_refused_the_rest():
    failed = {"resolved": False, "structure": False, "contract": False}
    trials = [trial(trial_id=str(n), repeat=n, agent="tool_loop", model="[m]") for n in range(2)]
    trials.append(trials[0].model_copy(update={**failed, "trial_id": "2", "repeat": 2}))
    text = terminal(trials)
    assert "2/3 structure +1" in text
    assert "tool_loop ([m])" in text


def test_what_a_trial_took_is_told_for_each_agent_that_asked_a_model():
    asked = trial(agent="one_shot", model="[m]", model_calls=1, input_tokens=2000, output_tokens=9)
    trials = [
        *demo_trials(),
        asked.model_copy(update={"cost_usd": 0.25}),
        asked.model_copy(update={"cost_usd": 0.5, "input_tokens": 3001}),
        lost(asked.model_copy(update={"input_tokens": 10**6})),
        asked.model_copy(update={"scope": "own"}),
        trial(agent="predictions", model="elsewhere"),
    ]
    assert spending_lines(to_frame(trials, TrialRecord)) == [
        "one_shot ([m]), mean of a trial: 2,500 tokens in, 9 out, 0.3750 USD",
        "one_shot ([m]), own, mean of a trial: 2,000 tokens in, 9 out, cost unknown",
    ]


def test_a_run_shows_it_under_its_table(tmp_path, capsys):
    asked = trial(trial_id="m", agent="one_shot", model="[m]", model_calls=1, input_tokens=2000)
    write_run(tmp_path, entries([*demo_trials(), asked]))
    show_tables(tmp_path)
    _, below = capsys.readouterr().out.split("controls as expected: 24 of 24")
    assert "\none_shot ([m]), mean of a trial: 2,000 tokens in, 0 out, cost unknown\n" in below


def test_a_cell_without_a_trial_is_shown_as_a_dash():
    trials = [t for t in demo_trials() if (t.arm, t.agent) != ("microservices", "nop")]
    row = next(line for line in terminal(trials).splitlines() if " nop " in line)
    assert row.split()[-1] == "-"


def test_every_line_of_the_latex_table_has_as_many_cells_as_its_head():
    cells = [line.count("&") for line in tex(demo_with_faults()).splitlines() if "&" in line]
    assert cells == [14] * 25 + [5] * 4


def test_latex_reads_no_sign_of_a_name_as_a_command():
    assert escape_latex(r"a_b & 5% of $x^2 \{~}#") == (
        r"a\_b \& 5\% of \$x\textasciicircum{}2 \textbackslash{}\{\textasciitilde{}\}\#"
    )


def test_the_latex_table_names_the_scope_where_it_is_not_the_whole_app():
    cells = {("all", "monolith"): 1, ("all", "modular"): 1, ("own", "monolith"): 0,
             ("own", "modular"): 1}  # fmt: skip
    text = tex(
        [
            trial(trial_id=f"{scope}{arm}", scope=scope, arm=arm, resolved=won == 1)
            for (scope, arm), won in cells.items()
        ]
    )
    assert " & oracle & monolith & 1 & 1/1" in text
    assert " & oracle, own & monolith & 1 & 0/1" in text
    assert "\noracle & modular $-$ monolith & 1 & 1 & 0.0 &" in text
    assert "\noracle, own & modular $-$ monolith & 1 & 1 & +100.0 &" in text


def test_a_run_without_a_second_arm_has_a_latex_table_without_differences():
    text = tex(demo_trials(("monolith",)))
    assert r"\begin{table*}" in text
    assert "Difference" not in text


def test_a_difference_of_few_apps_has_its_interval_and_one_app_says_why_it_has_none():
    won = {"a": (4, 6), "b": (5, 6), "c": (3, 8)}
    trials = [
        trial(
            trial_id=f"{app}{arm}{repeat}", app=app, pair=app, task=f"{app}/t", arm=arm,
            agent="tool_loop", model="m-1", variant=None, repeat=repeat, resolved=repeat < wins,
        )
        for app, of_arm in won.items()
        for arm, wins in zip(("microservices", "monolith"), of_arm, strict=True)
        for repeat in range(10)
    ]  # fmt: skip
    line = r"tool\_loop (m-1) & microservices $-$ monolith & "
    assert rf"{line}3 & 3 & $-$26.7 & [$-$78.4, +25.0] \\" in tex(trials)
    one = [each.model_copy(update={"app": "a", "pair": "x-y"}) for each in trials]
    assert rf"{line}1 & 3 & $-$26.7 & 1 app: no interval across apps \\" in tex(one)


def of_models(number, **changes):
    """The demo's trials by so many models."""
    return [
        each.model_copy(update={"trial_id": f"{n}{each.trial_id[1:]}", "agent": "tool_loop",
                                "model": f"m-{n}", **changes})
        for n in range(number) for each in demo_trials() if each.agent == "oracle"
    ]  # fmt: skip


def test_a_latex_table_that_no_page_holds_breaks_over_pages():
    assert r"\begin{table*}" in tex(of_models(5))
    lines = tex(of_models(6)).splitlines()
    assert lines[0] == r"% Needs \usepackage{booktabs,longtable}."
    assert r"\onecolumn" in lines[1]
    assert not any("table*" in line for line in lines)
    start, end = (lines.index(rf"\{name}") for name in ("endfoot", "end{longtable}"))
    rows = [line for line in lines[start:end] if line.endswith(r"\\")]
    assert [line.count("&") for line in rows] == [14] * 48
    assert sum(line.startswith("Task & Class & ") for line in lines[:start]) == 2
    assert lines.count(r"\end{longtable}") == 2
    assert lines[end + 1] == r"\addtocounter{table}{-1}"


def test_no_row_of_a_latex_table_begins_with_what_the_end_of_another_reads():
    rows = [r"[beta] x & 1 \\", r"*x & 2 \\", r"x* & 3 \\"]
    assert tabular("lr", ["a", "b"], [rows])[3:-2] == [
        r"\midrule", r"{}[beta] x & 1 \\", r"{}*x & 2 \\", r"x* & 3 \\",
    ]  # fmt: skip
    lines = tex(of_models(1, agent="[beta] x")).splitlines()
    assert any(line.startswith("{}[beta] x (m-0) & ") for line in lines)


def test_a_latex_table_with_letters_that_are_not_latin_names_an_engine_that_has_them():
    assert tex(of_models(1, agent="Zoë")).startswith("% Needs \\usepackage{booktabs}.\n")
    assert tex(of_models(1, agent="模型")).startswith(
        "% Needs \\usepackage{booktabs}, and LuaLaTeX or XeLaTeX with a font that has the letters"
        " of its names.\n"
    )


@pytest.mark.parametrize(
    ("p", "words"), [(1.0, "1.000"), (0.0005, "0.001"), (2 / 2**12, "<0.001"), (0.0, "<0.001")]
)
def test_no_p_is_shown_as_zero(p, words):
    assert p_value(p) == words
