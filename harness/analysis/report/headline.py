"""The first lines of the page. Everything about estimates that the page knows stands here."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import pandas as pd

from harness.analysis.comparison import widest
from harness.analysis.estimate.effects import PRIMARY, EffectRow, Question, effect
from harness.analysis.estimate.pairing import (
    Contrast,
    Missing,
    Side,
    by_app,
    class_balanced,
    differences,
)
from harness.analysis.order import ARMS, CONTROLS, rank, sort_arms
from harness.analysis.paper.styles import signed
from harness.analysis.summary import summary, wilson
from harness.analysis.tables import agent_label

SHOWN_NOT = 100
"""bootstrap samples: the page has no place for the cross-check"""


@dataclass(frozen=True)
class Share:
    """Resolved trials of one agent on one arm, over all tasks; percentages."""

    agent: str
    arm: str
    n: int
    lost: int
    resolved: int
    share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Difference:
    """One arm minus another within the same tasks, in percentage points over apps."""

    agent: str
    arms: str
    tasks: int
    apps: int
    value: float
    low: float | None
    high: float | None
    p: float | None
    notes: tuple[str, ...]
    """what to know before reading the numbers, or why there are none"""


@dataclass(frozen=True)
class Headline:
    """What the page says first."""

    counted: int
    resolved: int
    lost: int
    tasks: int
    apps: int
    controls: tuple[int, int] | None
    """control trials that ended as they must, and all of them; None without any"""
    no_isolation: bool
    is_simulated: bool
    differences: tuple[Difference, ...]
    shares: tuple[Share, ...]


def headline(trials: pd.DataFrame) -> Headline:
    """The headline of the trials of one run."""
    found = summary(trials)
    controls = found[found["as_expected"].notna()]
    expected = (int(controls["as_expected"].sum()), int(controls["n"].sum()))
    return Headline(
        counted=int(found["n"].sum()),
        resolved=int(found["resolved"].sum()),
        lost=int(found["lost"].sum()),
        tasks=trials["task"].nunique(),
        apps=trials["app"].nunique(),
        controls=expected if len(controls) else None,
        no_isolation=bool((trials["isolation"] == "none").any()),
        is_simulated=bool((trials["isolation"] == "simulated").any()),
        differences=tuple(_differences(trials)),
        shares=tuple(_shares(found)),
    )


def _differences(trials: pd.DataFrame) -> Iterator[Difference]:
    """The primary test first, over all models, then each model, then the controls."""
    studied = trials[trials["model"].notna()]
    yield from _primary(studied)
    if len(studied[["agent", "model"]].drop_duplicates()) > 1:
        yield from _between_arms("every agent and model", studied)
    for part in (studied, trials[trials["model"].isna()]):
        groups = part.groupby(["agent", "model"], dropna=False, sort=False)
        workers = [group for _, group in groups]
        for group in sorted(workers, key=lambda rows: rank(CONTROLS, rows["agent"].iloc[0])):
            first = group.iloc[0]
            yield from _between_arms(agent_label(first["agent"], first["model"]), group)


def _primary(studied: pd.DataFrame) -> Iterator[Difference]:
    """The one named test: of the two farthest arms alone."""
    if len(set(studied["arm"])) > 1:
        asked = Question(widest(studied), n_boot=SHOWN_NOT)
        found = differences(studied, asked.contrast)
        if len(found):
            row = effect(found, asked, level=PRIMARY)
            yield _difference("primary: classes of tasks at equal weight", row, studied, asked)


def _between_arms(agent: str, trials: pd.DataFrame) -> Iterator[Difference]:
    # The more distributed arm comes first: microservices minus monolith, as in SCIENCE.md (c) 1.
    for scope in sorted(set(trials["scope"])):
        for minuend, subtrahend in combinations(reversed(sort_arms(trials["arm"])), 2):
            contrast = Contrast(Side(minuend, scope), Side(subtrahend, scope))
            asked = Question(contrast, n_boot=SHOWN_NOT)
            found = differences(trials, asked.contrast)
            if len(found):
                yield _difference(agent, effect(found, asked), trials, asked)


def _difference(agent: str, row: EffectRow, trials: pd.DataFrame, asked: Question) -> Difference:
    notes = [row.note] if row.note else []
    if row.lost:
        weigh = class_balanced if row.level == PRIMARY else by_app
        low, high = (
            weigh(differences(trials, asked.contrast, missing=rule)).mean()
            for rule in (Missing.worst_low, Missing.worst_high)
        )
        notes.append(f"{row.lost} lost: {signed(low, 1)} to {signed(high, 1)} whatever they were")
    return Difference(
        agent=agent,
        arms=f"{asked.contrast.minuend} minus {asked.contrast.subtrahend}",
        tasks=row.tasks,
        apps=row.apps,
        value=row.difference or 0.0,
        low=row.low,
        high=row.high,
        p=row.p_sign_flip,
        notes=tuple(notes),
    )


def _shares(found: pd.DataFrame) -> list[Share]:
    keys = ["agent", "model", "scope", "arm"]
    rows = [_share(rows) for _, rows in found.groupby(keys, dropna=False, sort=False)]
    return sorted(rows, key=_shown_order)


def _share(rows: pd.DataFrame) -> Share:
    n, resolved = int(rows["n"].sum()), int(rows["resolved"].sum())
    low, high = wilson(resolved, n) if n else (None, None)
    return Share(
        agent=_agent(rows.iloc[0]),
        arm=str(rows.iloc[0]["arm"]),
        n=n,
        lost=int(rows["lost"].sum()),
        resolved=resolved,
        share=100 * resolved / n if n else None,
        low=None if low is None else 100 * low,
        high=None if high is None else 100 * high,
    )


def _shown_order(share: Share) -> tuple[object, ...]:
    return rank(CONTROLS, share.agent), rank(ARMS, share.arm)


def _agent(row: pd.Series) -> str:
    scope = "" if row["scope"] == "all" else f", {row['scope']}"
    return agent_label(row["agent"], row["model"]) + scope
