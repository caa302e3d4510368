"""What is made of a results folder, and shown: tables, figures, a page, files for other tools."""

from collections.abc import Sequence
from pathlib import Path

from harness import build
from harness.analysis import comparison
from harness.analysis.claims import save_tables
from harness.analysis.frame import holds_tables_only, read_tools, read_trials
from harness.analysis.outputs import write_outputs
from harness.analysis.paper.plates import save_plates
from harness.analysis.paper.styles import style_named
from harness.analysis.report.instructions import Instruction, find_instructions
from harness.analysis.report.page import write_report
from harness.analysis.summary import summary
from harness.analysis.tables import results_table, spending_lines
from harness.console import for_tables, plain
from harness.errors import BadInput
from harness.export import atif, release, swebench
from harness.paths import RunPaths, find_checkout
from harness.plan import read_plans


def show_tables(folder: Path) -> None:
    """Write every table and figure of a results folder and show the main table."""
    if holds_tables_only(folder):
        raise BadInput(f"{folder}: holds tables only; try `compare`, `figures` or `report` there")
    if not RunPaths(folder).records.exists():
        raise BadInput(f"{folder}: no records.jsonl there; is it a results folder?")
    written = write_outputs(folder)
    trials = read_trials(folder)
    for_tables().print(results_table(summary(trials)))
    console = plain()
    for line in spending_lines(trials):
        console.print(line, soft_wrap=True)
    if "none" in set(trials["isolation"]):
        console.print("NO ISOLATION: some of these trials ran with sandbox=process")
    console.print(f"wrote to {folder}:", soft_wrap=True)
    for path in written:
        console.print(f"  {path.relative_to(folder)}", soft_wrap=True)


def compare(folder: Path, by: str, contrast: str | None) -> None:
    """Show the paired table of a results folder and write it as CSV and LaTeX."""
    trials = read_trials(folder)
    wanted = comparison.parse_contrast(contrast, trials) if contrast else None
    found = comparison.compare(trials, by, wanted)
    saved = list(comparison.save(found, folder / "tables"))  # first: whoever reads may stop
    for_tables().print(comparison.table(found))
    console = plain()
    for path in saved:
        console.print(f"  {path.relative_to(folder)}", soft_wrap=True)


def draw(folder: Path, style: str, out: Path | None) -> None:
    """Draw every figure that the trials of a results folder can fill; say what was not drawn."""
    chosen = style_named(style)
    trials = read_trials(folder)
    console = plain()
    plates = list(save_plates(trials, out or folder / "figures", chosen, read_tools(folder)))
    tables = list(save_tables(trials, out or folder / "tables"))
    for saved in plates:  # all is there before anything is said: whoever reads may stop
        if saved.missing:
            console.print(f"{saved.name}: not drawn, it needs {saved.missing}", soft_wrap=True)
        for path in saved.paths:
            console.print(str(path), soft_wrap=True)
    for path in tables:
        console.print(str(path), soft_wrap=True)


def write_page(folder: Path, out: Path) -> None:
    """Write the page of a results folder, with the words of the tasks that are still as they were.

    A page can be made anywhere; without a checkout it says that the words are not there.
    """
    try:
        found = find_checkout().tasks
    except BadInput:
        found = folder / "tasks"
    instructions: dict[str, Instruction] = {}
    for plan in read_plans(RunPaths(folder)):
        tasks = {cell.task for cell in plan.cells}
        words = find_instructions(tasks, plan.locks, found, build.digest_folder)
        instructions |= {cell.trial_id: words[cell.task] for cell in plan.cells}
    written = write_report(folder, out, instructions)
    plain().print(f"wrote {written} ({written.stat().st_size:,} bytes)", soft_wrap=True)


def _inspect_logs(folder: Path, out: Path) -> list[Path]:
    from harness.export.inspect import log  # noqa: PLC0415 - an extra that is slow to import

    return log.export(folder, out)


def _predictions(folder: Path, out: Path) -> list[Path]:
    made = swebench.export(folder, out)
    for line in made.left_out:
        plain(stderr=True).print(line, soft_wrap=True)
    return [made.path]


EXPORTS = {
    "swebench": _predictions,
    "parquet": release.export,
    "atif": atif.export,
    "inspect": _inspect_logs,
}


def export(folders: Sequence[Path], form: str, out: Path | None) -> None:
    """Write a results folder in another tool's format, or several joined as one release."""
    if form not in EXPORTS:
        raise BadInput(f"--format {form}: unknown; choose one of {', '.join(EXPORTS)}")
    first, *others = folders
    if not others:
        written = EXPORTS[form](first, out or first / "export" / form)
    elif form != "parquet":
        raise BadInput(f"--format {form}: takes one folder; --format parquet joins several")
    elif out is None:
        raise BadInput(f"--out: must say where the {len(folders)} folders are joined")
    else:
        written = release.join(folders, out)
    for path in written:
        plain().print(str(path), soft_wrap=True)
