"""The Parquet files of a study, or of several joined, with a data card, ready to be published."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from harness.analysis.columns import sections
from harness.analysis.frame import TABLES, Run, read_runs, write_file, write_parquet
from harness.paths import RunPaths
from harness.plan import Plan, digest, dump_plan, read_plans


def export(folder: Path, out: Path) -> list[Path]:
    """Write a Parquet file a table, the plan and README.md; the paths that were written.

    Raises:
        BadInput: the folder holds no trial that has ended.
    """
    return _write([folder], out, folder.resolve().name)


def join(folders: Sequence[Path], out: Path) -> list[Path]:
    """The same of several studies as one: of those of several machines, or several parts of one.

    Each row keeps the digest of its study's plan, and the plans stand side by side.

    Raises:
        BadInput: a folder holds no trial that has ended, or two of them hold the same trial.
    """
    return _write(folders, out, out.resolve().name)


def _write(folders: Sequence[Path], out: Path, name: str) -> list[Path]:
    run = read_runs(folders)
    plans = _by_locks(plan for folder in folders for plan in read_plans(RunPaths(folder)))
    card = "\n".join(_card(name, run)) + "\n"
    return [
        *write_parquet(run, out),
        *(write_file(path, dump_plan(plan)) for path, plan in _places(plans, RunPaths(out))),
        write_file(out / "README.md", card),
    ]


def _by_locks(plans: Iterable[Plan]) -> dict[str, Plan]:
    """Plans of the same locks (an arm a machine, say) are one, with the cells of all.

    Not so one that was judged anew under the locks of another: its agents had other ones.
    """
    found: dict[str, Plan] = {}
    for plan in plans:
        key = digest([plan.locks, plan.judged])
        first = found.get(key, plan)
        cells = {cell.trial_id: cell for cell in (*first.cells, *plan.cells)}
        both = {"cells": tuple(cells.values()), "earlier": first.earlier | plan.earlier}
        found[key] = first.model_copy(update=both)
    return found


def _places(plans: Mapping[str, Plan], out: RunPaths) -> Iterator[tuple[Path, Plan]]:
    """One plan is the folder's own; of several, each has the digest of its locks for a name."""
    for key, plan in plans.items():
        yield (out.plan if len(plans) == 1 else out.joined_plan(key)), plan


def _card(name: str, run: Run) -> Iterator[str]:
    yield from _front_matter()
    yield f"# SeamBench results: {name}\n"
    yield from _facts(run)
    yield "\n## Limits\n"
    yield "- Trials within an app are not independent: use apps as clusters."
    yield "- A trial with status `lost` says nothing about its agent."
    yield "- An unknown cost is null, never 0."
    if any(trial.isolation != "container" for trial in run.trials):
        yield "- Some trials ran without a container: see `isolation`."
    yield "\n## Columns\n"
    yield from sections({f"{name}.parquet": kind for name, kind in TABLES.items()})


def _front_matter() -> Iterator[str]:
    """What dataset hubs read: a table is a configuration with one split."""
    yield "---"
    yield "license: apache-2.0"
    yield "pretty_name: SeamBench results"
    yield "configs:"
    for name in TABLES:
        yield f"- config_name: {name}"
        yield f"  data_files: {name}.parquet"
    yield "---\n"


def _facts(run: Run) -> Iterator[str]:
    for plan, image in sorted({(trial.plan_digest, trial.image_digest) for trial in run.trials}):
        yield f"- plan: {plan}, image: {image}"
    for name, rows in vars(run).items():
        yield f"- {name}: {len(rows):,} rows"
    for title, key in (("apps", "app"), ("arms", "arm"), ("tasks", "task"), ("agents", "agent")):
        yield f"- {title}: {', '.join(sorted({getattr(trial, key) for trial in run.trials}))}"
    models = sorted({trial.model for trial in run.trials if trial.model})
    yield f"- models: {', '.join(models) or 'none'}"
