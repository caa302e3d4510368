"""What a run would cost, from the priors in the configs: shown by `--dry-run`, never recorded."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from harness.config import CONTEXT_BUDGETS, ModelConfig, RunConfig
from harness.llm.prices import Price
from harness.llm.settings import price_of
from harness.plan import Cell


@dataclass(frozen=True)
class Forecast:
    """The trials of one agent with one model; tokens and USD as (low, high), all trials together.

    `usd` is null where the price is unknown; nothing is taken to be read from a cache, and each
    request to be as long as the trial's input and the context budget let it be.
    """

    agent: str
    model: str | None
    trials: int
    input_tokens: tuple[int, int]
    output_tokens: tuple[int, int]
    usd: tuple[float, float] | None


def forecast(config: RunConfig, cells: tuple[Cell, ...]) -> Iterator[Forecast]:
    """One row for each agent and model of the cells, in the order of the config."""
    counts = Counter((cell.agent, cell.model) for cell in cells)
    for (agent, model), trials in counts.items():
        known = config.agents[agent]
        spends = known.kind.asks_a_model
        given = _times(known.expected_input_tokens, trials if spends else 0)
        made = _times(known.expected_output_tokens, trials if spends else 0)
        usd: tuple[float, float] | None = (0.0, 0.0)
        if model is not None and spends:
            longest = _longest(config, config.models[model])
            requests = tuple(min(one, longest) for one in known.expected_input_tokens)
            usd = _usd(price_of(config.models[model]), given, made, requests)
        yield Forecast(agent, model, trials, given, made, usd)


def _longest(config: RunConfig, model: ModelConfig) -> int:
    """Input tokens of the largest request that any context budget of the study allows."""
    budgets = (CONTEXT_BUDGETS[budget] for budget in config.context_budgets)
    return max(min(budget or model.context_tokens, model.context_tokens) for budget in budgets)


def _times(pair: list[int], trials: int) -> tuple[int, int]:
    return pair[0] * trials, pair[1] * trials


def _usd(
    price: Price | None, given: tuple[int, int], made: tuple[int, int], requests: tuple[int, ...]
) -> tuple[float, float] | None:
    if price is None:
        return None
    low, high = (price.most(*tokens) for tokens in zip(given, made, requests, strict=True))
    return low, high
