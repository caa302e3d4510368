"""Where scaffolds get a session from: a model of the study, or the record of an earlier one."""

from dataclasses import dataclass
from typing import Protocol

from harness.agents.conversation import BYTES_PER_TOKEN
from harness.agents.protocol import Assignment
from harness.agents.session import Limits, Session
from harness.agents.spend import Spend
from harness.config import BudgetConfig
from harness.llm import Model
from harness.llm.prices import Price


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
    bytes_per_token: float = BYTES_PER_TOKEN

    def open(self, assignment: Assignment) -> Session:
        budget = self.budget
        context, answer = budget.sizes(assignment.context_budget, self.model.context_tokens)
        limits = Limits(
            turns=budget.turns,
            tokens=budget.tokens,
            output_tokens=budget.output_tokens,
            seconds=assignment.seconds,
            wall_seconds=budget.wall_seconds,
            call_seconds=budget.call_seconds,
            usd=budget.usd,
            context_tokens=context,
            max_output_tokens=answer,
            bytes_per_token=self.bytes_per_token,
        )
        return Session(self.model, self.price, limits, self.spend)
