"""The first lines of the page. Everything about estimates that the page knows stands here."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from harness.analysis.order import ARMS, CONTROLS, rank
from harness.analysis.summary import differences, summary, wilson
from harness.analysis.tables import agent_label


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
class Contrast:
    """One arm minus another within the same tasks, in percentage points."""

    agent: str
    arms: str
    tasks: int
    apps: int
    difference: float
    low: float | None
    high: float | None
    note: str | None


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
    contrasts: tuple[Contrast, ...]
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
        contrasts=tuple(_contrasts(trials)),
        shares=tuple(_shares(found)),
    )


def _contrasts(trials: pd.DataFrame) -> Iterator[Contrast]:
    for _, row in differences(trials).iterrows():
        yield Contrast(
            agent=_agent(row),
            arms=f"{row['minuend']} minus {row['subtrahend']}",
            tasks=int(row["tasks"]),
            apps=int(row["apps"]),
            difference=float(row["difference"]),
            low=_known(row["low"]),
            high=_known(row["high"]),
            note=None if pd.isna(row["note"]) else str(row["note"]),
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


def _known(value: float) -> float | None:
    return None if pd.isna(value) else float(value)
