"""Uses of tools for simulated trials: what they were for, where they looked, what came back.

Drawn from a stream of its own, so that the trials are the same with and without them.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.records import ToolRecord, columns

MOST_TRIALS = 10_000
"""of models whose uses are drawn: those of a million trials would be gigabytes"""


@dataclass(frozen=True)
class Use:
    """How often a tool is used so, of all uses, and its tokens in the middle of their spread."""

    share: float
    request_tokens: float
    result_tokens: float
    looks: bool
    """whether what comes back is of some context"""


USES = {
    "navigate": Use(0.25, 30, 250, looks=True),
    "read": Use(0.35, 30, 1200, looks=True),
    "edit": Use(0.17, 400, 40, looks=False),
    "test": Use(0.15, 20, 500, looks=True),
    "run": Use(0.06, 50, 300, looks=False),
    "other": Use(0.02, 20, 60, looks=False),
}
ELSEWHERE = {
    "monolith:all": 0.45, "modular:all": 0.35, "microservices:all": 0.3, "microservices:own": 0.08,
}  # fmt: skip
"""the chance that a look is at another context than the target"""


def tool_uses(trials: pd.DataFrame, seed: int, most: int = MOST_TRIALS) -> pd.DataFrame:
    """As many uses as a trial says that it made, of the first `most` of models: `ToolRecord`s."""
    rng = np.random.default_rng((seed, 1))
    worked = trials[trials["model"].notna()].head(most)
    times = worked["tool_calls"].to_numpy(int)
    uses = worked[["trial_id", "target_contexts"]].loc[worked.index.repeat(times)]
    kind = rng.choice(len(USES), len(uses), p=[use.share for use in USES.values()])
    request, result = (
        np.round(np.array(middle)[kind] * rng.lognormal(0, 0.5, len(uses))).astype(int)
        for middle in zip(
            *((u.request_tokens, u.result_tokens) for u in USES.values()), strict=True
        )
    )
    side = worked["arm"] + ":" + worked["scope"]
    elsewhere = np.repeat(side.map(ELSEWHERE).to_numpy(float), times) > rng.random(len(uses))
    looks = np.array([use.looks for use in USES.values()])[kind]
    name, target = np.array(list(USES), object)[kind], uses["target_contexts"].to_numpy(object)
    found = uses.assign(
        attempt=1,
        call=np.concatenate([np.arange(1, number + 1) for number in times]),
        number=1,
        tool=name,
        kind=name,
        contexts_read=np.where(looks, np.where(elsewhere, "other", target), ""),
        contexts_edited=np.where(name == "edit", target, ""),
        request_tokens=request,
        result_tokens=result,
        seconds=0.5,
        ending="ok",
    )
    return found[[column.name for column in columns(ToolRecord)]].reset_index(drop=True)
