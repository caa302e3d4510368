"""A conversation that always fits a context budget, and how it is made to fit."""

from dataclasses import dataclass, field

from harness.llm import Message, Part, Request, Tool, ToolResult

BYTES_PER_TOKEN = 3.0
"""Before a model has told: code has more bytes a token than this, so the estimate is high."""
ROOM = 0.7
"""What a compaction brings the request down to, as a share: not every turn shall need one."""
LEFT_OUT = "[{} characters left out to stay inside the context budget]"


class DoesNotFit(Exception):
    """Even the shortest form of the conversation is longer than its budget."""


@dataclass
class Conversation:
    """The messages so far, kept inside `budget` tokens.

    The policy, in order, until a request fits:

    1. results of tools, oldest first, are replaced by one line that says how long they were;
    2. the oldest turns (a message of the model and what answered it) are left out.

    The first message and the last turn always stay. `messages` is what is sent from now on;
    `said` is everything that was ever said, in order.
    """

    system: str
    tools: tuple[Tool, ...]
    budget: int
    max_output_tokens: int
    messages: list[Message] = field(default_factory=list)
    said: list[Message] = field(default_factory=list)
    compactions: int = 0
    tokens_per_byte: float = 1 / BYTES_PER_TOKEN

    def say(self, message: Message) -> None:
        self.messages.append(message)
        self.said.append(message)

    def learn(self, request: Request, input_tokens: int) -> None:
        """Correct the estimate by what a server counted; it only ever grows more careful."""
        seen = input_tokens / max(1, size(request))
        self.tokens_per_byte = max(self.tokens_per_byte, seen * 1.05)

    def estimate(self, request: Request) -> int:
        """Tokens that `request` will take, rather too many than too few."""
        return int(size(request) * self.tokens_per_byte) + 1

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
            self.messages[index] = _shortened(self.messages[index])
        # A turn is left out whole, so that no result is without its call.
        while len(self.messages) > 3 and self.estimate(self._request()) > goal:
            del self.messages[1:3]


def size(request: Request) -> int:
    """Bytes of everything in a request that becomes tokens."""
    around = request.model_dump_json(include={"system", "tools"})
    return sum(len(text.encode()) for text in (around, *(m.json_text for m in request.messages)))


def _shortened(message: Message) -> Message:
    return Message(role=message.role, parts=tuple(_short(part) for part in message.parts))


def _short(part: Part) -> Part:
    if not isinstance(part, ToolResult) or len(part.text) <= len(LEFT_OUT) + 10:
        return part
    return part.model_copy(update={"text": LEFT_OUT.format(len(part.text))})
