"""How every scaffold ends: what was said, done and paid for, whatever stopped it."""

from collections.abc import Callable, Sequence

from harness.agents.conversation import Conversation
from harness.agents.protocol import AgentReport
from harness.agents.session import Ended, Ending, Session
from harness.agents.trajectory import ToolUse, trajectory
from harness.errors import ModelRefused
from harness.llm.replay import Diverged


def reported(
    scaffold: str,
    session: Session,
    talk: Conversation,
    uses: Sequence[ToolUse],
    work: Callable[[], None],
) -> AgentReport:
    """Do the work until it says how it ended. A failure is kept, too, with what was paid before.

    Raises ModelRefused for a key that is refused at once, Diverged for a replay that differs:
    neither has paid.
    """
    ending: Ending | None = None
    failure: Exception | None = None
    try:
        work()
    except Ended as end:
        ending = end.ending
    except (ModelRefused, Diverged):
        raise
    except Exception as error:  # noqa: BLE001 - the trial raises it, and knows what was paid for
        failure = error
    session.count_work()
    closing = tuple(talk.said[session.shown :])
    told = trajectory(
        scaffold, session, talk.system, talk.tools, tuple(uses), closing, ending, failure
    )
    usage = session.usage
    line = (
        f"{scaffold}: {ending or failure}: {len(session.calls)} calls, {len(uses)} tools, "
        f"{usage.input_tokens} tokens in, {usage.output} out\n"
    )
    return AgentReport(
        log=line,
        ending=ending,
        calls=tuple(session.calls),
        tools=tuple(uses),
        trajectory=told,
        idle=session.idle,
        failure=failure,
    )
