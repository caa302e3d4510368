"""Which queries code leads to, whatever stands between."""

import re

import pytest

from harness.verifier.job import ContextGlobs, Settings
from harness.verifier.queries import asks
from harness.verifier.tree import Tree

SETTINGS = Settings(contexts={"loans": ContextGlobs(domain=("loans/*.py",))})
FEES = re.compile(r"\bFROM\s+fees\b")
APP = """
TABLE = "fees"
QUERY = "SELECT * FROM fees"

class LoanStore:
    def fees(self):
        return self.rows.all({query})

class Fees:
    def all(self):
        return self.store.fees()

    def get(self):
        return self.store.fees()

program = Program(QUERY)

def asked(loans):
    return loans.due()

again = asked
short = lambda loans: loans.due()

class Loans:
    fees: Fees
    store: LoanStore

    @property
    def owed(self):
        return self.store.fees()

    def due(self):
        return self.owed

    due_too = due

    def get(self):
        return 1

    @asked
    def dressed(self):
        return 1

    @does(QUERY)
    def decorated(self):
        return 1

    @program.serves("/served")
    def served(self):
        return 1

    def amount(self):
        {asking}
"""


def leads(asking: str, query: str = "QUERY") -> bool:
    code = APP.format(asking=asking, query=query).encode()
    loans = Tree({"loans/rules.py": code}, SETTINGS).context("loans")
    return asks(loans, loans.function("Loans.amount"), FEES) is not None


@pytest.mark.parametrize("query", ["QUERY", "'SELECT * FROM fees'", "f'SELECT * FROM {TABLE}'"])
def test_a_query_is_found_however_it_is_written(query: str) -> None:
    assert leads("return self.store.fees()", query)


@pytest.mark.parametrize(
    "asking",
    [
        "return self.store.fees()",
        "return map(self.store.fees, [])",
        "storage = self.store; return map(storage.fees, [])",
        "return self.due()",
        "return map(self.due, [])",
        "return map(self.fees.all, [])",
        "return self.owed",
        "return self.due_too()",
        "return getattr(self, 'due')()",
        "return again(self)",
        "return short(self)",
        "return self.dressed()",
        "return self.decorated()",
        "return partial(asked, self)()",
    ],
)
def test_what_leads_to_a_query_is_followed(asking: str) -> None:
    assert leads(asking)


def test_self_is_asked_for_the_method_of_its_own_class() -> None:
    assert not leads("return self.get()")
    assert leads("return self.get() + self.fees.get()")


def test_what_a_handler_is_registered_with_is_no_query_of_its_own() -> None:
    assert not leads("return self.served()")


@pytest.mark.parametrize("asking", ["return loan.fees", "return self.loan().fees"])
def test_a_part_of_what_is_stored_is_no_query(asking: str) -> None:
    assert not leads(asking)
