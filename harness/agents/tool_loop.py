"""A scaffold that works as people do: look, change, try, until it says that it is done."""

from dataclasses import dataclass

from harness.agents.conversation import Conversation
from harness.agents.prompting import render
from harness.agents.protocol import AgentReport, Assignment
from harness.agents.reporting import reported
from harness.agents.session import Ended, Session
from harness.agents.sessions import SessionSource
from harness.agents.tools import TOOLS, Toolbox
from harness.errors import PatchRefused
from harness.llm import Message, Text
from harness.sandbox import Sandbox


@dataclass(frozen=True)
class ToolLoop:
    """Bash, an edit tool and submit, called as the provider's own tools."""

    sessions: SessionSource
    is_control: bool = False

    def work(self, assignment: Assignment, sandbox: Sandbox) -> AgentReport:
        session = self.sessions.open(assignment)
        limits = session.limits
        talk = limits.conversation(render("tool_loop_system"), TOOLS)
        talk.say(_user(render("tool_loop_task", instruction=assignment.task.instruction)))
        tools = Toolbox(assignment, sandbox, session)
        return reported("tool_loop", session, talk, tools.uses, lambda: _loop(session, talk, tools))


def _loop(session: Session, talk: Conversation, tools: Toolbox) -> None:
    """Ask, do, tell; leaves by Ended, or by PatchRefused where no workspace is left."""
    silent = 0
    while True:
        answer = session.ask(talk)
        if answer.stop == "refusal":
            raise Ended("refusal")
        if answer.message.tool_calls:
            silent = 0
            talk.say(tools.serve(answer))
            if tools.is_sandbox_gone:
                raise PatchRefused("the sandbox ran out of memory")
            if tools.is_submitted:
                raise Ended("submitted")
            continue
        if answer.stop == "max_tokens":  # it had more to say
            silent = 0
            talk.say(_user(render("tool_loop_cut", tokens=talk.max_output_tokens)))
            continue
        silent += 1
        if silent == 2:  # reminded once, and still nothing to do
            raise Ended("stopped")
        talk.say(_user(render("tool_loop_reminder")))


def _user(text: str) -> Message:
    return Message(role="user", parts=(Text(text=text),))
