"""The tools of `tool_loop`: bash, edit and submit, all of them inside the sandbox."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.agents.conversation import BYTES_PER_TOKEN
from harness.agents.labels import contexts_in, kind_of
from harness.agents.protocol import Assignment
from harness.agents.session import Session
from harness.agents.trajectory import ToolUse
from harness.llm import Answer, Message, Tool, ToolCall, ToolResult
from harness.sandbox import Command, Finished, Sandbox

COMMAND_SECONDS = 180.0
OUTPUT_LIMIT = 16 * 1024
_PROGRAM = Path(__file__).with_name("editing.py").read_text(encoding="utf-8")


def _object(required: tuple[str, ...], **properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


_TEXT, _NUMBER = {"type": "string"}, {"type": "integer"}
TOOLS = (
    Tool(
        name="bash",
        description="Run a command line in /work. Each call is a shell of its own.",
        parameters=_object(("command",), command=_TEXT),
    ),
    Tool(
        name="edit",
        description=(
            "Look at or change one file. view: path, start, end (lines, from 1). create: path, text"
            " (the whole file). str_replace: path, old (must be there once), new. insert: path,"
            " line (0: at the top), text."
        ),
        parameters=_object(
            ("command", "path"),
            command={"type": "string", "enum": ["view", "create", "str_replace", "insert"]},
            path=_TEXT,
            text=_TEXT,
            old=_TEXT,
            new=_TEXT,
            start=_NUMBER,
            end=_NUMBER,
            line=_NUMBER,
        ),
    ),
    Tool(name="submit", description="Say that the work is done.", parameters=_object(())),
)


@dataclass
class Toolbox:
    """Does what a model asks for and keeps a line on each use."""

    assignment: Assignment
    sandbox: Sandbox
    session: Session
    uses: list[ToolUse] = field(default_factory=list)
    is_submitted: bool = False
    is_sandbox_gone: bool = False

    def serve(self, answer: Answer) -> Message:
        """Every call of an answer, in order; each gets a result, whatever it asked for."""
        results = []
        for number, call in enumerate(answer.message.tool_calls, start=1):
            # A limit cuts what was said last: a call that words follow is whole.
            is_cut = answer.stop == "max_tokens" and call is answer.message.parts[-1]
            results.append(self._serve(call, number, is_cut=is_cut))
        return Message(role="user", parts=tuple(results))

    def _serve(self, call: ToolCall, number: int, *, is_cut: bool) -> ToolResult:
        start = self.session.clock()
        ending, text = self._do(call, is_cut=is_cut)
        kind = kind_of(call.name, call.arguments or {})
        touched = contexts_in(self.assignment, call.arguments or {})
        self.uses.append(
            ToolUse(
                turn=len(self.session.calls),
                number=number,
                name=call.name[:100],
                kind=kind,
                contexts_read=() if kind == "edit" else touched,
                contexts_edited=touched if kind == "edit" else (),
                request_tokens=_tokens(call.raw),
                result_tokens=_tokens(text),
                seconds=self.session.clock() - start,
                ending=ending,
            )
        )
        return ToolResult(call_id=call.id, text=text, is_error=ending == "error")

    def _do(self, call: ToolCall, *, is_cut: bool) -> tuple[str, str]:
        """How it ended, in one word, and the text for the model."""
        if is_cut:
            return "error", "the answer reached its limit inside this call; it was not run"
        if call.arguments is None:
            return "error", "the arguments are no JSON object"
        match call.name:
            case "bash":
                return self._bash(call.arguments)
            case "edit":
                return self._edit(call.arguments)
            case "submit":
                self.is_submitted = True
                return "ok", "submitted"
        known = ", ".join(tool.name for tool in TOOLS)
        return "error", f"there is no tool {call.name!r}; there are {known}"

    def _bash(self, arguments: Mapping[str, Any]) -> tuple[str, str]:
        command = arguments.get("command")
        if not isinstance(command, str):
            return "error", "command: a text is needed"
        if problem := _unsendable(command):
            return "error", problem
        seconds = max(1.0, min(COMMAND_SECONDS, self.session.seconds_left))
        words = ("bash", "-lc", command)
        end = self._run(Command(words, timeout=seconds, output_limit=OUTPUT_LIMIT))
        told = end.stdout + (f"\n[stderr]\n{end.stderr}" if end.stderr else "")
        if end.ending == "exit":
            return ("ok", told) if end.code == 0 else ("exit", f"{told}\n[exit code {end.code}]")
        return end.ending, f"{told}\n[ended by {end.ending}]"

    def _edit(self, arguments: Mapping[str, Any]) -> tuple[str, str]:
        words = ("python3", "-c", _PROGRAM)
        asked = json.dumps(arguments).encode()
        end = self._run(Command(words, timeout=30, stdin=asked, output_limit=4 * OUTPUT_LIMIT))
        if end.ok:
            return "ok", end.stdout
        return "error", end.stdout or (end.stderr.strip().splitlines() or [end.ending])[-1]

    def _run(self, command: Command) -> Finished:
        end = self.sandbox.run(command)
        self.is_sandbox_gone = self.is_sandbox_gone or end.sandbox_gone
        return end


def _unsendable(command: str) -> str | None:
    if "\0" in command:
        return "command: holds a null character"
    try:
        size = len(command.encode())
    except UnicodeEncodeError:
        return "command: is no valid text"
    return "command: too long" if size > 100_000 else None


def _tokens(text: str) -> int:
    return int(len(text.encode(errors="replace")) / BYTES_PER_TOKEN) + 1
