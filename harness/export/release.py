"""The Parquet files of a run with a data card, ready to be published."""

from collections.abc import Iterator
from pathlib import Path

from harness.analysis.columns import sections
from harness.analysis.frame import TABLES, Run, read_run, write_file, write_parquet
from harness.paths import RunPaths
from harness.plan import read_plan


def export(folder: Path, out: Path) -> list[Path]:
    """Write a Parquet file a table and README.md; the paths that were written.

    Raises:
        BadInput: the folder holds no trial that has ended.
    """
    run = read_run(folder)
    card = "\n".join(_card(folder, run)) + "\n"
    return [*write_parquet(run, out), write_file(out / "README.md", card)]


def _card(folder: Path, run: Run) -> Iterator[str]:
    yield from _front_matter()
    yield f"# SeamBench results: {folder.resolve().name}\n"
    yield from _facts(folder, run)
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


def _facts(folder: Path, run: Run) -> Iterator[str]:
    plan = read_plan(RunPaths(folder))
    locks = plan.locks if plan else {}
    digests = sorted({trial.plan_digest for trial in run.trials})
    yield f"- plan: {', '.join(digests)}"
    yield f"- image: {locks.get('image', 'unknown')}"
    for name, rows in vars(run).items():
        yield f"- {name}: {len(rows):,} rows"
    for title, key in (("apps", "app"), ("arms", "arm"), ("tasks", "task"), ("agents", "agent")):
        yield f"- {title}: {', '.join(sorted({getattr(trial, key) for trial in run.trials}))}"
    models = sorted({trial.model for trial in run.trials if trial.model})
    yield f"- models: {', '.join(models) or 'none'}"
