"""What became of mutants: the table that is kept, what must hold of it, and its summary."""

import csv
import fcntl
import io
import os
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, RootModel, StringConstraints, ValidationError

from harness.errors import BadInput
from harness.pairs.weave import Mutant
from harness.specfile import read_spec
from harness.store import write_atomically

Killer = Literal["test", "sequence", "start", "nothing"]
UNCHANGED = "unchanged"
"""the row of the app without any mutant, which nothing may kill"""
LEAST_SHARE = 0.9
"""of the mutants of a sample, those that no request can tell included"""
EQUIVALENT = "equivalent:"


class Verdict(BaseModel):
    """What became of a mutant on an arm: a row of the table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mutant: str
    context: str
    function: str
    line: int
    """of the context's domain file"""
    operator: str
    before: str
    after: str
    arm: str
    killed_by: Killer
    first: str
    """the first test that failed, or the sequence and step that differed"""
    why: str
    """what the test or the comparison said"""
    judged: str
    """digest of everything that the verdict depends on"""


class Ledger:
    """The verdicts of an app in a CSV file that is whole after each of them.

    One process at a time has its folder, since each writes all that it knows.
    """

    def __init__(self, path: Path) -> None:
        """Raises BadInput where the file is not such a table, or somebody else has it."""
        self._path = path
        self._guard = threading.Lock()
        self._folder = _lock(path.parent)
        try:
            self._rows = {(row.mutant, row.arm): row for row in _read(path)}
        except BadInput:
            self.close()
            raise

    def verdict(self, mutant: str, arm: str, judged: str) -> Verdict | None:
        """What is known already of a mutant on an arm, if it still holds."""
        row = self._rows.get((mutant, arm))
        return row if row and row.judged == judged else None

    def add(self, verdict: Verdict) -> None:
        with self._guard:
            self._rows[verdict.mutant, verdict.arm] = verdict
            write_atomically(self._path, _table(list(self._rows.values())))

    def arrange(self, verdicts: Sequence[Verdict], mutants: Collection[str]) -> None:
        """Put these verdicts first, in this order; what is known of other `mutants` stays.

        Judging takes hours: a smaller sample must not forget what a larger one cost.
        """
        first = {(row.mutant, row.arm): row for row in verdicts}
        with self._guard:
            others = {key: row for key, row in self._rows.items()
                      if key not in first and row.mutant in mutants}  # fmt: skip
            self._rows = first | others
            write_atomically(self._path, _table(list(self._rows.values())))

    def close(self) -> None:
        os.close(self._folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Reasons(RootModel[dict[str, Annotated[str, StringConstraints(
    pattern=r"^(equivalent|unseen): \S.*"
)]]]):  # fmt: skip
    """survivors.yaml: mutant -> `equivalent: why no request can tell`, `unseen: why none does`."""


def read_reasons(path: Path) -> dict[str, str]:
    """Why mutants survive, as a person wrote it; without a file, no reasons. Raises BadInput."""
    return dict(read_spec(path, _Reasons).root) if path.exists() else {}


@dataclass(frozen=True)
class Findings:
    """All verdicts on one sample, and the reasons of those that survive."""

    app: str
    mutants: Sequence[Mutant]
    """every mutant of the app, of which some were judged"""
    verdicts: Sequence[Verdict]
    reasons: Mapping[str, str]

    @cached_property
    def arms(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(row.arm for row in self.verdicts))

    @cached_property
    def rows(self) -> tuple[Verdict, ...]:
        """The verdicts on mutants."""
        return tuple(row for row in self.verdicts if row.mutant != UNCHANGED)

    @cached_property
    def judged(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(row.mutant for row in self.rows))

    @cached_property
    def killed(self) -> dict[str, set[str]]:
        """Arm -> the mutants that something killed there."""
        dead = [row for row in self.rows if row.killed_by != "nothing"]
        return {arm: {row.mutant for row in dead if row.arm == arm} for arm in self.arms}

    @property
    def equal(self) -> bool:
        """Whether every arm kills the same mutants."""
        return len({frozenset(names) for names in self.killed.values()}) <= 1

    @property
    def survivors(self) -> list[str]:
        """Mutants that live on one arm or more."""
        return [name for name in self.judged if len(self.where_killed(name)) < len(self.arms)]

    def where_killed(self, mutant: str) -> list[str]:
        return [arm for arm in self.arms if mutant in self.killed[arm]]


def problems(found: Findings) -> Iterator[str]:
    """What does not hold, a line each."""
    for row in found.verdicts:
        if row.mutant == UNCHANGED and row.killed_by != "nothing":
            yield f"{row.arm}: the unchanged app fails: {row.killed_by} {row.first} {row.why}"
    for name in found.survivors:
        if where := found.where_killed(name):
            lives = ", ".join(arm for arm in found.arms if arm not in where)
            yield f"{name}: killed on {', '.join(where)}, lives on {lives}"
        if name not in found.reasons:
            yield f"{name}: survives without a reason in survivors.yaml"
    yield from _idle_reasons(found)
    for arm in found.arms:
        share = len(found.killed[arm]) / max(len(found.judged), 1)
        if share < LEAST_SHARE:
            yield f"{arm}: {share:.1%} of the mutants are killed, {LEAST_SHARE:.0%} must be"


def _idle_reasons(found: Findings) -> Iterator[str]:
    known = {mutant.id for mutant in found.mutants}
    for name in found.reasons:
        if name not in known:
            yield f"survivors.yaml: {name}: there is no such mutant"
        elif name in found.judged and name not in found.survivors:
            yield f"survivors.yaml: {name}: does not survive, take it out"


def summary(found: Findings, command: str) -> str:
    """The table in words and figures, as Markdown."""
    arms = f"{len(found.judged)} of {len(found.mutants)} mutants, each on {len(found.arms)} arms."
    lines = [
        f"# Test strength of {found.app}",
        "",
        f"Written by `{command}`.",
        "",
        f"{arms} The kill sets of the arms are {'equal' if found.equal else 'NOT equal'}.",
        "",
        *_shares(found),
        "",
        *_killers(found),
        "",
        "## Survivors",
        "",
        *([_survivor(found, name) for name in found.survivors] or ["None."]),
    ]
    return "\n".join(lines) + "\n"


def _shares(found: Findings) -> Iterator[str]:
    """Killed of judged by context and arm."""
    yield f"| killed | {' | '.join(found.arms)} |"
    yield f"|---|{'---|' * len(found.arms)}"
    groups: dict[str, set[str]] = {}
    for row in found.rows:
        groups.setdefault(row.context, set()).add(row.mutant)
    equivalent = {name for name in found.judged
                  if found.reasons.get(name, "").startswith(EQUIVALENT)}  # fmt: skip
    groups["all"] = set(found.judged)
    groups["all but the equivalent"] = set(found.judged) - equivalent
    for name, mutants in groups.items():
        killed = [len(found.killed[arm] & mutants) for arm in found.arms]
        cells = [f"{n} of {len(mutants)} ({n / max(len(mutants), 1):.0%})" for n in killed]
        yield f"| {name} | {' | '.join(cells)} |"


def _killers(found: Findings) -> Iterator[str]:
    """How many each killer killed, by arm."""
    yield f"| killed by | {' | '.join(found.arms)} |"
    yield f"|---|{'---|' * len(found.arms)}"
    for killer in ("test", "sequence", "start", "nothing"):
        counts = [sum(row.arm == arm and row.killed_by == killer for row in found.rows)
                  for arm in found.arms]  # fmt: skip
        yield f"| {killer} | {' | '.join(map(str, counts))} |"


def _survivor(found: Findings, name: str) -> str:
    row = next(row for row in found.rows if row.mutant == name)
    reason = found.reasons.get(name, "NO REASON")
    before, after = (" ".join(text.split()) for text in (row.before, row.after))
    return f"- `{name}` (line {row.line}): `{before}` became `{after}`. {reason}"


def _table(rows: Sequence[Verdict]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(Verdict.model_fields), lineterminator="\n")
    writer.writeheader()
    writer.writerows(row.model_dump() for row in rows)
    return text.getvalue().encode()


def _lock(folder: Path) -> int:
    """A descriptor of the folder, which is locked until that is closed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        mine = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise BadInput(f"{folder}: cannot be a folder of tables: {error.strerror}") from error
    try:
        fcntl.flock(mine, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(mine)
        why = "another `strength` is writing there; wait, or use --out"
        raise BadInput(f"{folder}: {why}") from None
    return mine


def _read(path: Path) -> list[Verdict]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        try:
            return [Verdict.model_validate(row) for row in rows]
        except ValidationError as error:
            first = error.errors()[0]
            raise BadInput(f"{path}:{rows.line_num}: {first['loc']}: {first['msg']}") from None
        except UnicodeDecodeError as error:
            raise BadInput(f"{path}: not UTF-8: {error}") from None
