"""Where scaffolds get a session from: a model of the study, or the record of an earlier one."""

from dataclasses import dataclass
from typing import Protocol

from harness.agents.protocol import Assignment
from harness.agents.session import Limits, Session, Spend
from harness.config import CONTEXT_BUDGETS, BudgetConfig
from harness.llm import Model
from harness.llm.prices import Price

LARGEST_ANSWER = 0.25
"""Share of the context that an answer may be: where it were all, no question would fit."""


class SessionSource(Protocol):
    """Opens one session a trial."""

    def open(self, assignment: Assignment) -> Session: ...


@dataclass(frozen=True)
class Sessions:
    """Sessions with one model, under the study's budget."""

    model: Model
    price: Price | None
    budget: BudgetConfig
    spend: Spend

    def open(self, assignment: Assignment) -> Session:
        budget, most = self.budget, CONTEXT_BUDGETS[assignment.context_budget]
        context = min(most or self.model.context_tokens, self.model.context_tokens)
        limits = Limits(
            turns=budget.turns,
            tokens=budget.tokens,
            output_tokens=budget.output_tokens,
            seconds=assignment.seconds,
            wall_seconds=budget.wall_seconds,
            call_seconds=budget.call_seconds,
            usd=budget.usd,
            context_tokens=context,
            max_output_tokens=min(budget.max_output_tokens, int(context * LARGEST_ANSWER)),
        )
        return Session(self.model, self.price, limits, self.spend)
