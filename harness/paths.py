"""Where everything lies. Nothing else in the package joins result paths.

results/<name>/
  plan.json                 what was locked before the first trial
  plans/<digest>.json       in a release: the same of each study that it joins
  records.jsonl             one line an attempt: the source of truth, append-only
  spending.json             what all runs have spent, with the most of what is in flight
  trials.parquet attempts.parquet calls.parquet tools.parquet tests.parquet
  trials.csv summary.csv
  figures/  tables/
  report.html               all of it to look at, one self-contained page
  trials/<trial_id>/
    patch.diff              what the agent changed
    agent.log               what the agent did
    trajectory.json         every message and tool result in order, where a model was asked
    app.log                 the end of the app's log
    evidence.json           what the verifier saw
    score.json              what the scorers made of it
results/strength/
  <app>.csv <app>.md        what became of mutants of the app's domain code, and a summary
"""

import os
from dataclasses import dataclass
from pathlib import Path

from harness.errors import BadInput


@dataclass(frozen=True)
class Checkout:
    """The folders that hold apps, tasks and configs."""

    root: Path

    @property
    def fixtures(self) -> Path:
        return self.root / "fixtures"

    @property
    def tasks(self) -> Path:
        return self.root / "tasks"

    @property
    def configs(self) -> Path:
        return self.root / "configs"

    @property
    def results(self) -> Path:
        return self.root / "results"

    @property
    def strength(self) -> Path:
        return self.results / "strength"

    @property
    def cache(self) -> Path:
        return self.root / ".cache"

    def gate(self, key: str) -> Path:
        """What a gate of tasks has found so far; gone when it has ended."""
        return self.cache / "gates" / key


def find_checkout() -> Checkout:
    """The checkout that holds the current folder, else the one the package is installed from.

    `SEAMBENCH_HOME` names another. Raises BadInput where none of them holds `fixtures/`.
    """
    named = os.environ.get("SEAMBENCH_HOME")
    here = Path.cwd()
    candidates = [Path(named)] if named else [here, *here.parents, Path(__file__).parents[1]]
    for folder in candidates:
        if (folder / "fixtures").is_dir() and (folder / "configs").is_dir():
            return Checkout(folder.resolve())
    where = f"SEAMBENCH_HOME={named}" if named else str(here)
    raise BadInput(f"{where}: no SeamBench checkout (fixtures/ and configs/); run from inside one")


@dataclass(frozen=True)
class StrengthPaths:
    """What `seambench strength` writes of an app."""

    folder: Path
    app: str

    @property
    def table(self) -> Path:
        return self.folder / f"{self.app}.csv"

    @property
    def summary(self) -> Path:
        return self.folder / f"{self.app}.md"


@dataclass(frozen=True)
class TrialPaths:
    """The files of one trial."""

    folder: Path

    @property
    def patch(self) -> Path:
        return self.folder / "patch.diff"

    @property
    def agent_log(self) -> Path:
        return self.folder / "agent.log"

    @property
    def trajectory(self) -> Path:
        return self.folder / "trajectory.json"

    @property
    def app_log(self) -> Path:
        return self.folder / "app.log"

    @property
    def evidence(self) -> Path:
        return self.folder / "evidence.json"

    @property
    def score(self) -> Path:
        return self.folder / "score.json"

    @property
    def all(self) -> tuple[Path, ...]:
        """Every file that a trial may have."""
        worked = (self.patch, self.agent_log, self.trajectory)
        return (*worked, self.app_log, self.evidence, self.score)


@dataclass(frozen=True)
class RunPaths:
    """The files of one results folder."""

    root: Path

    @property
    def plan(self) -> Path:
        return self.root / "plan.json"

    @property
    def joined_plans(self) -> Path:
        return self.root / "plans"

    def joined_plan(self, digest: str) -> Path:
        return self.joined_plans / f"{digest[:16]}.json"

    @property
    def records(self) -> Path:
        return self.root / "records.jsonl"

    @property
    def spending(self) -> Path:
        return self.root / "spending.json"

    @property
    def report(self) -> Path:
        return self.root / "report.html"

    @property
    def trials(self) -> Path:
        return self.root / "trials"

    def trial(self, trial_id: str) -> TrialPaths:
        return TrialPaths(self.trials / trial_id)
