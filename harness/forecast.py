"""What a run would cost, from the priors in the configs: shown by `--dry-run`, never recorded."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from harness.config import RunConfig
from harness.llm.prices import Price
from harness.llm.settings import price_of
from harness.plan import Cell


@dataclass(frozen=True)
class Forecast:
    """The trials of one agent with one model; tokens and USD as (low, high), all trials together.

    `usd` is null where the price is unknown; nothing is assumed to be cached.
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
        price = price_of(config.models[model]) if model is not None and spends else None
        usd = _usd(price, given, made) if spends else (0.0, 0.0)
        yield Forecast(agent, model, trials, given, made, usd)


def _times(pair: list[int], trials: int) -> tuple[int, int]:
    return pair[0] * trials, pair[1] * trials


def _usd(
    price: Price | None, given: tuple[int, int], made: tuple[int, int]
) -> tuple[float, float] | None:
    if price is None:
        return None
    return price.most(given[0], made[0]), price.most(given[1], made[1])
