"""What a run would cost, before anybody pays for it."""

from pathlib import Path

import pytest

from harness import build
from harness.compose import compose
from harness.forecast import forecast
from harness.paths import Checkout
from harness.plan import expand

CHECKOUT = Checkout(Path(__file__).parents[2])
PRICED = [
    "experiment=smoke",
    "agent=[tool_loop,oracle]",
    "model=[claude,local]",
    "models.claude.price.tiers=[{fresh_input: 3, cache_read: 0.3, cache_write: 3.75, output: 15}]",
    "models.claude.price.source=test",
    "models.claude.price.date=2026-01-01",
]


def test_tokens_and_money_follow_from_the_priors_and_the_cells() -> None:
    config = compose(PRICED, CHECKOUT)
    rows = {
        (r.agent, r.model): r for r in forecast(config, expand(build.load_study(config, CHECKOUT)))
    }
    paid = rows["tool_loop", "claude"]
    assert (paid.trials, paid.input_tokens, paid.output_tokens) == (
        2,
        (120_000, 1_800_000),
        (6_000, 60_000),
    )
    # Nothing is taken to be cached, and what is written to a cache is the dearest input.
    assert paid.usd == pytest.approx((0.54, 7.65))
    assert rows["tool_loop", "local"].usd == (0.0, 0.0)
    assert rows["oracle", None].usd == (0.0, 0.0)
    assert rows["oracle", None].input_tokens == (0, 0)


def test_an_unknown_price_has_no_forecast() -> None:
    config = compose(["experiment=smoke", "model=claude"], CHECKOUT)
    (row,) = forecast(config, expand(build.load_study(config, CHECKOUT)))
    assert row.usd is None


def test_scopes_and_budgets_are_crossed_for_models_only() -> None:
    config = compose(
        [*PRICED, "scopes=[all,own]", "context_budgets=[32k,full]", "arms=[microservices]"],
        CHECKOUT,
    )
    cells = expand(build.load_study(config, CHECKOUT))
    assert len(cells) == 2 * 2 * 2 + 1
    assert len({cell.trial_id for cell in cells}) == len(cells)
    seeds = {cell.seed for cell in cells if cell.model is not None}
    assert len(seeds) == 8
