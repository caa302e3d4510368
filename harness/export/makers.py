"""Who made a patch, for tools that know an agent and its model and no variants."""

from collections.abc import Hashable, Mapping
from typing import TypeVar

from harness.plan import played_agent
from harness.records import TrialRecord

K = TypeVar("K", bound=Hashable)


def maker(trial: TrialRecord) -> str:
    """The agent, and of a replay also the one that it plays again: `replay:tool_loop`.

    The scaffolds of a study that is played again have one agent, and would be taken for one.
    """
    played = played_agent(trial)
    return trial.agent if played is None else f"{trial.agent}:{played}"


def first_twins(keys: Mapping[str, K]) -> tuple[K, str, str] | None:
    """Of trials with their keys in a file the first key that two have, and which; None for none."""
    found: dict[K, str] = {}
    for trial, key in keys.items():
        other = found.setdefault(key, trial)
        if other != trial:
            return key, other, trial
    return None
