"""What may be spent: held back while a call is in flight, counted when it is back."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from harness.errors import BudgetSpent, SeamBenchError

STUDY: Mapping[str, str] = {
    "usd": "study_usd",
    "turns": "study_turns",
    "tokens": "study_tokens",
    "output_tokens": "study_output_tokens",
    "agent_seconds": "study_agent_seconds",
    "wall_seconds": "study_wall_seconds",
}
"""What a study as a whole may be held to, by its name in the config's budget."""


def study_spent(name: str) -> Exception:
    """What a call is told for which a study has too little left."""
    return BudgetSpent(f"budget.{STUDY[name]} is spent")


class Spend:
    """What has been spent and what is in flight, against hard stops; all by the names of STUDY.

    `limits` has null, or nothing, where there is none. `refusal` makes what is raised at one.
    Seconds are not foretold: nothing is asked once they are passed.
    """

    def __init__(
        self,
        limits: Mapping[str, float | None] | None = None,
        refusal: Callable[[str], Exception] = study_spent,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = {name: limit for name, limit in (limits or {}).items() if limit is not None}
        self.spent: Counter[str] = Counter()
        self.reached: str | None = None
        """the first limit that stopped a call"""
        self._refusal = refusal
        self._keep: Callable[[Mapping[str, float]], None] | None = None
        self._flying: list[Mapping[str, float]] = []
        self._landed = threading.Condition()
        self._clock = clock
        self._counted = clock()
        """until when the wall time is counted"""

    def go_on(
        self, taken: Mapping[str, float], keep: Callable[[Mapping[str, float]], None]
    ) -> None:
        """Go on from what earlier runs took; `keep` is told what there is to go on from next.

        What is in flight counts there as the most that it can take: a run that is killed never
        knows more.
        """
        with self._landed:
            self.spent, self._keep, self._counted = Counter(taken), keep, self._clock()

    @contextmanager
    def reserved(self, most: Mapping[str, float], seconds: float) -> Iterator[None]:
        """Hold `most` back while a request is in flight.

        Where only what is in flight stands in the way, it is waited for: most of it is seldom
        spent. Raises the refusal where too much is spent, TimeoutError after so many seconds, and
        what stands in the way of keeping that it is in flight: then it must not be sent.
        """
        with self._landed:
            longest = min(seconds, threading.TIMEOUT_MAX)
            if not self._landed.wait_for(lambda: self._has_room(most), longest):
                raise TimeoutError
            self._note(most)
            self._flying.append(most)
        try:
            yield
        finally:
            with self._landed:
                self._flying.remove(most)
                self._landed.notify_all()
                with suppress(SeamBenchError):  # what was kept before is more, and has it all
                    self._note()

    def add(self, amounts: Mapping[str, float]) -> None:
        with self._landed:
            self.spent.update(amounts)

    def _note(self, *rising: Mapping[str, float]) -> None:
        """Have kept what is spent if all that is in flight, or rising, takes its most."""
        if self._keep is None:
            return
        self._count_wall()
        amounts = self.spent.copy()
        for one in (*self._flying, *rising):
            amounts.update(one)
        self._keep(amounts)

    def _count_wall(self) -> None:
        now = self._clock()
        self.spent.update({"wall_seconds": now - self._counted})
        self._counted = now

    def _has_room(self, most: Mapping[str, float]) -> bool:
        self._count_wall()
        for name, limit in self.limits.items():
            if self.spent[name] + most.get(name, 0) > limit:
                self.reached = self.reached or name
                raise self._refusal(name)
        flying = (*self._flying, most)
        return all(
            self.spent[name] + sum(one.get(name, 0) for one in flying) <= limit
            for name, limit in self.limits.items()
        )


def spent(usd: float | None, input_tokens: int, output_tokens: int) -> dict[str, float]:
    """What one call takes of what a study has; an unknown cost counts as nothing."""
    tokens = input_tokens + output_tokens
    return {"usd": usd or 0.0, "turns": 1, "tokens": tokens, "output_tokens": output_tokens}
