"""A mistake in the sources of the small app of docs/authoring.md is told where it was made."""

import re
from pathlib import Path

import pytest
import yaml

from harness.errors import BadInput
from harness.pairs.weave import read_app, weave
from tests.authoring import APP, example_files

L, M = "contexts.loans", "contexts.members"
LOANS, MEMBERS, STORES, ERRORS = (
    f"domain/{name}.py" for name in ("loans", "members", "stores", "errors")
)
PAGE = 'def page(self, member_id: str, limit: int) -> "list[Loan]": ...'
LATE = 'def late(self, state: str) -> "list[Loan]": ...'
Edit = tuple[str, ...]
"""old and new text of app.yaml, or file, old and new"""


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    for path, text in example_files().items():
        if path.startswith(f"fixtures/{APP}/app/"):
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text, encoding="utf-8")
    return tmp_path / "fixtures" / APP / "app"


def spoil(sources: Path, edit: Edit) -> None:
    file, old, new = edit if len(edit) == 3 else ("app.yaml", *edit)
    text = (sources / file).read_text(encoding="utf-8")
    assert old in text
    (sources / file).write_text(text.replace(old, new), encoding="utf-8")


def refusal(sources: Path) -> tuple[str, str, str]:
    """The file that is told, the text of the line, and what is said of it."""
    with pytest.raises(BadInput) as told:
        weave(read_app(sources))
    found = re.fullmatch(rf"{sources}/([\w/.]+):(\d+): (.*)", str(told.value))
    assert found, told.value
    line = (sources / found[1]).read_text(encoding="utf-8").splitlines()[int(found[2]) - 1]
    return found[1], line, found[3]


@pytest.mark.parametrize(
    ("key", "said", "edits"),
    [
        # routes
        (f"{L}.operations.lend.route", "paths below /v1/members are what members answers",
         [("POST /v1/loans\n", "POST /v1/members/loans\n")]),
        (f"{M}.operations.get_member.route", "the first word of a path is no parameter",
         [("GET /v1/members/{member_id}", "GET /v1/{member_id}/members")]),
        (f"{L}.operations.give_back.route", "{loan_id} stands twice",
         [("{loan_id}/return", "{loan_id}/{loan_id}/return")]),
        (f"{L}.operations.give_back.status", "204 is the status of no answer",
         [("give_back(loan_id)\n", "give_back(loan_id)\n        status: 204\n")]),
        # codes
        (f"{M}.operations.get_member.refuses.unknown_membr", "there is unknown_member",
         [("refuses: {unknown_member: 404}", "refuses: {unknown_membr: 404}")]),
        ("errors.Conflict", "405 is what programs answer by themselves",
         [("Conflict: 409", "Conflict: 405")]),
        ("errors.Conflict", "less than or equal to 499", [("Conflict: 409", "Conflict: 503")]),
        (f"{L}.operations.lend.refuses.already_lent", "404, and it is raised as 409",
         [("already_lent: 409", "already_lent: 404")]),
        # fields
        (f"{L}.bodies.NewLoan.days", "a list alone has bounds",
         [("days: Days}", 'days: "Days 1..9"}')]),
        (f"{L}.bodies.NewLoan.tool", "9 is more than 1",
         [("tool: Tool,", 'tool: "list[Tool] 9..1",')]),
        (f"{M}.operations.get_member.query.tools", "bounds in a body, not in a query",
         [("{member_id}\n", '{member_id}\n        query: {tools: "list[Tool] 1..9"}\n')]),
        # tables and queries
        (f"{L}.tables.counters", "needs for something else",
         [("loans: {record", "counters: {record")]),
        (f"{L}.tables.Members", "members has a table of that name",
         [("loans: {record", "Members: {record")]),
        (f"{L}.tables.late", "loans has a table of that name in an arm: loans_late",
         [("      loans: {",
           "      loans_late: {record: Loan}\n      late: {record: Loan}\n      loans: {")]),
        (f"{L}.tables.loans.record", "the table kept keeps Loan already",
         [("      loans: {record", "      kept: {record: Loan}\n      loans: {record")]),
        (f"{L}.tables.loans.index.0", "at least 1", [("[[member_id, tool]]", "[[]]")]),
        (f"{L}.queries.save", "upsert needs a key, or unique columns, of the table loans",
         [("save: update", "save: upsert"), ("Loan, key: id,", "Loan,")]),
        (f"{L}.queries.page", "a page has limit and offset, and page takes one of them",
         [("count_open:", 'page: "member_id = :member_id"\n      count_open:'),
          (STORES, "    def count_open(", f"    {PAGE}\n    def count_open(")]),
        (f"{L}.queries.late", 'near "ORDER": syntax error',
         [("count_open:", 'late: "state = :state ORDER BY due_at"\n      count_open:'),
          (STORES, "    def count_open(", f"    {LATE}\n    def count_open(")]),
        (f"{L}.queries.get", "words in single quotes",
         [('"id = :loan_id"', "'id = :loan_id AND state = \"open\"'")]),
        # names
        *(("package", "needs for something else", [("package: toolshed", f"package: {name}")])
          for name in ("json", "data")),
        ("types.Field", "needs for something else", [("Name", "Field")]),
        ("protected.0", "no arm has a file test/**",
         [("app: toolshed\n", "app: toolshed\nprotected: [test/**]\n")]),
        (f"{L}.bodies.NewMember", "members has something of that name",
         [("NewLoan", "NewMember")]),
        (f"{L}.bodies.Loan", "loans.py has something of that name", [("NewLoan", "Loan")]),
        (f"{L}.operations.give_back.route", "'services' is a name",
         [("{loan_id}", "{services}"), ("give_back(loan_id)", "give_back(services)")]),
        (f"{L}.operations.give_back.route", "'loans' is a name",
         [("{loan_id}", "{loans}"), ("give_back(loan_id)", "give_back(loans)")]),
        *((f"{M}.operations.{name}", "a name that the code of its route needs",
           [("      join:", f"      {name}:")])
          for name in ("refusals", "str", "once", "build", "list", "Query")),
        *((f"{L}.bodies.{name}", "needs for something else", [("NewLoan", name)])
          for name in ("Body", "Items", "Problem", "Refusal", "Session", "Annotated")),
    ],
)  # fmt: skip
def test_a_mistake_in_app_yaml_is_told_at_its_key(
    sources: Path, key: str, said: str, edits: list[Edit]
) -> None:
    for edit in edits:
        spoil(sources, edit)
    file, line, told = refusal(sources)
    assert file == "app.yaml"
    assert told.startswith(f"{key}: ")
    assert said in told
    *_, last = (each for each in key.split(".") if not each.isdigit())
    assert last in line


CACHE = "kind: cache_key\n    dose: 2\n    survives: false"
ORDER = "kind: execution_order\n    dose: 1\n    survives: false"
NAMED = "    contexts: [members, loans]\n    meaning: x"
READERS = "readers: {loans: Borrowers}"


@pytest.mark.parametrize(
    ("key", "said", "edit"),
    [
        ("1.survives", "a cache_key is in the tangled arm alone",
         (CACHE, CACHE.replace("false", "true"))),
        ("1.key", "a cache_key has a key", ('    key: "member:"\n', "")),
        ("1.key", "match pattern", ('key: "member:"', "key: 'member\"'")),
        ("1.contexts", "members keeps the rows and is missing",
         ("[members, loans]\n    meaning: >-", "[loans]\n    meaning: >-")),
        ("1.readers.members", "it keeps the rows itself",
         (READERS, "readers: {members: Borrowers}")),
        ("1.readers.loans", "the class LoanStore has the name of another",
         (READERS, "readers: {loans: LoanStore}")),
        ("1.readers.loans", "the class Rows has the name of another",
         (READERS, "readers: {loans: Rows}")),
        ("1.readers.loans", "match pattern", (READERS, "readers: {loans: Bor-rowers}")),
        ("1.readers.loans", "starts with a capital", (READERS, "readers: {loans: borrowers}")),
        ("1.query", "a cache_key has it, and this is convention",
         (CACHE, "kind: convention\n    survives: true\n    dose: 0")),
        ("2.kind", "there is one cache_key",
         (READERS, f"{READERS}\n  - name: loan-cache\n    {CACHE}\n{NAMED}")),
        ("0.contexts", "no table of these refers to a table of another",
         (", refers: {member_id: members}", "")),
        ("0.dose", "it is there at dose 0", (ORDER, ORDER.replace("false", "true"))),
        ("0.survives", "status_string lies in the domain",
         (ORDER, "kind: status_string\n    dose: 2\n    survives: false")),
        ("0.dose", "it is there at dose 0",
         (ORDER, "kind: status_string\n    dose: 2\n    survives: true")),
        ("0.contexts", "two or more", ("[members, loans]\n    meaning: A", "[]\n    meaning: A")),
        ("1.name", "two are called members-before-loans",
         ("name: member-cache", "name: members-before-loans")),
    ],
)  # fmt: skip
def test_a_coupling_that_no_arm_would_have_so_is_told_at_its_key(
    sources: Path, key: str, said: str, edit: Edit
) -> None:
    spoil(sources, edit)
    file, line, told = refusal(sources)
    assert file == "app.yaml"
    assert told.startswith(f"couplings.{key}: ")
    assert said in told
    assert key.rpartition(".")[2] in line or line.lstrip().startswith("- name")


def shown(record: str) -> list[Edit]:
    """Edits by which the API shows a record of that name of loans."""
    return [
        (LOANS, "@dataclass\nclass Loans", f"class {record}: ...\n\n\n@dataclass\nclass Loans"),
        (
            "answer: Loan\n        refuses: {unknown_l",
            f"answer: {record}\n        refuses: {{unknown_l",
        ),
    ]


def known(parameters: str, returns: str, body: str, call: str) -> list[Edit]:
    """Edits by which loans ask members for a method more."""
    method = f"    def is_known({parameters}) -> {returns}:\n        return {body}\n"
    return [
        (MEMBERS, "    def get(self", f"{method}\n    def get(self"),
        (LOANS, "        if self.store.count_open",
         f"        self.members.is_known({call})\n        if self.store.count_open"),
    ]  # fmt: skip


SPOKEN = "between contexts go str, int, bool, lists of these, and records of these"


@pytest.mark.parametrize(
    ("file", "said", "edits"),
    [
        (MEMBERS, f"at: datetime; {SPOKEN}",
         known("self, at: datetime", "bool", "True", "self.now")),
        (MEMBERS, f"at: dict[str, int]; {SPOKEN}",
         known("self, at: dict[str, int]", "bool", "True", "{}")),
        (MEMBERS, f"at: Member.joined_at is datetime; {SPOKEN}",
         known("self, at: Member", "bool", "True", "member")),
        (MEMBERS, f"at: None; {SPOKEN}", known("self, at", "bool", "True", '"a"')),
        (MEMBERS, "members: its context stands beside it by that name",
         known("self, members: str", "bool", "True", '"a"')),
        (MEMBERS, f"it answers datetime; {SPOKEN}",
         known("self", "datetime", "self.now", "")),
        (MEMBERS, f"it answers tuple[str, int]; {SPOKEN}",
         known("self", "tuple[str, int]", '("a", 1)', "")),
        (MEMBERS, f"it answers dict[str, Member]; {SPOKEN}",
         [(MEMBERS, "member_id: str) -> Member:", "member_id: str) -> dict[str, Member]:")]),
        (MEMBERS, "Members.get: it does not say what it answers",
         [(MEMBERS, "member_id: str) -> Member:", "member_id: str):")]),
        (MEMBERS, "no *, ** or /", known("self, *, at: str", "bool", "True", 'at="a"')),
        (MEMBERS, "no *, ** or /", known("self, *at: str", "bool", "True", '"a"')),
        (MEMBERS, "no *, ** or /", known("self, **at: str", "bool", "True", 'at="a"')),
        (MEMBERS, "no *, ** or /", known("self, at: str, /", "bool", "True", '"a"')),
        (MEMBERS, "the default LATEST is a name",
         known("self, at: int = LATEST", "bool", "True", "")),
        (LOANS, "self.members.is_known: too many positional arguments",
         known("self, at: str", "bool", "True", '"a", "b"')),
        (LOANS, "self.members.is_known: missing a required argument: 'at'",
         known("self, at: str", "bool", "True", "")),
        (LOANS, "self.members.is_known: got an unexpected keyword argument 'on'",
         known("self, at: str", "bool", "True", 'at="a", on="b"')),
        (LOANS, "self.store.save: too many positional arguments",
         [(LOANS, "self.store.save(loan)", "self.store.save(loan, 3)")]),
        (STORES, "LoanStore.save: a store takes its parameters by name",
         [(STORES, "def save(self, loan:", "def save(self, *, loan:")]),
        (ERRORS, "Conflict: an error is a DomainError with its status and nothing else",
         [(ERRORS, "    status = 409", "    status = 409\n    retry = True")]),
        (ERRORS, "NotFound: an error is a DomainError with its status and nothing else",
         [(ERRORS, "    status = 404", "    pass")]),
        (ERRORS, "Conflict: an error is a DomainError with its status and nothing else",
         [(ERRORS, "Conflict(DomainError)", "Conflict(NotFound)")]),
        (ERRORS, "DomainError: the arms have it as docs/authoring.md writes it",
         [(ERRORS, "self.message = message", "self.message = message.upper()")]),
        (ERRORS, "Lost: app.yaml has no such error",
         [(ERRORS, "class Conflict", "class Lost(NotFound): ...\n\n\nclass Conflict")]),
        (ERRORS, "import json: the arms take classes alone from here",
         [(ERRORS, "class DomainError", "import json\n\n\nclass DomainError")]),
        (LOANS, "Loans: it is no dataclass",
         [(LOANS, "@dataclass\nclass Loans:", "class Loans:")]),
        (LOANS, "Loan: it is no dataclass",
         [(LOANS, "@dataclass\nclass Loan:", "class Loan:")]),
        (LOANS, "Problem: a name that an arm needs for something else",
         shown("Problem")),
        (LOANS, "Member: members has something of that name, and the API shows both",
         shown("Member")),
    ],
)  # fmt: skip
def test_a_mistake_in_the_domain_is_told_at_its_line(
    sources: Path, file: str, said: str, edits: list[Edit]
) -> None:
    for edit in edits:
        spoil(sources, edit)
    where, line, told = refusal(sources)
    assert (where, said in told) == (file, True), told
    words = re.findall(r"\w+", told.partition(": ")[0])
    assert words[-1] in line


@pytest.mark.parametrize(
    ("parameters", "call"),
    [
        ("self, at: str | None = None", ""),
        ("self, at: list[int], on: bool = False", "[1], on=True"),
        ("self, at: str = 'now'", "*()"),
    ],
)
def test_what_can_be_sent_between_contexts_is_woven(
    sources: Path, parameters: str, call: str
) -> None:
    for edit in known(parameters, "list[str]", "[]", call):
        spoil(sources, edit)
    assert "def is_known" in weave(read_app(sources))["microservices/loans/clients.py"]


@pytest.mark.parametrize(
    ("says", "answers"),
    [
        ("list[str]", "list[str]"),
        ("int | None", "int | None"),
        ("Member | None", "SimpleNamespace | None"),
        ("list[Member]", "list[SimpleNamespace]"),
        ("list[Member] | None", "list[SimpleNamespace] | None"),
    ],
)
def test_a_client_answers_what_its_context_does_but_for_records(
    sources: Path, says: str, answers: str
) -> None:
    for edit in known("self", says, "None", ""):
        spoil(sources, edit)
    client = weave(read_app(sources))["microservices/loans/clients.py"]
    assert f"def is_known(self) -> {answers}:" in client


def test_space_around_a_call_is_none_of_it(sources: Path) -> None:
    before = weave(read_app(sources))
    spoil(sources, ("call: loans.give_back(loan_id)", 'call: " loans.give_back(loan_id)"'))
    assert weave(read_app(sources)) == before


def test_a_code_that_only_a_running_program_knows_may_be_any(sources: Path) -> None:
    spoil(sources, (LOANS, 'Conflict("already_lent"', "Conflict(self.refused()"))
    spoil(sources, ("already_lent: 409", "lent_already: 409"))
    lend = read_app(sources).contexts["loans"].spec.operations["lend"]
    assert lend.refuses["lent_already"] == 409


def test_a_record_may_take_all_that_it_has_from_a_dataclass(sources: Path) -> None:
    heir = "class Lent(Loan):\n    pass\n\n\n@dataclass\nclass Loans"
    spoil(sources, (LOANS, "@dataclass\nclass Loans", heir))
    loans = read_app(sources).contexts["loans"].module
    loans.check_dataclass("Lent")
    spoil(sources, (LOANS, "class Lent(Loan):\n    pass", "class Lent(Loan):\n    fee: int"))
    with pytest.raises(BadInput, match="Lent: it is no dataclass"):
        read_app(sources).contexts["loans"].module.check_dataclass("Lent")


def test_a_reader_asks_the_context_that_keeps_the_rows(sources: Path) -> None:
    spoil(sources, ("readers: {loans: Borrowers}", "readers: {shelves: Borrowers}"))
    spoil(sources, ("contexts: [members, loans]", "contexts: [members, loans, shelves]"))
    spoil(sources, ("couplings:", "  shelves: {title: Shelves, operations: {}}\n\ncouplings:"))
    shelves = "from dataclasses import dataclass\n\n\n@dataclass\nclass Shelves:\n    pass\n"
    (sources / "domain/shelves.py").write_text(shelves, encoding="utf-8")
    _, _, told = refusal(sources)
    assert told == "couplings.1.readers.shelves: it does not ask members"


def test_pair_yaml_says_that_what_survives_lies_in_the_domain(sources: Path) -> None:
    spoil(sources, (ORDER, ORDER.replace("false", "true").replace("dose: 1", "dose: 0")))
    pair = yaml.safe_load(weave(read_app(sources))["pair.yaml"])
    order, cache = (each["where"] for each in pair["couplings"])
    assert order == dict.fromkeys(["monolith", "modular", "microservices"], "the domain")
    assert cache == {"monolith": "as woven at this dose"}
