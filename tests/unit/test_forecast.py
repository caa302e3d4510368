"""What a run would cost, before anybody pays for it."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import yaml

from harness import build
from harness.agents import Assignment
from harness.agents.prompting import render
from harness.agents.session import Spend
from harness.agents.sessions import Sessions
from harness.agents.tools import TOOLS
from harness.compose import compose
from harness.errors import BadInput
from harness.forecast import forecast
from harness.llm import Message, Text
from harness.paths import Checkout
from harness.plan import expand
from harness.terminal import show_forecast
from tests.wire.scripted import ScriptedModel

CHECKOUT = Checkout(Path(__file__).parents[2])
PRICED = [
    "experiment=smoke",
    "agent=[tool_loop,oracle]",
    "model=[claude,local]",
    "arms=[monolith,microservices]",
    "models.claude.price.tiers=[{fresh_input: 3, cache_read: 0.3, cache_write: 3.75, output: 15}]",
    "models.claude.price.source=test",
    "models.claude.price.date=2026-01-01",
]


MODELS = sorted(path.stem for path in (CHECKOUT.configs / "model").glob("*.yaml"))
PRICED_MODELS = sorted(
    path.stem
    for path in (CHECKOUT.configs / "model").glob("*.yaml")
    if yaml.safe_load(path.read_text())["price"]["tiers"]
)


@pytest.mark.parametrize("budget", ["default", "small"])
@pytest.mark.parametrize("model", MODELS)
def test_a_first_question_fits_every_model_under_every_budget(model: str, budget: str) -> None:
    """Where an answer may be as long as the context, nothing is ever asked."""
    words = [f"model={model}", f"budget={budget}", "tasks=['*/*']"]
    study = build.load_study(compose(words, CHECKOUT), CHECKOUT)
    asked = study.config.models[model]
    scripted = ScriptedModel([], asked.context_tokens)
    sessions = Sessions(scripted, None, study.config.budget, Spend(), asked.bytes_per_token)
    for task in study.tasks:
        limits = sessions.open(Assignment(task, "one", None, 1, 60.0)).limits
        talk = limits.conversation(render("tool_loop_system"), TOOLS)
        text = render("tool_loop_task", instruction=task.instruction)
        talk.say(Message(role="user", parts=(Text(text=text),)))
        assert talk.fits, task.id


@pytest.fixture
def dry_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., str]:
    """What --dry-run prints of a config."""
    monkeypatch.setenv("COLUMNS", "200")

    def shown(*words: str) -> str:
        show_forecast(CHECKOUT, compose(["experiment=smoke", *words], CHECKOUT))
        return capsys.readouterr().out

    return shown


def test_a_study_of_no_trials_is_refused() -> None:
    with pytest.raises(BadInput, match="config: no trials"):
        show_forecast(CHECKOUT, compose(["agent=oracle", "tasks=[]"], CHECKOUT))


def test_the_command_shows_what_a_run_would_cost_and_runs_nothing() -> None:
    """Without any key: a forecast asks nobody."""
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli", "run", "experiment=smoke", "model=claude",
         "--dry-run"],
        capture_output=True, text=True, check=True, cwd=CHECKOUT.root,
        env={k: v for k, v in os.environ.items() if not k.endswith("_API_KEY")},
    )  # fmt: skip
    assert re.search(r"\d+\.\d\d to \d+\.\d\d", done.stdout)
    assert "nothing was run" in done.stdout
    assert done.stderr == ""


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


@pytest.mark.parametrize("name", PRICED_MODELS)
def test_every_shipped_price_has_its_source_and_day_and_gives_a_range(
    name: str, dry_run: Callable[..., str]
) -> None:
    model = compose(["experiment=smoke", f"model={name}"], CHECKOUT).models[name]
    day = date.fromisoformat(model.price.date)
    assert date(2026, 1, 1) < day <= date.today()  # noqa: DTZ011 - a calendar's day
    assert model.price.source.startswith("https://") or model.embedded
    dearest = model.price.tiers[-1]
    assert dearest.up_to is None
    bounds = [tier.up_to or 10**9 for tier in model.price.tiers]
    assert bounds == sorted(set(bounds))
    for tier in model.price.tiers:
        assert tier.cache_read <= tier.fresh_input <= tier.cache_write <= tier.output
        assert (tier.cache_write_long or tier.cache_write) >= tier.cache_write
    shown = dry_run(f"model={name}")
    assert "unknown" not in shown
    assert re.search(r"\d+\.\d\d to \d+\.\d\d", shown)


def test_models_without_a_price_say_so(dry_run: Callable[..., str]) -> None:
    unpriced = {path.stem for path in (CHECKOUT.configs / "model").glob("*.yaml")}
    assert unpriced - set(PRICED_MODELS) == {"compatible"}
    assert "unknown" in dry_run("model=compatible")


def test_a_long_trial_of_short_requests_is_not_paid_as_one_long_request() -> None:
    """Claude Haiku costs five times as much beyond 100,000 tokens of a request."""
    usd = {}
    for budget in ("32k", "full"):
        words = ["experiment=smoke", "model=claude-haiku", f"context_budgets=[{budget}]"]
        config = compose([*words, "arms=[monolith]"], CHECKOUT)
        (row,) = forecast(config, expand(build.load_study(config, CHECKOUT)))
        usd[budget] = row.usd
    assert usd["32k"] == pytest.approx((0.009, 0.1275))
    assert usd["full"] == pytest.approx((0.009, 0.6375))


@pytest.mark.parametrize(
    ("words", "given", "made", "usd", "caps"),
    [
        ("budget=default", (120_000, 1_800_000), (6_000, 60_000), (0.36, 5.10), ""),
        ("budget=small", (120_000, 120_000), (2_048, 2_048), (0.31536, 0.31536),
         "budget.tokens, budget.turns"),
        ("budget.tokens=100000", (120_000, 200_000), (6_000, 60_000), (0.36, 0.95),
         "budget.tokens"),
        ("budget.output_tokens=10000", (120_000, 1_800_000), (6_000, 20_000), (0.36, 4.70),
         "budget.output_tokens"),
        ("budget.usd=1", (120_000, 1_800_000), (6_000, 60_000), (0.36, 2.0), "budget.usd"),
        ("budget.turns=2 context_budgets=[32k]", (98_304, 98_304), (6_000, 32_768),
         (0.30576, 0.57344), "budget.turns"),
        ("agent=one_shot context_budgets=[32k]", (24_000, 49_152), (2_000, 16_000),
         (0.08, 0.28288), "the context"),
        ("agent=one_shot budget.max_output_tokens=4096", (24_000, 120_000), (2_000, 8_192),
         (0.08, 0.38192), "budget.max_output_tokens"),
        # What could pass a limit of the trial is not asked.
        ("agent=one_shot budget.tokens=1000 budget.usd=0.001", (2_000, 2_000), (2_000, 2_000),
         (0.002, 0.002), "budget.tokens, budget.usd"),
        # Each trial is held to its own context.
        ("agent=one_shot context_budgets=[32k,full]", (48_000, 169_152), (4_000, 32_000),
         (0.16, 0.74288), "the context"),
    ],
)  # fmt: skip
def test_nothing_is_foretold_that_the_limits_do_not_allow(
    words: str,
    given: tuple[int, int],
    made: tuple[int, int],
    usd: tuple[float, float],
    caps: str,
    dry_run: Callable[..., str],
) -> None:
    study = ["experiment=smoke", "model=claude", *words.split()]
    config = compose(study, CHECKOUT)
    (row,) = forecast(config, expand(build.load_study(config, CHECKOUT)))
    assert (row.input_tokens, row.output_tokens) == (given, made)
    assert row.usd == pytest.approx(usd)
    assert ", ".join(row.caps) == caps
    assert ("capped by" in dry_run(*study[1:])) == bool(caps)
    assert f"capped by {caps}" in dry_run(*study[1:]) or not caps


def test_an_unknown_price_has_no_forecast() -> None:
    config = compose(["experiment=smoke", "model=compatible"], CHECKOUT)
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
