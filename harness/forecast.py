"""What a run would cost, from the priors in the configs: shown by `--dry-run`, never recorded."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from harness.config import AgentKind, BudgetConfig, ModelConfig, RunConfig
from harness.llm.settings import price_of
from harness.plan import Cell

Amount = TypeVar("Amount", int, float)


@dataclass(frozen=True)
class Forecast:
    """The trials of one agent with one model; tokens and USD as (low, high), all trials together.

    `usd` is null where the price is unknown; nothing is taken to be read from a cache, and each
    request to be as long as the trial's input and the context budget let it be. What a limit of
    the config does not allow is left out, and `caps` names those limits.
    """

    agent: str
    model: str | None
    trials: int
    input_tokens: tuple[int, int]
    output_tokens: tuple[int, int]
    usd: tuple[float, float] | None
    caps: tuple[str, ...] = ()


def forecast(config: RunConfig, cells: tuple[Cell, ...]) -> Iterator[Forecast]:
    """One row for each agent and model of the cells, in the order of the config."""
    rows: dict[tuple[str, str | None], list[Cell]] = defaultdict(list)
    for cell in cells:
        rows[cell.agent, cell.model].append(cell)
    for (agent, model), trials in rows.items():
        if model is None or not config.agents[agent].kind.asks_a_model:
            yield Forecast(agent, model, len(trials), (0, 0), (0, 0), (0.0, 0.0))
        else:
            yield _row(config, agent, model, trials)


def _row(config: RunConfig, agent: str, model: str, trials: list[Cell]) -> Forecast:
    known, asked, budget = config.agents[agent], config.models[model], config.budget
    if known.kind is AgentKind.one_shot:  # no answer comes before its only request
        budget = replace(budget, turns=1, output_tokens=None)
    lows, highs = (
        [_trial(given, made, budget, asked, cell.context_budget) for cell in trials]
        for given, made in zip(
            known.expected_input_tokens, known.expected_output_tokens, strict=True
        )
    )
    low, high = _sum(lows), _sum(highs)
    usd = None if low.usd is None or high.usd is None else (low.usd, high.usd)
    given, made = (low.given, high.given), (low.made, high.made)
    return Forecast(agent, model, len(trials), given, made, usd, high.caps)


@dataclass(frozen=True)
class _Use:
    """Tokens and USD of trials, and the limits without which they would be more."""

    given: int
    made: int
    usd: float | None
    caps: tuple[str, ...]


def _trial(
    given: int, made: int, budget: BudgetConfig, model: ModelConfig, context_budget: str
) -> _Use:
    """What a trial uses that would take so many tokens, were there no limits."""
    context, answer = budget.sizes(context_budget, model.context_tokens)
    question, reply = "budget.turns", "budget.turns"
    if budget.turns == 1:
        question, reply = "the context", "budget.max_output_tokens"
    most_given = {question: budget.turns * (context - answer), "budget.tokens": budget.tokens}
    most_made = {reply: budget.turns * answer, "budget.output_tokens": budget.output_tokens}
    given, by_given = _least(given, most_given)
    made, by_made = _least(made, {**most_made, "budget.tokens": budget.tokens})
    usd, by_usd = None, None
    if (price := price_of(model)) is not None:
        beside = given if budget.tokens is None else min(given, budget.tokens - made)
        paid = price.most(beside, made, min(given, context - answer))
        usd, by_usd = _least(paid, {"budget.usd": budget.usd})
    return _Use(given, made, usd, tuple(by for by in (by_given, by_made, by_usd) if by))


def _least(prior: Amount, limits: Mapping[str, Amount | None]) -> tuple[Amount, str | None]:
    """The prior or a limit that is less, with the limit's name."""
    least, name = prior, None
    for each, limit in limits.items():
        if limit is not None and limit < least:
            least, name = limit, each
    return least, name


def _sum(trials: list[_Use]) -> _Use:
    costs = [trial.usd for trial in trials if trial.usd is not None]
    return _Use(
        sum(trial.given for trial in trials),
        sum(trial.made for trial in trials),
        sum(costs) if len(costs) == len(trials) else None,
        tuple(dict.fromkeys(cap for trial in trials for cap in trial.caps)),
    )
