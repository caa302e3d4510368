"""Who made a patch, for tools that know an agent and its model and no variants."""

from harness.plan import played_agent
from harness.records import TrialRecord


def maker(trial: TrialRecord) -> str:
    """The agent, and of a replay also the one that it plays again: `replay:tool_loop`.

    The scaffolds of a study that is played again have one agent, and would be taken for one.
    """
    played = played_agent(trial)
    return trial.agent if played is None else f"{trial.agent}:{played}"
