"""A conversation that always fits a context budget, and how it is made to fit."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.agents.measure import Measure
from harness.llm import Message, Part, Request, Thinking, Tool, ToolResult

BYTES_PER_TOKEN = 3.0
"""Where no model says otherwise."""
ROOM = 0.7
"""What a compaction brings the request down to, as a share: not every turn shall need one."""
LEFT_OUT = "[{} lines left out to stay inside the context budget]"
"""In lines: their number is the same in a replay, whatever durations and ports stand in them."""
SHORT = len(LEFT_OUT) + 10
"""Signs of a result that is not worth shortening."""


class DoesNotFit(Exception):
    """Even the shortest form of the conversation is longer than its budget."""


@dataclass
class Conversation:
    """The messages so far, kept inside `budget` tokens.

    The policy, in order, until a request fits:

    1. results of tools, oldest first, are replaced by one line that says how long they were;
    2. the oldest turns (a message of the model and what answered it) are left out;
    3. of the last turn's results the longest is halved, and again the longest: its first and last
       lines stay, around a line that says how many are left out.

    The first message and what the model said last always stay as they are. Thinking that is bound
    to what came before it goes as soon as that changes, since no provider would take it. `messages`
    is what is sent from now on; `said` is everything that was ever said, in order.
    """

    system: str
    tools: tuple[Tool, ...]
    budget: int
    max_output_tokens: int
    bytes_per_token: float = BYTES_PER_TOKEN
    messages: list[Message] = field(default_factory=list)
    said: list[Message] = field(default_factory=list)
    compactions: int = 0

    def __post_init__(self) -> None:
        self._measure = Measure(self.bytes_per_token)

    def say(self, message: Message) -> None:
        self.messages.append(message)
        self.said.append(message)

    def learn(self, request: Request, input_tokens: int) -> None:
        """Correct the estimate by what a server counted."""
        self._measure.learn(request, input_tokens)

    def estimate(self, request: Request) -> int:
        """Tokens that `request` will take, rather too many than too few."""
        return self._measure.estimate(request)

    @property
    def fits(self) -> bool:
        """Whether the next request is inside the budget as it is."""
        return self.estimate(self._request()) <= self.budget - self.max_output_tokens

    def request(self) -> Request:
        """The next request, compacted where it must be. Raises DoesNotFit."""
        if not self.fits:
            self._compact(int((self.budget - self.max_output_tokens) * ROOM))
            if not self.fits:
                raise DoesNotFit
        return self._request()

    def _request(self) -> Request:
        return Request(
            system=self.system,
            messages=tuple(self.messages),
            tools=self.tools,
            max_output_tokens=self.max_output_tokens,
        )

    def _compact(self, goal: int) -> None:
        self.compactions += 1
        for index in range(1, len(self.messages) - 1):
            if self.estimate(self._request()) <= goal:
                return
            shortened = _shortened(self.messages[index], {})
            if shortened != self.messages[index]:
                self.messages[index] = shortened
                self._unbind(index)
        # A turn is left out whole, so that no result is without its call.
        while len(self.messages) > 3 and self.estimate(self._request()) > goal:
            del self.messages[1:3]
            self._unbind(1)
        self._halve_last()

    def _halve_last(self) -> None:
        """Halve the last turn's longest result, in lines, until the request fits or all are short.

        How much fits would end trials otherwise, and how much is read at once is the arm's doing.
        """
        whole = self.messages[-1]
        kept = {result.call_id: len(result.text.splitlines()) for result in _results(whole)}
        while not self.fits:
            results = _results(self.messages[-1])
            longest = max(results, key=lambda result: len(result.text), default=None)
            if longest is None or len(longest.text) <= SHORT:
                return
            kept[longest.call_id] //= 2
            self.messages[-1] = _shortened(whole, kept)

    def _unbind(self, start: int) -> None:
        """Take out the thinking that is bound to what has changed at `start`."""
        self.messages[start:] = [_unbound(message) for message in self.messages[start:]]


def _unbound(message: Message) -> Message:
    kept = tuple(p for p in message.parts if not (isinstance(p, Thinking) and p.is_bound))
    return message if len(kept) == len(message.parts) else Message(role=message.role, parts=kept)


def _results(message: Message) -> list[ToolResult]:
    return [part for part in message.parts if isinstance(part, ToolResult)]


def _shortened(message: Message, kept: Mapping[str, int]) -> Message:
    """With so many lines of the result of each call, and none of those that are not named."""
    return Message(role=message.role, parts=tuple(_short(part, kept) for part in message.parts))


def _short(part: Part, kept: Mapping[str, int]) -> Part:
    if not isinstance(part, ToolResult) or len(part.text) <= SHORT:
        return part
    lines, most = part.text.splitlines(keepends=True), kept.get(part.call_id, 0)
    if most >= len(lines):
        return part
    tail = lines[len(lines) - most // 2 :]
    told = LEFT_OUT.format(len(lines) - most) + "\n" * bool(tail)
    text = "".join((*lines[: most - most // 2], told, *tail))
    return part.model_copy(update={"text": text})
