"""Ways to satisfy a task's predicates without doing the task, refused in every arm."""

from dataclasses import dataclass

import pytest

from harness.bases import Bases
from tests.edited import Edited, appended, reasons, whole
from tests.trees import ARMS


@dataclass(frozen=True)
class Cheat(Edited):
    """What `predicate` refuses, for the reason that contains `why`."""

    predicate: str
    why: str


LEDGER = r'"SELECT \* FROM \w*ledger_entries WHERE account_id = :account_id ORDER BY rowid"'
GRANTED = r'"""\s+SELECT \* FROM \w*allocations\s+WHERE quota_id.*?"""'
SHARES = r'"{1,3}\s*SELECT \* FROM \w*shares\s+WHERE patient_id.*?"{1,3}'
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
ANSWERS_REST = """
        self._answer(case, action, case.reporters)"""
ANSWER_REST = """    def _answer(self, case, action, left):
        if left:
            self._tell(left[:1], "report_answered", case, action)
            self._answer(case, action, left[1:])

    def _tell("""
FREE_IS_FREE = r"""    by_value = \1
    measure = commodity.measure
    by_value = 0 if measure == FREE else by_value
"""
NUMBERS = 'PLAN_NUMBERS = {"hobby": 1, "plus": 2, "studio": 3}'
NUMBER_OF = """

def number_of(plan: str) -> int:
    return PLAN_NUMBERS[plan]"""
PLAN_OF = r"""
    def plan_of(self, account_id: str) -> str:
        return self.accounts.get(account_id).plan
\1"""
SLOTS = r"""class QuietHours:
    __slots__ = ("start", "end")

    def __init__(self, start: int, end: int) -> None:
        self.start, self.end = start, end
        self.__post_init__()

    def __post_init__"""
IS_MEMBER = """    def is_member(self, account_id: str) -> bool:
        plan = self.get(account_id).plan
        return plan != "hobby"

    def charge("""
HISTORY = """class Accounts:
    def history(self, account_id: str) -> list[Entry]:
        kept = self.store
        return kept.entries(account_id)
"""
DEAD_HOURS = r"""@dataclass(frozen=True)
class QuietHours:
    start: int
    end: int

    def __post_init__(self) -> None:
        if not (0 <= self.start <= 23 and 0 <= self.end <= 23):
            raise ValueError("no such hour")

    def cover(self, now: datetime) -> bool:
        return False

    def end_after(self, now: datetime) -> datetime:
        return now


\1"""
OWN_HOURS = r"""\1
    def is_quiet(self, now: datetime) -> bool:
        first, last = self.quiet_from, self.quiet_until
        if first == last:
            return False
        return first <= now.hour < last if first < last else not last <= now.hour < first

    def is_loud(self, now: datetime) -> datetime:
        return next_hour(now, self.quiet_until)
"""
HOURS_IN_GLUE = """def is_quiet(preferences, now):
    return now.hour >= preferences.quiet_from or now.hour < preferences.quiet_until"""
MUTED = r"(    muted: list\[str\] = field.*\n)"
DEAD_LINE = r"""@dataclass(frozen=True)
class ProcedureLine:
    code: str
    units: int

    def __post_init__(self) -> None:
        if not self.code or self.units < 1:
            raise ValueError(self.code)

    def price(self, point_value: int) -> int:
        return 0

    def __str__(self) -> str:
        return f"{self.code}*{self.units}"


\1"""
RELEASE = r"""\1        return Acceptance.release(self, declaration_id)
\3

class Acceptance:
    def release(self, declaration_id: str) -> Declaration:
\2
"""
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
    Cheat(
        "quiet hours have slots, which anybody can set",
        "atelier/quiet-hours", "solutions/frozen", "notifications",
        ((r"(?s)@dataclass\(frozen=True\)\nclass QuietHours:(.*?)    def __post_init__", SLOTS),),
        "quiet_hours_are_a_type", "can be changed",
    ),
    Cheat(
        "the storage is asked under another name",
        "atelier/ledger-and-holds", "solutions/made-at-once", "accounts",
        ((r"class Accounts:\n", HISTORY),),
        "the_storage_is_divided", "asks the storage for entries",
    ),
    Cheat(
        "accounts tell whether somebody's plan is paid",
        "atelier/members-price", "solutions/price-for-a-buyer", "accounts",
        ((r"    def charge\(", IS_MEMBER),),
        "accounts_take_what_they_are_told", "looks at a plan",
    ),
    Cheat(
        "the query of the ledger is called elsewhere",
        "atelier/running-balance", "base", "accounts",
        ((r"\bentries\(", "postings("),
         (r"self\.store\.postings\(account_id\)", "[*map(self.store.postings, [account_id])][0]")),
        "a_balance_reads_no_ledger", "still reads the ledger",
    ),
    Cheat(
        "the query of the ledger is called by a second name",
        "atelier/running-balance", "base", "accounts",
        ((r"\n    def page_of_entries", "\n    kept = entries\n\n    def page_of_entries"),
         (r"self\.store\.entries\(account_id\)", "self.store.kept(account_id)")),
        "a_balance_reads_no_ledger", "still reads the ledger",
    ),
    Cheat(
        "the query of the ledger is called by getattr",
        "atelier/running-balance", "base", "accounts",
        ((r"\bentries\(", "postings("),
         (r"self\.store\.postings\(account_id\)", 'getattr(self.store, "postings")(account_id)')),
        "a_balance_reads_no_ledger", "still reads the ledger",
    ),
    Cheat(
        "a lambda with a name calls the query of the ledger",
        "atelier/running-balance", "base", "accounts",
        (appended("class Accounts:", "fetch = lambda store, id_: store.entries(id_)"),
         (r"self\.store\.entries\(account_id\)", "fetch(self.store, account_id)")),
        "a_balance_reads_no_ledger", "still reads the ledger",
    ),
    Cheat(
        "channels are compared with parts of a class",
        "lindenhof/channels-apart", "solutions/traits", "reminders",
        ((r'\bPOST = "letter"', 'POST = "letter"\n\n\nclass Ways:\n    letter = POST = "letter"\n'),
         (r"    rules = CHANNELS\[channel\]\n",
          r"    rules = CHANNELS[channel]\n        late = channel == Ways.letter\n")),
        "no_rule_asks_which_channel_it_is", "asks which channel",
    ),
    Cheat(
        "billing has the charge of an absence for itself",
        "lindenhof/missed-visits", "solutions/charged", "billing",
        (appended("class Billing", "def _charge_absence(fee_cents): return fee_cents"),),
        "the_old_way_is_gone", "still has something named _charge_absence",
    ),
    Cheat(
        "lines are sorted by a comprehension",
        "lindenhof/who-pays-what", "solutions/functions", "claims",
        ((r"(?m)^(def adjudicate\(.*\n(?:    \"\"\".*\"\"\"\n)?)",
          r"\1    taken = [each for each in case.procedures if each not in case.diagnoses]\n"),),
        "adjudicate_only_says_what_happens", "a condition in a comprehension",
    ),
    Cheat(
        "a rejection is spelled where an invoice is made out",
        "lindenhof/rejections-counted", "solutions/rows", "claims",
        ((r"(    def _invoice\((?s:.*?)        if amount_cents > 0:\n)",
          r'\1            text = ":".join(claim.rejections)\n'),),
        "rejections_are_spelled_once", "are spelled by",
    ),
    Cheat(
        "nobody calls what checks a period",
        "quayside/periods", "solutions/frozen", "tariff", (UNCALLED,),
        "no_other_period_can_be_made", "any two days",
    ),
    Cheat(
        "who opens a quota refuses with an error of its own",
        "quayside/periods", "solutions/frozen", "tariff",
        ((r"(    def open_quota\((?s:.*?)\) -> QuotaState:\n)",
          r"\1        if not opens_on:\n            raise BadPeriod()\n"),
         appended("class Tariff:", 'class BadPeriod(Invalid):\n    code = "bad_period"')),
        "nobody_takes_it_apart", "still refuses periods",
    ),
    Cheat(
        "a second rule about weekends stands beside the first",
        "quayside/one-calendar", "solutions/asked", "notices",
        (appended("class Notices:", "def is_weekend(day): return day.weekday() > 4"),),
        "the_calendar_is_kept_once", "more than one rule",
    ),
    Cheat(
        "the query of shares is a constant",
        "lindenhof/used-up", "base", "claims", ((whole(SHARES), r"\1SHARES\3\n\nSHARES = \2\n"),),
        "allowances_and_estimates_read_no_shares", "still reads shares",
    ),
    Cheat(
        "billing is asked for more under another name",
        "lindenhof/missed-visits", "solutions/charged", "schedule",
        ((r"self\.billing\.raise_invoice\(", "self.bills.charge("),
         (r"self\.billing\b", "self.bills"), (r"(?m)^    billing:", "    bills:")),
        "the_old_way_is_gone", "asks billing for charge",
    ),
    Cheat(
        "inspections are asked for more under another name",
        "quayside/clearance", "solutions/what-follows", "declarations",
        ((r"self\.inspections\.clearance\(", "self.inspectors.clearance(self.inspectors.verdict("),
         (r"(self\.inspectors\.verdict\([^)]*\))", r"\1)"),
         (r"self\.inspections\b", "self.inspectors"),
         (r"(?m)^    inspections:", "    inspectors:")),
        "declarations_ask_for_it", "ask inspections for verdict",
    ),
    Cheat(
        "quiet hours are a type that nobody makes",
        "atelier/quiet-hours", "base", "notifications",
        ((r"(?m)^(@dataclass\nclass Preferences:)", DEAD_HOURS), (MUTED, OWN_HOURS),
         (r"(?s)def in_quiet_hours\(.*?\n\n\n", ""),
         (r"in_quiet_hours\(preferences, now\)", "preferences.is_quiet(now)"),
         (r"next_hour\(now, preferences\.quiet_until\)", "preferences.is_loud(now)")),
        "quiet_hours_are_a_type", "nobody makes",
    ),
    Cheat(
        "quiet hours are made and nobody asks them",
        "atelier/quiet-hours", "solutions/frozen", "notifications",
        ((MUTED, OWN_HOURS),
         (r"preferences\.quiet\.cover\(now\)", "preferences.is_quiet(now)"),
         (r"preferences\.quiet\.end_after\(now\)", "preferences.is_loud(now)")),
        "quiet_hours_are_a_type", "nobody asks",
    ),
    Cheat(
        "preferences compare their hours themselves",
        "atelier/quiet-hours", "solutions/frozen", "notifications",
        ((MUTED, OWN_HOURS),
         (r"preferences\.quiet\.cover\(now\)", "preferences.is_quiet(now)")),
        "nobody_takes_them_apart", "Preferences.is_quiet still compares hours",
    ),
    Cheat(
        "hours are compared where requests are described",
        "atelier/quiet-hours", "solutions/frozen", "notifications",
        (appended("quiet_until: Hour", HOURS_IN_GLUE),),
        "nobody_takes_them_apart", "is_quiet still compares hours",
    ),
    Cheat(
        "the type of hours has bounds that nothing checks",
        "atelier/quiet-hours", "solutions/frozen", "notifications",
        (UNCALLED, (r"    (start|end): int\n", r"    \1: Hour\n"),
         (r"(?m)^(@dataclass\(frozen=True\)\nclass QuietHours)",
          r"Hour = Annotated[int, Field(ge=0, le=23)]\n\n\n\1")),
        "no_other_hours_can_be_made", "no clock shows",
    ),
    Cheat(
        "the type of units has a bound that nothing checks",
        "lindenhof/lines-of-a-claim", "solutions/frozen", "claims",
        (UNCALLED, (r"    units: int\n", "    units: Annotated[int, Field(ge=1)]\n")),
        "no_other_lines_can_be_made", "can be made of no code",
    ),
    Cheat(
        "lines are a type that nobody makes",
        "lindenhof/lines-of-a-claim", "base", "claims",
        ((r"(?m)^(@dataclass\nclass Case:)", DEAD_LINE),
         (r'line\.split\("\*"\)', r're.split(r"\\W", line)'), (r"\bparse_line\b", "parts_of"),
         (r"\bprice\((line)", r"price_of(\1"),
         (r"list\[str\](\n    diagnoses: list\[str\]\n    plans)", r"list[ProcedureLine]\1")),
        "decisions_rest_on_lines", "nobody makes",
    ),
    Cheat(
        "lines are made and nobody asks them",
        "lindenhof/lines-of-a-claim", "solutions/frozen", "claims",
        ((r"\bline\.price\(", "price_of(line, "),),
        "decisions_rest_on_lines", "nobody asks",
    ),
    Cheat(
        "all that accept did is done by a method that is named like another one",
        "quayside/acceptance-phases", "base", "declarations",
        ((r"(?s)(    def accept\(self, [^\n]*\n[^\n]*\n)(.*?)(\n    def amend\(.*)\Z", RELEASE),),
        "no_long_conditional_is_left", "Acceptance.release is a long conditional",
    ),
    Cheat(
        "a lambda asks for the first letter of a tier",
        "atelier/price-table", "solutions/table", "catalogue",
        ((r"return self\.steps\[tier\]",
          'return (lambda: 10 if tier[0] == "d" else 50)()'),),
        "no_price_asks_for_a_kind_or_tier", "still branch on the kind or the tier",
    ),
    Cheat(
        "the loop is a map",
        "atelier/tell-many", "solutions/lists", "moderation",
        ((TELLS_REPORTERS,
          "        list(map(partial(self._answer, case=case, action=action), case.reporters))"),
         (r"    def _tell\(", ANSWER)),
        "reporters_are_told_in_one_call", "one by one",
    ),
    Cheat(
        "who answers one answers the others",
        "atelier/tell-many", "solutions/lists", "moderation",
        ((TELLS_REPORTERS, ANSWERS_REST), (r"    def _tell\(", ANSWER_REST)),
        "reporters_are_told_in_one_call", "one by one",
    ),
)  # fmt: skip


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize("cheat", CHEATS, ids=str)
def test_a_cheat_is_refused(bases: Bases, cheat: Cheat, arm: str) -> None:
    assert cheat.why in str(reasons(bases, cheat, arm)[cheat.predicate])
