"""A conversation as messages of Inspect."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageTool,
    ChatMessageUser,
    Content,
    ContentReasoning,
    ContentText,
    ModelOutput,
    ModelUsage,
)
from inspect_ai.tool import ToolCall, ToolCallError

from harness.export.turns import Talk, Turn, Used
from harness.llm import Text, Thinking, Usage

NO_MODEL = "none/none"
"""what Inspect calls it"""
_STOPS = {"end": "stop", "refusal": "content_filter"}


@dataclass
class Exchange:
    """One call of the model as messages; `answer` is null where there was none."""

    turn: Turn
    said: list[ChatMessage]
    answer: ChatMessageAssistant | None
    results: list[ChatMessageTool]


@dataclass
class Spoken:
    """A whole conversation as messages."""

    opening: list[ChatMessage] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    closing: list[ChatMessage] = field(default_factory=list)

    @property
    def messages(self) -> list[ChatMessage]:
        """Everything in the order in which it was said."""
        found = list(self.opening)
        for one in self.exchanges:
            found += [*one.said, *([one.answer] if one.answer else []), *one.results]
        return [*found, *self.closing]


def speak(talk: Talk, name: str) -> Spoken:
    """The conversation as messages, whose ids begin with `name`."""
    system = talk.told.system
    spoken = Spoken(
        [ChatMessageSystem(content=system)] if system else [],
        [_exchange(turn) for turn in talk.turns],
        [ChatMessageUser(content=words) for words in talk.closing],
    )
    for number, message in enumerate(spoken.messages, start=1):
        message.id = f"{name}-{number}"
    return spoken


def output(exchange: Exchange) -> ModelOutput:
    """What the model gave back in an exchange that it answered."""
    call, answer = exchange.turn.call, exchange.turn.call.answer
    if answer is None or exchange.answer is None:
        tried = call.tries[-1] if call.tries else None
        return ModelOutput(error=f"{tried.status}: {tried.detail}" if tried else "timeout")
    choice = ChatCompletionChoice(
        message=exchange.answer, stop_reason=_STOPS.get(answer.stop, answer.stop)
    )
    return ModelOutput(
        model=answer.served_by,
        choices=[choice],
        usage=usage(call.usage, call.cost_usd),
        time=call.seconds,
    )


def usage(used: Usage, cost_usd: float | None) -> ModelUsage:
    """Usage in Inspect's words, whose input tokens leave caches out."""
    return ModelUsage(
        input_tokens=used.fresh_input,
        input_tokens_cache_read=used.cache_read,
        input_tokens_cache_write=used.cache_write,
        output_tokens=used.output,
        reasoning_tokens=used.reasoning,
        total_tokens=used.input_tokens + used.output,
        total_cost=cost_usd,
    )


def tool_error(used: Used) -> ToolCallError | None:
    """What went wrong with a tool, in one of Inspect's kinds."""
    if used.result is None or not used.result.is_error:
        return None
    kind_known = used.call.arguments is not None
    return ToolCallError("unknown" if kind_known else "parsing", used.result.text)


def _exchange(turn: Turn) -> Exchange:
    said: list[ChatMessage] = [ChatMessageUser(content=words) for words in turn.said]
    results = [_result(used) for used in turn.tools if used.result is not None]
    results += [ChatMessageTool(content=one.text) for one in turn.stray]
    return Exchange(turn, said, _assistant(turn) if turn.call.answer else None, results)


def _assistant(turn: Turn) -> ChatMessageAssistant:
    answer = turn.call.answer
    return ChatMessageAssistant(
        content=list(_contents(turn)),
        source="generate",
        model=answer.served_by if answer else None,
        tool_calls=[_tool_call(used) for used in turn.tools] or None,
        metadata={"turn": turn.call.turn, "compacted": turn.call.compacted},
    )


def _contents(turn: Turn) -> Iterator[Content]:
    for part in turn.call.answer.message.parts if turn.call.answer else ():
        if isinstance(part, Text):
            yield ContentText(text=part.text)
        elif isinstance(part, Thinking):
            # Reasoning that a provider keeps to itself comes as a sealed block without words.
            yield ContentReasoning(reasoning=part.text or part.sealed, redacted=not part.text)


def _tool_call(used: Used) -> ToolCall:
    asked = used.call
    problem = f"no JSON object: {asked.raw}" if asked.arguments is None else None
    return ToolCall(
        id=used.id, function=asked.name, arguments=asked.arguments or {}, parse_error=problem
    )


def _result(used: Used) -> ChatMessageTool:
    return ChatMessageTool(
        content=used.result.text if used.result else "",
        tool_call_id=used.id,
        function=used.call.name,
        error=tool_error(used),
        metadata=used.use.model_dump(mode="json") if used.use else None,
    )
