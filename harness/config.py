"""The run configuration as plain dataclasses: what Hydra composes and everybody else reads."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from omegaconf import MISSING


class AgentKind(StrEnum):
    """The agents that `build` knows."""

    oracle = "oracle"
    nop = "nop"
    sabotage = "sabotage"
    tool_loop = "tool_loop"
    one_shot = "one_shot"
    replay = "replay"
    predictions = "predictions"

    @property
    def is_control(self) -> bool:
        """Whether everything it does is known beforehand."""
        return self in CONTROLS

    @property
    def asks_a_model(self) -> bool:
        """Whether its cells are crossed with the models of the study."""
        return self in {AgentKind.tool_loop, AgentKind.one_shot}

    @property
    def plays(self) -> bool:
        """Whether its cells come from what was recorded or made elsewhere."""
        return self in {AgentKind.replay, AgentKind.predictions}


class CacheLifetime(StrEnum):
    """How long a provider is asked to keep what it caches, counted from the last use.

    anthropic: 5 minutes or 1 hour; openai-responses: at least 30 minutes or 12 hours. Servers
    behind openai-chat cache as they like: `long` is refused there.
    """

    none = "none"
    short = "short"
    long = "long"


class ThinkingMode(StrEnum):
    """How a Claude model thinks; which modes a model takes is in its provider's pages."""

    adaptive = "adaptive"
    between_tools = "between_tools"
    disabled = "disabled"


LARGEST_ANSWER = 0.25
"""Share of the context that an answer may be: where it were all, no question would fit."""
CONTEXT_BUDGETS: dict[str, int | None] = {"32k": 32_768, "128k": 131_072, "full": None}
"""Tokens of the largest request and its answer; null: what the model takes."""
WIRES = ("anthropic", "openai-responses", "openai-chat")
CONTROLS = (AgentKind.oracle, AgentKind.nop, AgentKind.sabotage)


class SandboxKind(StrEnum):
    """Where agents and verifiers run."""

    docker = "docker"
    process = "process"


@dataclass
class AgentConfig:
    """One agent of a study."""

    kind: AgentKind = MISSING
    variant: str | None = None
    """which solution or sabotage a control plays; null: the first solution, sabotages in turn"""
    expected_input_tokens: list[int] = field(default_factory=lambda: [0, 0])
    """low and high a trial, for --dry-run"""
    expected_output_tokens: list[int] = field(default_factory=lambda: [0, 0])


@dataclass
class TierConfig:
    """Prices in USD per million tokens, for requests of up to `up_to` input tokens (null: any)."""

    fresh_input: float = MISSING
    cache_read: float = MISSING
    cache_write: float = MISSING
    output: float = MISSING
    cache_write_long: float | None = None
    """written for the long lifetime; null: unknown"""
    up_to: int | None = None


@dataclass
class PriceConfig:
    """A price table, with the page that it is of and the last day that somebody compared them."""

    tiers: list[TierConfig] = field(default_factory=list)
    """none: the price is unknown, and so is every cost"""
    source: str = ""
    date: str = ""


@dataclass
class ModelConfig:
    """One language model of a study."""

    wire: str = MISSING
    """anthropic, openai-responses or openai-chat"""
    model: str = MISSING
    """the id that the server knows it by"""
    context_tokens: int = MISSING
    bytes_per_token: float = 2.25
    """what a request is taken for until the server has counted: at most so few bytes make a token.
    Newer tokenizers take 0.36 to 0.42 tokens a byte of code, and this is 0.44"""
    embedded: bool = False
    """served by the harness on this machine"""
    base_url: str | None = None
    """null: the provider's own address, whatever the environment says"""
    key_env: str | None = None
    """environment variable that holds the key; null: the server asks for none"""
    max_concurrency: int = 8
    temperature: float | None = None
    thinking: ThinkingMode | None = None
    """anthropic; null: as the model does by itself"""
    thinking_tokens: int | None = None
    """anthropic, older models: a fixed budget instead of a mode"""
    effort: str | None = None
    """how hard to think, in the provider's words; null: the model's default"""
    cache: CacheLifetime = CacheLifetime.short
    seed: int | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    """laid over the body of each request: objects are merged with what is there, lists joined"""
    price: PriceConfig = field(default_factory=PriceConfig)


@dataclass
class SandboxConfig:
    """Kind and bounds of every sandbox; `process` ignores the bounds and says so."""

    kind: SandboxKind = MISSING
    memory_mb: int = 2048
    cpus: float = 2.0
    pids: int = 512
    disk_mb: int = 512


@dataclass
class ExecutorConfig:
    """How many trials run at once; 0 means one a core."""

    workers: int = 0


@dataclass
class BudgetConfig:
    """What a trial may use. `agent_seconds` null: as the task says.

    Here and below, null is no limit where nothing else is said.
    """

    agent_seconds: float | None = None
    """working time, which leaves waits for a provider's rate limit out"""
    wall_seconds: float | None = None
    """the same with all waits"""
    attempts: int = 3
    """how often a run tries a trial that is lost to infrastructure; another run tries it anew"""
    turns: int = 50
    tokens: int | None = None
    """input and output of a trial together"""
    output_tokens: int | None = None
    max_output_tokens: int = 16_384
    """of one answer, thinking included, and never more than a quarter of the context"""
    call_seconds: float = 600.0
    """deadline of one model call, its retries included; one try may take half of it"""
    usd: float | None = None
    """of one trial: a call that could cost more than is left is not asked, as with `tokens`"""
    study_usd: float | None = None
    """of the whole results folder, what is in flight included, as those that follow"""
    study_turns: int | None = None
    study_tokens: int | None = None
    study_output_tokens: int | None = None
    study_agent_seconds: float | None = None
    """working time of all trials that ask a model; calls that are in flight then still end"""
    study_wall_seconds: float | None = None
    """wall time of all runs into the folder, each from its start to its last call of a model"""

    def sizes(self, context_budget: str, model_tokens: int) -> tuple[int, int]:
        """Tokens of the largest request together with its answer, and of the largest answer."""
        context = min(CONTEXT_BUDGETS[context_budget] or model_tokens, model_tokens)
        return context, min(self.max_output_tokens, int(context * LARGEST_ANSWER))


@dataclass
class VerificationConfig:
    """How much evidence a verdict takes (SCIENCE.md (b)): fresh starts and generated sequences."""

    starts: int = 3
    sequences: int = 500
    seed: int = 20260101


@dataclass
class RunConfig:
    """One study: the factors to cross, and how to run the cells."""

    name: str = MISSING
    """folder below results/"""
    tasks: list[str] = field(default_factory=lambda: ["*/*"])
    """globs over app/task"""
    arms: list[str] = field(default_factory=list)
    """arms to run; empty means every arm of the pair"""
    doses: list[int] = field(default_factory=list)
    """doses of couplings to weave the apps at, 0 to 2; empty means each app as it is"""
    repeats: int = 1
    seed: int = 0
    agents: dict[str, AgentConfig] = field(default_factory=dict)
    models: dict[str, ModelConfig] = field(default_factory=dict)
    """crossed with the agents that ask one"""
    scopes: list[str] = field(default_factory=lambda: ["all"])
    """what such an agent sees: all, or own (its task's contexts and the others' contracts)"""
    context_budgets: list[str] = field(default_factory=lambda: ["full"])
    """bound of every request: 32k, 128k, or full (what the model takes)"""
    replay_from: str | None = None
    """results folder whose recorded calls `agent=replay` plays, or the file of patches that
    `agent=predictions` applies; `from=` on the command line"""
    sandbox: SandboxConfig = field(default_factory=SandboxConfig)
    executor: ExecutorConfig = field(default_factory=ExecutorConfig)
    budget: BudgetConfig = field(default_factory=BudgetConfig)
    verification: VerificationConfig = field(default_factory=VerificationConfig)
