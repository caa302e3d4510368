"""What the tests ask of every wire."""

from collections.abc import Callable

from harness.llm import Message, Request, Text, Tool
from harness.llm.asking import AskingModel
from tests.wire.server import Scripted

WIRES = ("anthropic", "openai-responses", "openai-chat")
BASH = Tool(
    name="bash",
    description="run",
    parameters={"type": "object", "properties": {"command": {"type": "string"}}},
)


def user(*parts: object) -> Message:
    return Message(role="user", parts=tuple(parts))  # type: ignore[arg-type]


ASK = Request(
    system="be brief", messages=(user(Text(text="hello")),), tools=(BASH,), max_output_tokens=64
)
Open = Callable[..., tuple[AskingModel, Scripted, list[float]]]
