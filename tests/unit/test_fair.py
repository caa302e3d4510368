"""Fair ways to do a task that its solutions do not show, accepted in every arm."""

import pytest

from harness.bases import Bases
from tests.edited import Edited, reasons
from tests.trees import ARMS

CONSTANTS = "\n".join(
    f'IS_{word} = "{word}"' for word in ("image", "video", "draft", "standard", "fine")
)
NAMED = "\n".join(f'IS_{word} = "{word}"' for word in ("not_covered", "authorisation_missing"))
REFUNDS = r"                amount = self\.accounts\.refund(?s:.*?)case\.refunded_mc \+= amount\n"
END = """    def _end(self, licence, case):
        amount = self.accounts.refund(licence.buyer_id, f"licence:{licence.id}", 10_000)
        self._tell([licence.buyer_id], "licence_ended", case, f"{amount} mc refunded")
        case.refunded_mc += amount

    def _tell("""
NUMBERED = """    def __post_init__(self) -> None:
        self.plan_number = PLAN_NUMBERS.get(self.plan_number, 0)

    @classmethod
    def of("""
PLAN_OF = r"""    def plan_of(self, account_id: str) -> str:
        plan = self.get(account_id).plan
        return plan

\1"""
PHASES = """        self._check(case, action)
        self._carry_out(case, action)
        self._record(case, moderator, action)
        self._tell_people(case, action)
        return case

    def _check(self, case: Case, action: str) -> None:
        if case.state != "open":
            raise Conflict("case_not_open", f"case {case.id} is {case.state}")
        earlier = self.store.count_lost(case.account_id, self.now - MEMORY)
        allowed = allowed_actions(case.severity, earlier)
        if action not in allowed:
            raise Invalid("action_not_allowed", f"allowed here: {', '.join(allowed)}")

    def _carry_out(self, case: Case, action: str) -> None:
        if action in ("dismiss", "warn"):
            self.gallery.restore(case.asset_id)
        elif action == "quarantine":
            self.gallery.quarantine(case.asset_id)
        else:
            for licence in self.gallery.withdraw(case.asset_id):
                amount = self.accounts.refund(licence.buyer_id, f"licence:{licence.id}", 10_000)
                self._tell(licence.buyer_id, "licence_ended", case, f"{amount} mc refunded")
                case.refunded_mc += amount

    def _record(self, case: Case, moderator: str, action: str) -> None:
        case.action = action
        case.moderator = moderator
        case.decided_at = self.now
        if action == "dismiss":
            case.state = "closed"
        else:
            case.state = "decided"
            case.appeal_until = self.now + timedelta(days=APPEAL_DAYS[case.severity])
        self.store.save(case)

    def _tell_people(self, case: Case, action: str) -> None:
        self._tell(case.account_id, "case_decided", case, action)
        for reporter_id in case.reporters:
            self._tell(reporter_id, "report_answered", case, action)

    def appeal("""
DECIDING = r"""(?s)        if case\.state != "open":
            raise Conflict\("case_not_open".*?        return case

    def appeal\("""
REFUSING = r"""class QuietHours:
    def __init__(self, start: int, end: int) -> None:
        for hour in (start, end):
            if not 0 <= hour <= 23:
                raise ValueError(f"no clock shows the hour {hour}")
        self._start = start
        self._end = end

    @property
    def start(self) -> int:
        return self._start

    @property
    def end(self) -> int:
        return self._end

    def __setattr__(self, name: str, value: int) -> None:
        if hasattr(self, "_end"):
            raise AttributeError("quiet hours do not change")
        super().__setattr__(name, value)

    def cover"""
QUOTA_ANSWERS = r"""\1
    def is_pending(self, day: date) -> bool:
        return self.period.is_to_come(day)

    def is_closed(self, day: date) -> bool:
        return self.period.is_over(day)
"""
UNITS_OF = """def units_of(work: Work) -> int:
    return work.count * max(work.seconds, 1)


\\1"""
POSTAGE = """    return sum(
        postage(sum(letter.patient_id == patient_id for letter in messages))
        for patient_id in {letter.patient_id for letter in messages}
    )"""
LATE = r"if self\.notices\.days_between\((accepted.*?\(\)), today\) > AMENDMENT_DAYS:"
A_LINE = r"(@dataclass\(frozen=True\)\nclass ProcedureLine)"
FIRST_TWO = r"(    {} TEXT .*,\n)(    {} TEXT .*,\n)"
OWN_ERROR = """class BadPeriod(Invalid):
    def __init__(self) -> None:
        super().__init__("bad_period", "a quota is open for a day to a year")


\\1"""
WORDED_ERROR = """class BadPeriod(Invalid):
    code = "bad_period"


\\1"""
PERIOD_OF = """def period_of(first: str, last: str) -> Period:
    return Period(day_of(first), day_of(last))


\\1"""
CHARGE = """def charge(patients: Patients, billing: Billing, now: datetime, booking: Booking, kind):
    fee = FEES[kind][booking.visit]
    patient_id = booking.patient_id
    if kind == "late_cancellation" and patients.reliability(patient_id).grade == "good":
        return 0
    if patients.age(patient_id, now.date().isoformat()) < ADULT_AGE:
        fee //= 2
    billing.raise_invoice(patient_id, f"booking:{booking.id}", fee)
    return fee


\\1"""
SET_FREE = """def set_free(traders: Traders, declaration_id: str) -> int:
    return traders.release(f"decl:{declaration_id}")


\\1"""
HOURS = r"""Hour = Annotated[int, Field(ge=0, le=23)]


@pydantic.dataclasses.dataclass(frozen=True)
class QuietHours:
    start: Hour
    end: Hour

    def cover"""
UNITS = r"""Units = Annotated[int, Field(ge=1)]


@pydantic.dataclasses.dataclass(frozen=True)
class ProcedureLine:
    code: str
    units: Units

    @classmethod"""
HUSH = r"""\1
    def is_hushed(self, now: datetime) -> bool:
        return now in QuietHours(self.quiet_from, self.quiet_until)
"""
STEP = """if tier not in self.steps:
            raise Invalid("tier_not_offered", f"there is no {tier} tier")
        return self.steps[tier]"""
REFUSES = r'raise Invalid\("bad_period", "a quota is open for a day to a year"\)'


def renamed(part: str, new: str) -> tuple[tuple[str, str], ...]:
    """The edits by which a context calls what it asks, `part` of the app, something else."""
    return (rf"\bself\.{part}\b", f"self.{new}"), (rf"(?m)^    {part}:", f"    {new}:")


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
    Edited(
        "a method of the ledger is named like its query",
        "atelier/ledger-and-holds", "solutions/made-at-once", "accounts",
        ((r"def page\(", "def page_of_entries("), (r"_ledger\.page\(", "_ledger.page_of_entries("),
         (r"\bhas_top_up\(", "find_top_up(")),
    ),
    Edited(
        "the storage has another name",
        "atelier/ledger-and-holds", "solutions/made-at-once", "accounts",
        ((r"\bself\.store\b", "self.storage"), (r"(?m)^    store:", "    storage:")),
    ),
    Edited(
        "the storage has another name",
        "quayside/guarantees-and-record", "solutions/made-at-once", "traders",
        ((r"\bself\.store\b", "self.storage"), (r"(?m)^    store:", "    storage:")),
    ),
    Edited(
        "accounts tell a plan by itself",
        "atelier/members-price", "solutions/price-for-a-buyer", "accounts",
        ((r"(    def get\(self, account_id: str\) -> Account:\n)", PLAN_OF),),
    ),
    Edited(
        "the catalogue calls accounts its buyers",
        "atelier/members-price", "solutions/price-for-a-buyer", "catalogue",
        ((r"\bself\.accounts\b", "self.buyers"), (r"(?m)^    accounts:", "    buyers:")),
    ),
    Edited(
        "the last day of an amendment is asked for",
        "quayside/one-calendar", "solutions/asked", "declarations",
        ((LATE, r"if today >= self.notices.day_after(\1, AMENDMENT_DAYS + 1):"),),
    ),
    Edited(
        "a time is in quiet hours",
        "atelier/quiet-hours", "solutions/frozen", "notifications",
        ((r"def cover\(", "def __contains__("),
         (r"preferences\.quiet\.cover\(now\)", "now in preferences.quiet")),
    ),
    Edited(
        "quiet hours refuse to be changed",
        "atelier/quiet-hours", "solutions/frozen", "notifications",
        ((r"(?s)@dataclass\(frozen=True\)\nclass QuietHours:(.*?)    def cover", REFUSING),),
    ),
    Edited(
        "the state is told in words",
        "quayside/clearance", "solutions/what-follows", "inspections declarations",
        ((r"\bpending\b", "state_in_words"),),
    ),
    Edited(
        "the schedule has the charge of an absence for itself",
        "lindenhof/missed-visits", "solutions/charged", "schedule",
        ((r"\b_charge\b", "_charge_absence"),),
    ),
    Edited(
        "moderation calls what announces _notify",
        "atelier/tell-many", "solutions/lists", "moderation", ((r"\b_tell\b", "_notify"),),
    ),
    Edited(
        "each phase is taken out as it stands",
        "atelier/decision-phases", "base", "moderation", ((DECIDING, PHASES),),
    ),
    Edited(
        "an acceptance makes lists of what its lines are",
        "quayside/acceptance-phases", "solutions/methods", "declarations",
        ((r"(    def accept\((?s:.*?)        lines = self\.store\.lines\(declaration_id\)\n)",
          r"\1        codes, masses = [o.code for o in lines], [o.net_g for o in lines]\n"),),
    ),
    Edited(
        "an early answer has its sum",
        "lindenhof/who-pays-what", "solutions/functions", "claims",
        ((r"prices\(case\.procedures, SELF_PAY_VALUE\)",
          "sum(price(line, SELF_PAY_VALUE) for line in case.procedures)"),),
    ),
    Edited(
        "the star has a name",
        "lindenhof/lines-of-a-claim", "solutions/frozen", "claims",
        ((r'text\.split\("\*"\)', "text.split(BETWEEN)"),
         (r'f"\{self\.code\}\*\{self\.units\}"', 'f"{self.code}{BETWEEN}{self.units}"'),
         (A_LINE, r'BETWEEN = "*"\n\n\n\1')),
    ),
    Edited(
        "a line is read by a pattern",
        "lindenhof/lines-of-a-claim", "solutions/frozen", "claims",
        ((r'code, units = text\.split\("\*"\)', "code, units = LINE.fullmatch(text).groups()"),
         (r"(?s)    def __str__\(self\) -> str:\n.*?\n\n", ""),
         (A_LINE, r'LINE = re.compile(r"(\\w+)\\*(\\d+)")\n\n\n\1')),
    ),
    Edited(
        "a line has its pattern",
        "lindenhof/lines-of-a-claim", "solutions/frozen", "claims",
        ((r'code, units = text\.split\("\*"\)', "code, units = cls.LINE.fullmatch(text).groups()"),
         (r"(?s)    def __str__\(self\) -> str:\n.*?\n\n", ""),
         (r"(class ProcedureLine:\n(?:    \"\"\".*\"\"\"\n\n)?)",
          r'\1    LINE: ClassVar[re.Pattern[str]] = re.compile(r"(\\w+)\\*(\\d+)")\n')),
    ),
    Edited(
        "a quota answers by its period",
        "quayside/periods", "solutions/frozen", "tariff",
        ((r"quota\.period\.is_to_come\(today\)", "quota.is_pending(today)"),
         (r"quota\.period\.is_over\(today\)", "quota.is_closed(today)"),
         (r"(        return Period\.between\(self\.opens_on, self\.closes_on\)\n)", QUOTA_ANSWERS)),
    ),
    Edited(
        "what takes time is counted by a function",
        "atelier/estimate-count", "solutions/at-the-cause", "catalogue",
        ((r"work\.count \* max\(work\.seconds, 1\)", "units_of(work)"),
         (r"(?m)^(@dataclass\nclass Catalogue)", UNITS_OF)),
    ),
    Edited(
        "what takes time is counted before",
        "atelier/estimate-count", "solutions/at-the-cause", "catalogue",
        ((r"( +)(estimate = .*) \* work\.count \* max\(work\.seconds, 1\)",
          r"\1units = units_of(work)\n\1\2\n\1estimate *= units"),
         (r"(?m)^(@dataclass\nclass Catalogue)", UNITS_OF)),
    ),
    Edited(
        "a letter is one of some letters",
        "lindenhof/channels-apart", "solutions/traits", "reminders",
        ((r"(?s)    sheets: dict\[str, int\] = \{\}\n.*?sheets\.values\(\)\)", POSTAGE),),
    ),
    Edited(
        "a part of what is stored is named like a query",
        "atelier/running-balance", "solutions/purses", "accounts",
        ((r"\brefunds_of\(", "entries("),
         (r"(class Purse:(?s:.*?)    amount_mc: int = 0\n)", r"\1    entries: int = 0\n"),
         (r"purse\.amount_mc for purse in (.*)\)\n",
          r"purse.amount_mc for purse in \1 if purse.entries)\n")),
    ),
    Edited(
        "the reference of an invoice is put together elsewhere",
        "lindenhof/rejections-counted", "solutions/rows", "claims",
        ((r'f"\{prefix\}:\{claim\.id\}"', "invoice_of(prefix, claim)"),
         (r"(?m)^(def spelled\()",
          r'def invoice_of(prefix, claim):\n    return f"{prefix}:{claim.id}"\n\n\n\1')),
    ),
    Edited(
        "columns stand in another order",
        "atelier/promotions-apart", "solutions/grants", "promotions shared",
        ((FIRST_TWO.format("code", "account_id"), r"\2\1"),),
    ),
    Edited(
        "columns stand in another order",
        "atelier/ledger-postings", "solutions/renamed", "accounts shared",
        ((FIRST_TWO.format("account_id", "kind"), r"\2\1"),),
    ),
    Edited(
        "columns stand in another order",
        "lindenhof/duties-not-shifts", "solutions/renamed", "schedule shared",
        ((FIRST_TWO.format("practitioner_id", "kind"), r"\2\1"),),
    ),
    Edited(
        "adjudicate has another name",
        "lindenhof/used-up", "solutions/spent", "claims",
        ((r"\badjudicate\b", "decide_case"),),
    ),
    Edited(
        "the code of the refusal has a name",
        "quayside/periods", "solutions/frozen", "tariff",
        ((r'Invalid\("bad_period"', "Invalid(BAD_PERIOD"),
         (r"(?m)^(LONGEST_PERIOD_DAYS)", r'BAD_PERIOD = "bad_period"\n\1')),
    ),
    Edited(
        "the refusal is an error of its own",
        "quayside/periods", "solutions/frozen", "tariff",
        ((REFUSES, "raise BadPeriod"), (r"(?m)^(def day_of)", OWN_ERROR)),
    ),
    Edited(
        "the refusal is an error that has its code",
        "quayside/periods", "solutions/frozen", "tariff",
        ((REFUSES, 'raise BadPeriod("a quota is open for a day to a year")'),
         (r"(?m)^(def day_of)", WORDED_ERROR)),
    ),
    Edited(
        "a function gives periods",
        "quayside/periods", "solutions/frozen", "tariff",
        ((r"(        |return )Period\.between\(", r"\1period_of("),
         (r"(?m)^(@dataclass\nclass Quota:)", PERIOD_OF)),
    ),
    Edited(
        "what an absence costs is charged by a function",
        "lindenhof/missed-visits", "solutions/charged", "schedule",
        ((r"self\._charge\(booking, ",
          "charge(self.patients, self.billing, self.now, booking, "),
         (r"(?s)    def _charge\(self, booking: Booking, .*?        return fee\n\n", ""),
         (r"(?m)^(@dataclass\nclass Schedule:)", CHARGE)),
    ),
    Edited(
        "the words of rejections have names",
        "lindenhof/who-pays-what", "solutions/functions", "claims",
        ((r'f"(not_covered|authorisation_missing):', r'f"{IS_\1}:'),
         (r"(?m)^(@dataclass\nclass Screening)",
          f"{NAMED}\n\n\n\\1")),
    ),
    Edited(
        "a function sets a guarantee free",
        "quayside/paid-debts", "solutions/at-close", "settlement",
        ((r"self\.unsecure\((assessment\.declaration_id\))(\n        self\.notices)",
          r"set_free(self.traders, \1\2"),
         (r"(?m)^(@dataclass\nclass Settlement:)", SET_FREE)),
    ),
    Edited(
        "the one rule names both days of a weekend",
        "quayside/one-calendar", "solutions/asked", "notices",
        ((r"day\.weekday\(\) < 5 and", "day.weekday() != 5 and day.weekday() != 6 and"),),
    ),
    Edited(
        "declarations call the tariff their rates",
        "quayside/acceptance-phases", "solutions/methods", "declarations",
        renamed("tariff", "rates"),
    ),
    Edited(
        "settlement calls traders its debtors",
        "quayside/paid-debts", "solutions/at-close", "settlement", renamed("traders", "debtors"),
    ),
    Edited(
        "declarations call inspections their inspectors",
        "quayside/clearance", "solutions/what-follows", "declarations",
        renamed("inspections", "inspectors"),
    ),
    Edited(
        "declarations call consignments the quay",
        "quayside/late-fee", "solutions/asked", "declarations", renamed("consignments", "quay"),
    ),
    Edited(
        "the schedule calls patients its people",
        "lindenhof/trusted-patients", "solutions/what-follows", "schedule",
        renamed("patients", "people"),
    ),
    Edited(
        "the storage has another name",
        "lindenhof/waiting-list", "solutions/asked-who-is-next", "schedule",
        ((r"\bself\._store\b", "self._kept"), *renamed("store", "storage")),
    ),
    Edited(
        "the word of letters is the key of what they are like",
        "lindenhof/channels-apart", "solutions/traits", "reminders",
        ((r'    "letter": ChannelRules', "    POST: ChannelRules"),),
    ),
    Edited(
        "the words of measures have names, and entries are made one by one",
        "quayside/duty-measures", "solutions/functions", "tariff",
        ((r'    "specific": (lambda.*),\n((?s:.*?)\n}\n)', r"\2MEASURES[SPECIFIC] = \1\n"),
         (r"\nMEASURES\b", '\nSPECIFIC = "specific"\nMEASURES')),
    ),
    Edited(
        "a part of a quota is named like a query",
        "quayside/kept-balance", "solutions/balances", "tariff",
        ((r"    granted_g: int = 0", "    granted_under: int = 0"),
         (r"(balance|_balance\(quota_id\))\.granted_g", r"\1.granted_under")),
    ),
    Edited(
        "hours have a type with bounds",
        "atelier/quiet-hours", "solutions/frozen", "notifications",
        ((r"(?s)@dataclass\(frozen=True\)\nclass QuietHours:(.*?)    def cover", HOURS),),
    ),
    Edited(
        "preferences ask their quiet hours",
        "atelier/quiet-hours", "solutions/frozen", "notifications",
        ((r"def cover\(", "def __contains__("),
         (r"preferences\.quiet\.cover\(", "preferences.is_hushed("),
         (r"(    muted: list\[str\] = field.*\n)", HUSH)),
    ),
    Edited(
        "lines are read by a map",
        "lindenhof/lines-of-a-claim", "solutions/frozen", "claims",
        ((r"\[ProcedureLine\.parse\(text\) for text in (claim\.procedures)\]",
          r"list(map(ProcedureLine.parse, \1))"),
         (r"for text in procedures:\n        line = ProcedureLine\.parse\(text\)\n",
          "for line in map(ProcedureLine.parse, procedures):\n")),
    ),
    Edited(
        "units have a type with a bound",
        "lindenhof/lines-of-a-claim", "solutions/frozen", "claims",
        ((r"(?s)@dataclass\(frozen=True\)\nclass ProcedureLine:(.*?)    @classmethod", UNITS),),
    ),
    Edited(
        "a tier that a rule does not have is refused",
        "atelier/price-table", "solutions/table", "catalogue",
        ((r"return self\.steps\[tier\]", STEP),),
    ),
    Edited(
        "a text that is put together is empty",
        "lindenhof/rejections-counted", "solutions/rows", "claims",
        ((r"(?m)^(def spelled\()", r'def nothing():\n    return f""\n\n\n\1'),),
    ),
    Edited(
        "moderation has an announce that sorts",
        "atelier/tell-many", "solutions/lists", "moderation",
        ((r"\b_tell\b", "announce"),
         (r"(self\.notifications\.announce\()account_ids", r"\1sorted(account_ids)")),
    ),
)  # fmt: skip


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize("edited", FAIR, ids=str)
def test_what_is_no_cheat_passes(bases: Bases, edited: Edited, arm: str) -> None:
    assert not any(reasons(bases, edited, arm).values())
