"""Ways to satisfy a task's predicates without doing the task, refused in every arm."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from harness.bases import Bases
from harness.pairs import load_pairs
from harness.patch import apply_patch
from harness.paths import find_checkout
from harness.tasks import load_tasks
from harness.verification import Known, Subject, settings
from harness.verifier.structure import load_predicates, why_not
from harness.verifier.tree import Tree

CHECKOUT = find_checkout()
PAIRS = load_pairs(CHECKOUT)
ARMS = ("monolith", "modular", "microservices")


@dataclass(frozen=True)
class Edited:
    """A solution or sabotage (`base`: the untouched app), with the files of a context edited.

    An edit is a pattern and what it becomes, in every file of Python where it is found.
    """

    what: str
    task: str
    start: str
    context: str
    edits: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return f"{self.task}: {self.what}"


@dataclass(frozen=True)
class Cheat(Edited):
    """What `predicate` refuses, for the reason that contains `why`."""

    predicate: str
    why: str


def whole(pattern: str) -> str:
    """A pattern of a file that holds this, in three groups."""
    return rf"(?s)\A(.*?)({pattern})(.*)\Z"


def appended(mark: str, text: str) -> tuple[str, str]:
    """The edit that puts text at the end of the file that holds the mark."""
    return rf"(?s)\A(.*{mark}.*)\Z", rf"\1\n\n{text}\n"


LEDGER = r'"SELECT \* FROM \w*ledger_entries WHERE account_id = :account_id ORDER BY rowid"'
GRANTED = r'"""\s+SELECT \* FROM \w*allocations\s+WHERE quota_id.*?"""'
UNCALLED = (r"def __post_init__\(", "def check(")
CONSTANTS = "\n".join(
    f'IS_{word} = "{word}"' for word in ("image", "video", "draft", "standard", "fine")
)
TELLS_REPORTERS = r'        self\._tell\(case\.reporters, ("report_answered", case, action)\)'
TELLS_EACH = r"""
        reporters = case.reporters
        for reporter in reporters:
            self._tell([reporter], \1)"""
ANSWERS_EACH = """
        for one in case.reporters:
            self._answer(one, case, action)"""
ANSWER = """    def _answer(self, one, case, action):
        self._tell([one], "report_answered", case, action)

    def _tell("""
REFUNDS = r"                amount = self\.accounts\.refund(?s:.*?)case\.refunded_mc \+= amount\n"
END = """    def _end(self, licence, case):
        amount = self.accounts.refund(licence.buyer_id, f"licence:{licence.id}", 10_000)
        self._tell([licence.buyer_id], "licence_ended", case, f"{amount} mc refunded")
        case.refunded_mc += amount

    def _tell("""
FREE_IS_FREE = r"""    by_value = \1
    measure = commodity.measure
    by_value = 0 if measure == FREE else by_value
"""
NUMBERS = 'PLAN_NUMBERS = {"hobby": 1, "plus": 2, "studio": 3}'
NUMBER_OF = """

def number_of(plan: str) -> int:
    return PLAN_NUMBERS[plan]"""
NUMBERED = """    def __post_init__(self) -> None:
        self.plan_number = PLAN_NUMBERS.get(self.plan_number, 0)

    @classmethod
    def of("""
PLAN_OF = r"""
    def plan_of(self, account_id: str) -> str:
        return self.accounts.get(account_id).plan
\1"""
CHEATS = (
    Cheat(
        "the ledger is read by a method of another name",
        "atelier/running-balance", "base", "accounts",
        ((r"\bentries\(", "postings("),),
        "a_balance_reads_no_ledger", "still reads the ledger",
    ),
    Cheat(
        "the query of the ledger is a constant",
        "atelier/running-balance", "base", "accounts",
        ((r"\bentries\(", "postings("), (whole(LEDGER), r"\1POSTINGS\3\n\nPOSTINGS = \2\n")),
        "a_balance_reads_no_ledger", "still reads the ledger",
    ),
    Cheat(
        "the table of the ledger is put into the query",
        "atelier/running-balance", "base", "accounts",
        (
            (r"\bentries\(", "postings("),
            (r'"(SELECT \* FROM )(\w*ledger_entries)( WHERE account_id = :account_id ORDER)',
             r'f"\1{TABLE}\3'),
            appended("{TABLE}", 'TABLE = "accounts_ledger_entries"'),
        ),
        "a_balance_reads_no_ledger", "still reads the ledger",
    ),
    Cheat(
        "the query of allocations is a constant",
        "quayside/kept-balance", "base", "tariff",
        ((whole(GRANTED), r"\1GRANTED\3\n\nGRANTED = \2\n"),),
        "a_quota_reads_no_allocations", "still gets at allocations",
    ),
    Cheat(
        "the sum is a constant",
        "quayside/kept-balance", "solutions/balances", "tariff",
        (appended("class TariffStore", 'TOTAL = "SELECT SUM(quantity_g) FROM allocations"'),),
        "the_sum_is_gone", "still added up",
    ),
    Cheat(
        "the reporters of a loop have a name of their own",
        "atelier/tell-many", "solutions/lists", "moderation",
        ((TELLS_REPORTERS, TELLS_EACH),),
        "reporters_are_told_in_one_call", "one by one",
    ),
    Cheat(
        "the loop is a comprehension",
        "atelier/tell-many", "solutions/lists", "moderation",
        ((TELLS_REPORTERS,
          r"        told = case.reporters\n        [self._tell([one], \1) for one in told]"),),
        "reporters_are_told_in_one_call", "one by one",
    ),
    Cheat(
        "the loop calls somebody who tells",
        "atelier/tell-many", "solutions/lists", "moderation",
        ((TELLS_REPORTERS, ANSWERS_EACH), (r"    def _tell\(", ANSWER)),
        "reporters_are_told_in_one_call", "one by one",
    ),
    Cheat(
        "kinds and tiers are compared with constants",
        "atelier/price-table", "sabotages/hollow", "catalogue",
        ((r'\b(kind|tier) (==|!=) "(\w+)"', r"\1 \2 IS_\3"),
         appended("def list_price", CONSTANTS)),
        "no_price_asks_for_a_kind_or_tier", "still compared with words",
    ),
    Cheat(
        "the table has one entry for all",
        "atelier/price-table", "sabotages/hollow", "catalogue", (),
        "list_price_looks_up_a_rule", "one and the same entry",
    ),
    Cheat(
        "measures are compared with constants",
        "quayside/duty-measures", "solutions/functions", "tariff",
        ((r"    by_value = (.*)\n", FREE_IS_FREE), appended("def normal_duty", 'FREE = "free"')),
        "nothing_asks_for_a_measure_or_unit", "asks for a measure",
    ),
    Cheat(
        "the table has one entry for all",
        "quayside/duty-measures", "sabotages/hollow", "tariff", (),
        "normal_duty_looks_up_a_measure", "one and the same entry",
    ),
    Cheat(
        "the numbers stand there and nobody asks for them",
        "atelier/plan-numbers", "sabotages/in-name-only", "accounts",
        (appended("class AccountRow", NUMBERS),),
        "the_numbers_stand_once_and_in_accounts", "opened without the numbers",
    ),
    Cheat(
        "only what nobody calls asks for the numbers",
        "atelier/plan-numbers", "sabotages/in-name-only", "accounts",
        (appended("class AccountRow", NUMBERS + NUMBER_OF),),
        "the_numbers_stand_once_and_in_accounts", "opened without the numbers",
    ),
    Cheat(
        "nobody calls what checks the hours",
        "atelier/quiet-hours", "solutions/frozen", "notifications", (UNCALLED,),
        "no_other_hours_can_be_made", "no clock shows",
    ),
    Cheat(
        "nobody calls what checks a line",
        "lindenhof/lines-of-a-claim", "solutions/frozen", "claims", (UNCALLED,),
        "no_other_lines_can_be_made", "can be made of no code",
    ),
    Cheat(
        "the catalogue asks accounts, which ask the catalogue",
        "atelier/member-discount", "solutions/accounts-ask", "catalogue",
        ((r"(\n    def quote\(self)", PLAN_OF),),
        "one_rule_and_the_catalogue_has_it", "in a circle",
    ),
)  # fmt: skip
FAIR = (
    Edited(
        "whose licence has ended is told of it elsewhere",
        "atelier/tell-many", "solutions/lists", "moderation",
        ((REFUNDS, "                self._end(licence, case)\n"), (r"    def _tell\(", END)),
    ),
    Edited(
        "checking has a method of its own",
        "atelier/quiet-hours", "solutions/frozen", "notifications",
        ((r"(    def )__post_init__(\(self\) -> None:\n)",
          r"\1__post_init__\2        self._check()\n\n\1_check\2"),),
    ),
    Edited(
        "the number is put into the row as it is made",
        "atelier/plan-numbers", "solutions/numbers-in-the-table", "accounts",
        ((r"    @classmethod\n    def of\(", NUMBERED),
         (r"PLAN_NUMBERS\[account\.plan\]", "account.plan")),
    ),
    Edited(
        "the words of measures have names",
        "quayside/duty-measures", "solutions/functions", "tariff",
        ((r'    "(free|specific)": lambda', r"    IS_\1: lambda"),
         (r"\nMEASURES", '\nIS_free = "free"\nIS_specific = "specific"\nMEASURES')),
    ),
    Edited(
        "the words of kinds have names",
        "atelier/price-table", "solutions/table", "catalogue",
        ((r'    "(image|video)": (Image|Video)Prices', r"    IS_\1: \2Prices"),
         (r"\nPRICE_RULES", rf"\n{CONSTANTS}\nPRICE_RULES")),
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Bases:
    return Bases(tmp_path_factory.mktemp("bases"))


def reasons(bases: Bases, edited: Edited, arm: str) -> Mapping[str, str | None]:
    """Predicate -> why it does not hold on what was edited."""
    (task,) = load_tasks(CHECKOUT, PAIRS, [edited.task])
    pair = PAIRS[task.spec.app]
    repository, base = bases.repository(pair, arm, task), bases.tree(pair, arm, task)
    start = base
    if edited.start != "base":
        patch = task.folder / edited.start / f"{arm}.patch"
        start = apply_patch(repository, patch.read_bytes())
    told = settings(Subject(pair, arm, base, start, task), Known(b""))
    before = Tree({path: entry.content for path, entry in base.entries.items()}, told)
    files = {path: entry.content for path, entry in start.entries.items()}
    own = [file.path for file in Tree(files, told, before).context(edited.context).python]
    for pattern, new in edited.edits:
        after = {path: re.sub(pattern, new, files[path].decode()).encode() for path in own}
        assert any(files[path] != content for path, content in after.items()), pattern
        files |= after
    tree = Tree(files, told, before)
    predicates = load_predicates(task.predicates, task.spec.predicates)
    names = zip(task.spec.predicates, predicates, strict=True)
    return {name: why_not(predicate, tree) for name, predicate in names}


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize("cheat", CHEATS, ids=str)
def test_a_cheat_is_refused(bases: Bases, cheat: Cheat, arm: str) -> None:
    assert cheat.why in str(reasons(bases, cheat, arm)[cheat.predicate])


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize("edited", FAIR, ids=str)
def test_what_is_no_cheat_passes(bases: Bases, edited: Edited, arm: str) -> None:
    assert not any(reasons(bases, edited, arm).values())
