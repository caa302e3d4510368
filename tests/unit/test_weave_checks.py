"""An error in an app's sources names file, line and key, before anything is woven."""

import re
import shutil
from pathlib import Path

import pytest

from harness.errors import BadInput
from harness.pairs.weave import read_app

FIXTURE = Path(__file__).parents[2] / "fixtures/atelier"


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    shutil.copytree(FIXTURE / "app", tmp_path / "app")
    return tmp_path / "app"


def spoil(path: Path, old: str, new: str) -> int:
    """The line on which `old`, which is there, became `new`."""
    text = path.read_text(encoding="utf-8")
    before, found, after = text.partition(old)
    assert found
    path.write_text(before + new + after, encoding="utf-8")
    return len((before + "|").splitlines())


def refusal(sources: Path) -> str:
    with pytest.raises(BadInput) as told:
        read_app(sources)
    (line,) = str(told.value).splitlines()
    return line


A, J = "contexts.accounts", "contexts.jobs"
OPEN, TOP_UP = f"{A}.operations.open_account", f"{A}.operations.top_up"


@pytest.mark.parametrize(
    ("old", "new", "key", "said"),
    [
        ("package: a", "package: 7a", "package", "match pattern"),
        ("title: A studio", "tilte: A studio", "tilte", "Extra inputs"),
        ('id_pattern: "\\\\b(', 'id_pattern: "\\\\b((', "id_pattern", "no regular expression"),
        ("NotFound: 404", "NotFound: 604", "errors.NotFound", "less than or equal to 499"),
        ("NotFound: 404", "NotFound: 410", "errors.NotFound", "status = 404 in "),
        ("NotFound: 404", "Lost: 404", "errors.Lost", "has no class Lost"),
        ('Id: {pattern: "^[A', 'Id: {pattern: "^[[A', "types.Id", "is no pattern"),
        ('Id: {pattern: "^[A', 'Id: {pattern: "^(?=x)[A', "types.Id", "look-around"),
        ('Id: {pattern: "^[A', 'Id: {pattern: "^\\"[A', "types.Id", "no double quote"),
        ("Title: {length: [1, 60]}", "Title: {}", "types.Title", "one of words, pattern"),
        ("Title: {length: [1, 60]}", "Title: {length: [61, 60]}", "types.Title", "61 is more"),
        ("Title: {length", "title: {length", "types.title", "starts with a capital"),
        ("name: Title, plan", "name: Titel, plan", f"{A}.bodies.NewAccount.name",
         "unknown type 'Titel'; there is Title"),
        ("name: Title, plan", 'name: "list[Titel] 1..9", plan', f"{A}.bodies.NewAccount.name",
         "unknown type 'Titel'"),
        ("query: {limit: Limit = 20", "query: {limit: Limit = 0",
         f"{A}.operations.list_ledger.query.limit", "the default 0 is no Limit"),
        ('priority: Priority = "normal"', 'priority: Priority = "usual"',
         f"{J}.bodies.NewJob.priority", 'the default "usual" is no Priority'),
        ("seconds: Seconds = 0", 'seconds: Seconds = "0"', "contexts.catalogue.",
         'the default "0" is no Seconds'),
        ("code: Code | None = None", "code: Code = None", "contexts.catalogue.",
         "the default None is no Code"),
        ("name: Title, plan", "na-me: Title, plan", f"{A}.bodies.NewAccount.na-me", "pattern"),
        ("name: Title, plan", 'name: "list[Title", plan', f"{A}.bodies.NewAccount.name", "never"),
        ("body: NewAccount", "body: NewAcount", f"{OPEN}.body", "unknown body 'NewAcount'; there"),
        ("body.plan)\n        answer: Account", "body.plan)\n        answer: Acount",
         f"{OPEN}.answer", "unknown type 'Acount'; there is Account"),
        ("status: 201", "status: 404", f"{OPEN}.status", "less than or equal to 299"),
        ("accounts.open(", "accounts.opened(", f"{OPEN}.call",
         "unknown method of accounts 'opened'; there is open"),
        ("accounts.open(", "acounts.open(", f"{OPEN}.call", "unknown name 'acounts'; there is acc"),
        ("body.name, body.plan)", "body.nam, body.plan)", f"{OPEN}.call",
         "unknown field of NewAccount 'nam'; there is name"),
        ("body.name, body.plan)", "body.name)", f"{OPEN}.call", "missing a required argument"),
        ("body.name, body.plan)", "body.name, plann=body.plan)", f"{OPEN}.call", "argument"),
        ("accounts.open(body", "accounts.open((body", f"{OPEN}.call", "never closed"),
        ("accounts.top_up(account_id", "accounts.top_up(account", f"{TOP_UP}.call",
         "unknown name 'account'; there is account"),
        ("store.page(account_id", "store.pages(account_id", f"{J}.operations.list_jobs.call",
         "unknown method of store 'pages'; there is page"),
        ("state: JobState |", "state: JobStat |", f"{J}.operations.list_jobs.query.state", "JobS"),
        ("GET /v1/accounts/{account_id}/ledger", "GET /v1/accounts/{account_id}/balance",
         f"{A}.operations.list_ledger.route", "is what accounts.get_balance answers"),
        ("query: {limit: Limit = 20", "query: {account_id: Id, limit: Limit = 20",
         f"{A}.operations.list_ledger.query.account_id", "in the path already"),
        ("refuses: {unknown_account: 404}", "refuses: {unknown_account: 200}",
         f"{A}.operations.get_account.refuses.unknown_account", "greater than or equal to 400"),
        ("{record: Account, key: id}", "{record: Account, key: di}", f"{A}.tables.accounts.key",
         "Account has no field 'di'; it has id, "),
        ("index: [[account_id, state]]", "index: [[account_id, stat]]", f"{A}.tables.holds.index",
         "Hold has no field 'stat'"),
        ("refers: {account_id: accounts}", "refers: {account_id: acounts}",
         f"{A}.tables.holds.refers.account_id", "no table 'acounts'"),
        ("refers: {account_id: accounts}", "refers: {account_id: redemptions}",
         f"{A}.tables.holds.refers.account_id", "has no key"),
        ('get_hold: "key = :key"', 'get_hold: "kee = :key"', f"{A}.queries.get_hold",
         "no such column: kee"),
        ('get_hold: "key = :key"', 'get_hold: "key = :kee"', f"{A}.queries.get_hold", ":kee"),
        ('get_hold: "key = :key"', 'get_hold: "key == = :key"', f"{A}.queries.get_hold", "syntax"),
        ('get_hold: "key = :key"', "get_hold: update", f"{A}.queries.get_hold", "takes one record"),
        ("add_redemption: insert", "add_redemption: update",
         "contexts.catalogue.queries.add_redemption", "update needs a key"),
        ("save_hold: update", "save_held: update", f"{A}.queries.", "AccountStore in stores.py"),
        ('"redemptions WHERE code', '"redemption WHERE code',
         "contexts.catalogue.queries.count_redemptions", "a count is `table WHERE condition`"),
        ("contexts: [accounts, jobs, moderation]", "contexts: [accounts, work, moderation]",
         "couplings.", "unknown context 'work'"),
        ("readers: {jobs: ", "readers: {job: ", "couplings.", "unknown context 'job'; there is jo"),
        ("    query: get_account", "    query: list_nothing", "couplings.", "no context has a que"),
        ("    query: get_account", "    query: entries", "couplings.", "finds no one row by one"),
        ("  catalogue:\n", "  catalog:\n", "contexts.catalog", "no such file"),
        ("  catalogue:\n", "  class:\n", "contexts.class", "a word of Python"),
        ("    tables:\n      jobs:", "    tables:\n      holds:", f"{J}.tables.holds",
         "accounts has a table of that name"),
        ("      open_account:\n", "      router:\n", f"{A}.operations.router", "its route needs"),
        ("      open_account:\n", "      NewAccount:\n", f"{A}.operations.NewAccount", "its route"),
        ("      open_account:\n", "      accounts:\n", f"{A}.operations.accounts", "its route"),
        ("      open_account:\n", "      def:\n", f"{A}.operations.def", "a word of Python"),
    ],
)  # fmt: skip
def test_an_error_in_app_yaml_names_file_line_and_key(
    sources: Path, old: str, new: str, key: str, said: str
) -> None:
    path = sources / "app.yaml"
    line = spoil(path, old, new) + (new.count("\n") if not new.endswith("\n") else 0)
    told = refusal(sources)
    assert told.startswith(f"{path}:{line}: {key}")
    assert said in told


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("jobs.py", "self.accounts.place_hold(", "self.accounts.place(",
         "self.accounts.place: Accounts in accounts.py has no method place"),
        ("jobs.py", "self.accounts.place_hold(", "self.acounts.place_hold(",
         "self.acounts.place_hold: no class here has a field acounts"),
        ("jobs.py", "    accounts: Accounts", "    accounts: Acounts",
         "Jobs.accounts: Acounts answers for no context"),
        ("jobs.py", "    state: str = ", "    state: bytes = ", "Job.state: bytes cannot be"),
        ("jobs.py", "    store: JobStore", "    store: WorkStore", "WorkStore is not in stores.py"),
        ("stores.py", "def find_payment(self, reference:", "def find_payment(self, kind:",
         "AccountStore.find_payment: no parameter of a store can be called 'kind'"),
        ("errors.py", "class NotFound(", "class NotFound((", ""),
        ("jobs.py", "from .accounts import Accounts", "from .accounts import Accounts as Money",
         "Accounts keeps its name"),
        ("jobs.py", "from .accounts import Accounts", "from .accounts import Account, Accounts",
         "only Accounts comes from there"),
        ("jobs.py", "from .accounts import", "from .helpers import", "at its top"),
        ("jobs.py", "from .accounts import", "from ..accounts import", "at its top"),
        ("jobs.py", "from .accounts import", "if True: from .accounts import", "at its top"),
    ],
)  # fmt: skip
def test_an_error_in_the_domain_names_file_and_line(
    sources: Path, file: str, old: str, new: str, said: str
) -> None:
    path = sources / "domain" / file
    line = spoil(path, old, new)
    told = refusal(sources)
    assert told.startswith(f"{path}:{line}: ")
    assert said in told


@pytest.mark.parametrize(
    "name",
    ["accounts_store", "counters", "data", "edge", "json", "lifespan", "request",
     "schema", "services", "store", "uvicorn"],
)  # fmt: skip
def test_a_context_with_the_name_of_something_in_an_arm_is_refused(
    sources: Path, name: str
) -> None:
    (sources / "domain/catalogue.py").rename(sources / f"domain/{name}.py")
    line = spoil(sources / "app.yaml", "  catalogue:\n", f"  {name}:\n")
    told = refusal(sources)
    assert told.startswith(f"{sources}/app.yaml:{line}: contexts.{name}: a name that an arm")


def test_a_context_with_the_name_of_the_package_is_refused(sources: Path) -> None:
    spoil(sources / "app.yaml", "package: atelier", "package: jobs")
    assert "contexts.jobs: a name that an arm needs for something else" in refusal(sources)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def get(self, account_id: str)", "def get(self, account_id: str, fresh: bool = False)"),
        ("self.store.get_account(", "find("),
    ],
)
def test_a_row_that_cannot_be_kept_in_memory_is_told_at_its_coupling(
    sources: Path, old: str, new: str
) -> None:
    spoil(sources / "domain/accounts.py", old, new)
    told = refusal(sources)
    assert re.match(r".*app\.yaml:\d+: couplings\.\d\.query: .*asks for it", told)


def test_an_error_that_app_yaml_does_not_know_is_said_where_it_is_imported(sources: Path) -> None:
    spoil(sources / "app.yaml", "Forbidden: 403, ", "")
    told = refusal(sources)
    assert "errors.py" not in told
    assert "Forbidden is not among the errors of app.yaml" in told


@pytest.mark.parametrize(("file", "key"), [("errors", "errors"), ("stores", "stores")])
def test_a_file_of_the_domain_that_is_missing_is_named(sources: Path, file: str, key: str) -> None:
    (sources / f"domain/{file}.py").unlink()
    told = refusal(sources)
    assert f": {key}: {sources}/domain/{file}.py: no such file" in told


def test_contexts_that_ask_one_another_in_a_circle_are_named(sources: Path) -> None:
    spoil(sources / "domain/accounts.py", "    store: AccountStore\n",
          "    store: AccountStore\n    jobs: Jobs\n")  # fmt: skip
    told = refusal(sources)
    assert re.search(r"contexts\.(\w+): (accounts|jobs) asks \w+ asks \2: none of them", told)


@pytest.mark.parametrize(
    ("text", "said"), [("since: 2024-13-01\n", "month must be"), ("a: [1\n", "expected")]
)
def test_what_is_no_yaml_is_said_with_its_line(sources: Path, text: str, said: str) -> None:
    path = sources / "app.yaml"
    before = path.read_text(encoding="utf-8")
    path.write_text(text + before if "2024" in text else before + text, encoding="utf-8")
    line = 1 if "2024" in text else len(before.splitlines()) + 2
    told = refusal(sources)
    assert told.startswith(f"{path}:{line}: not YAML: ")
    assert said in told
