"""The overview as a table: for a terminal of 80 columns, and for LaTeX (booktabs, longtable)."""

from collections.abc import Sequence
from itertools import groupby

import pandas as pd
from rich.box import HORIZONTALS
from rich.markup import escape
from rich.table import Table

from harness.analysis.latex import Part, escape_latex, lay_out, typeset
from harness.analysis.order import FACTORS, sort_arms


def results_table(summary: pd.DataFrame) -> Table:
    """One line a task and agent, one column an arm: resolved, or what refused it.

    A `!` marks a control that did not end as it must; colour repeats what the words say.
    """
    arms = sort_arms(summary["arm"])
    title = "Resolved, or the factor that refused it"
    table = Table(box=HORIZONTALS, pad_edge=False, title=title, caption=_totals(summary))
    table.title_justify = table.caption_justify = "left"
    for name in ("class, task", "agent"):
        table.add_column(name, overflow="fold")
    for arm in arms:
        table.add_column(arm, min_width=max(len(arm), len("0/3 structure")))
    one_app, blocks = len(set(summary["app"])) == 1, summary.groupby(["pair", "task"], sort=False)
    for _, block in blocks:
        _add_task(table, block, arms, short=one_app)
    return table


def spending_lines(trials: pd.DataFrame) -> list[str]:
    """What a trial took of each agent that asked a model: means of those not lost.

    Patches made elsewhere are left out: nobody counted. One unknown cost makes the mean unknown.
    """
    asked = trials[(trials["model_calls"] > 0) & (trials["status"] != "lost")]
    lines = []
    for _, rows in asked.groupby(["agent", "model", "scope"], sort=False, observed=True):
        tokens = rows[["input_tokens", "output_tokens"]].mean()
        usd = rows["cost_usd"].mean() if rows["cost_usd"].notna().all() else None
        cost = "cost unknown" if usd is None else f"{usd:,.4f} USD"
        taken = f"{tokens['input_tokens']:,.0f} tokens in, {tokens['output_tokens']:,.0f} out"
        lines.append(f"{_worker(rows.iloc[0])}, mean of a trial: {taken}, {cost}")
    return lines


def latex(summary: pd.DataFrame, differences: pd.DataFrame) -> str:
    r"""For `\input`: the summary, and below it the differences between arms."""
    below = [_difference_line(row) for _, row in differences.iterrows()]
    parts = [Part(_SPEC, _HEADS, _summary_blocks(summary))]
    if below:
        parts.append(Part(_DIFFERENCES, _DIFFERENCE_HEADS, [below]))
    return lay_out(_caption(summary), "overview", parts)


def p_value(p: float) -> str:
    """Three digits; what would be none of them is below a bound, since no p is 0."""
    return "<0.001" if p < 0.0005 else f"{p:.3f}"


def agent_label(agent: str, model: object) -> str:
    """The agent, with its model where it has one."""
    return f"{agent} ({model})" if isinstance(model, str) and model else agent


def task_label(task: str, *, short: bool) -> str:
    """The task's name, without the app where there is only one."""
    return task.partition("/")[2] or task if short else task


def _worker(row: pd.Series) -> str:
    """Who worked, and in what scope where it is not the whole app."""
    scope = "" if row["scope"] == "all" else f", {row['scope']}"
    return agent_label(row["agent"], row["model"]) + scope


# The terminal.


def _add_task(table: Table, block: pd.DataFrame, arms: Sequence[str], *, short: bool) -> None:
    first = block.iloc[0]
    head = escape(f"{first['task_class']} {task_label(first['task'], short=short)}")
    for _, rows in block.groupby(["agent", "model", "scope"], dropna=False, sort=False):
        name = _worker(rows.iloc[0])
        by_arm = {row["arm"]: _outcome(row) for _, row in rows.iterrows()}
        table.add_row(head, escape(name), *(by_arm.get(arm, "[dim]-[/]") for arm in arms))
        head = ""
    table.add_section()


def _outcome(row: pd.Series) -> str:
    if not row["n"]:
        return f"[yellow]lost {row['lost']}[/]"
    words = "resolved" if row["resolved"] == row["n"] else _refusal(row)
    if row["n"] > 1:
        words = f"{row['resolved']}/{row['n']} {words}"
    if row["lost"]:
        words += f", lost {row['lost']}"
    # A control is right or wrong as a control: a refused sabotage is good news.
    if row["as_expected"] is not pd.NA and row["as_expected"] < row["n"]:
        return f"[bold red]! {escape(words)}[/]"
    return f"[green]{escape(words)}[/]" if row["resolved"] == row["n"] else escape(words)


def _refusal(row: pd.Series) -> str:
    if pd.isna(row["refused_by"]):
        return "unresolved"
    first, *others = str(row["refused_by"]).split("+")
    return first.replace("_", " ") + (f" +{len(others)}" if others else "")


def _totals(summary: pd.DataFrame) -> str:
    text = f"{summary['n'].sum()} trials counted, {summary['resolved'].sum()} resolved; "
    text += f"{summary['lost'].sum()} lost to infrastructure"
    controls = summary[summary["as_expected"].notna()]
    if len(controls):
        text += f"\ncontrols as expected: {controls['as_expected'].sum()} of {controls['n'].sum()}"
    return text


# LaTeX.

_SPEC = "llllrlrrrrrrrrr"
_HEADS = [
    "Task", "Class", "Agent", "Arm", "$n$", "Resolved", "B", "E", "S", "C", "I",
    "Tests", "Churn", "Ctx", "Verify (s)",
]  # fmt: skip
_DIFFERENCES = "llrrrl"
_DIFFERENCE_HEADS = ["Agent", "Difference in resolved", "Apps", "Tasks", "pp", "95\\% interval"]


def _summary_blocks(summary: pd.DataFrame) -> list[list[str]]:
    short = len(set(summary["app"])) == 1
    rows = [row for _, row in summary.iterrows()]
    return [
        [_summary_line(row, first=i == 0, short=short) for i, row in enumerate(block)]
        for _, block in groupby(rows, key=lambda row: (row["pair"], row["task"]))
    ]


def _summary_line(row: pd.Series, *, first: bool, short: bool) -> str:
    heads = [task_label(row["task"], short=short), row["task_class"]] if first else ["", ""]
    cells = [*heads, _worker(row), row["arm"]]
    numbers = [
        str(row["n"]) + (f" ({row['lost']} lost)" if row["lost"] else ""),
        _resolved(row),
        *(_percent(row[f"{name}_share"]) for name in FACTORS),
        _percent(row["tests_passed_share"]),
        _number(row["churn_ratio"], 2),
        _number(row["contexts_changed"], 1),
        _number(row["verify_seconds"], 1),
    ]
    return " & ".join([*map(escape_latex, cells), *numbers]) + r" \\"


def _resolved(row: pd.Series) -> str:
    if not row["n"]:
        return "--"
    low, high = 100 * row["resolved_low"], 100 * row["resolved_high"]
    return f"{row['resolved']}/{row['n']} [{low:.0f}, {high:.0f}]"


def _percent(share: float) -> str:
    return "--" if pd.isna(share) else f"{100 * share:.0f}"


def _number(value: float, digits: int) -> str:
    return "--" if pd.isna(value) else f"{value:.{digits}f}"


def _difference_line(row: pd.Series) -> str:
    value = f"{row['difference'] + 0.0:+.1f}".replace("+0.0", "0.0")
    cells = [
        escape_latex(_worker(row)),
        escape_latex(f"{row['minuend']} - {row['subtrahend']}").replace(" - ", " $-$ "),
        str(row["apps"]),
        str(row["tasks"]),
        typeset(value),
        _interval(row),
    ]
    return " & ".join(cells) + r" \\"


def _interval(row: pd.Series) -> str:
    if pd.isna(row["low"]):
        return escape_latex(row["note"])
    return typeset(f"[{row['low']:+.1f}, {row['high']:+.1f}]")


def _caption(summary: pd.DataFrame) -> str:
    tasks, apps = summary["task"].nunique(), summary["app"].nunique()
    text = (
        f"Outcome by task, agent and arm: {summary['n'].sum()} trials over {tasks} tasks of "
        f"{apps} app{'s' * (apps > 1)}, {summary['lost'].sum()} more lost to infrastructure and "
        "not counted. Resolved: count [95% Wilson interval, %]. B behaviour, E equivalence, "
        "S structure, C contract, I integrity, Tests: % that held (no evidence: not held). "
        "Churn: changed lines over the first solution's; Ctx: contexts edited; "
        "means over the scored trials."
    )
    return escape_latex(text)
