"""The one request of `one_shot`: as much as fits, and never more, since no answer corrects it."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from harness import build
from harness.agents.one_shot import OneShot
from harness.agents.protocol import Assignment
from harness.agents.session import Spend
from harness.agents.sessions import Sessions
from harness.compose import compose
from harness.config import BudgetConfig, ModelConfig
from harness.llm import Request
from harness.paths import Checkout
from harness.sandbox import Sandboxes
from tests.sandboxes import tar_of
from tests.wire.scripted import ScriptedModel, says

CHECKOUT = Checkout(Path(__file__).parents[2])
NEWEST = 0.42
"""Tokens a byte of code, of the tokenizer that makes most of it."""
FILES = {f"files/f{number}.py": 'x = "y"  # é\n' * 90 for number in range(400)}


def asked(processes: Sandboxes, budget: str) -> Request:
    """What the scaffold asks about many files."""
    model = ScriptedModel([says("nothing to do")], 1_000_000)
    config = ModelConfig(wire="openai-chat", model="m", context_tokens=1_000_000)
    sessions = Sessions(model, None, BudgetConfig(), Spend(), config.bytes_per_token)
    study = build.load_study(compose(["experiment=smoke"], CHECKOUT), CHECKOUT)
    task = study.tasks[0]
    assignment = Assignment(task, "monolith", None, 1, 60.0, context_budget=budget)
    with processes.open("agent") as sandbox:
        sandbox.put(tar_of(FILES), "/work")
        OneShot(sessions).work(assignment, sandbox)
    (request,) = model.requests
    return request


@pytest.mark.parametrize(("budget", "most"), [("32k", 32_768 - 8192), ("128k", 131_072 - 16_384)])
def test_the_first_request_is_inside_its_budget_for_every_tokenizer(
    processes: Sandboxes, budget: str, most: int
) -> None:
    request = asked(processes, budget)
    told = len(request.system.encode()) + sum(len(m.json_text.encode()) for m in request.messages)
    assert 0.8 * most < told * NEWEST <= most


def test_a_study_may_say_how_many_bytes_its_model_takes_for_a_token() -> None:
    words = ["experiment=smoke", "model=compatible", "agent=one_shot", "sandbox=docker"]
    config = compose([*words, "models.compatible.bytes_per_token=3.5"], CHECKOUT)
    with ExitStack() as stack:
        (agent,) = build.make_agents(config, Spend(), stack).values()
        assert isinstance(agent, OneShot)
        task = build.load_study(config, CHECKOUT).tasks[0]
        limits = agent.sessions.open(Assignment(task, "monolith", None, 1, 60.0)).limits
    assert limits.bytes_per_token == limits.conversation("s").bytes_per_token == 3.5
