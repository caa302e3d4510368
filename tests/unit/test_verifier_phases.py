"""The verifier as it is used: files sent as a tar, run as a module, against a real small app."""

import io
import json
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import PatchRefused, VerifierError
from harness.scoring.evidence import (
    BehaviourEvidence,
    ContractEvidence,
    InspectEvidence,
    ReplayEvidence,
    RestartEvidence,
    read_verdict,
)
from harness.scoring.job import Phase, argv, write_job
from harness.verifier.job import ContextGlobs, Settings
from harness.verifier.wire import NoAnswer, Wire
from tests.tars import unpack

APP = """
import contextlib, gzip, itertools, json, os, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PREFIX, SHIFT = sys.argv[1], int(sys.argv[2])
numbers = itertools.count(SHIFT + 1)
jobs = {}
CHUNKED = b"transfer-encoding: chunked\\r\\n\\r\\n"
BIT = b"x" * 1000
ENDLESS = {
    "/endless-head": (b"", b"x-more: " + BIT + b"\\r\\n"),
    "/endless-body": (b"\\r\\n", BIT),
    "/endless-chunks": (CHUNKED, b"3e8\\r\\n" + BIT + b"\\r\\n"),
    "/endless-chunk": (CHUNKED + b"ffffffff\\r\\n", BIT),
    "/endless-size": (CHUNKED, b"0" * 1000),
}

class App(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def tell(self, status, value, **headers):
        body = json.dumps(value).encode() if not isinstance(value, bytes) else value
        self.send_response(status)
        self.send_header("content-type", "application/json; charset=utf-8")
        if "transfer_encoding" not in headers:
            self.send_header("content-length", str(len(body)))
        for name, text in headers.items():
            self.send_header(name.replace("_", "-"), text)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        size = int(self.headers.get("content-length", 0))
        asked = json.loads(self.rfile.read(size) or b"{}")
        name = f"{PREFIX}_{next(numbers):04d}"
        price = asked.get("price", 1) * 2
        jobs[name] = {"id": name, "price": price, "title": asked.get("title")}
        self.tell(201, jobs[name])

    def do_GET(self):
        if self.path == "/hang":
            time.sleep(60)
        elif self.path == "/crash":
            os._exit(1)
        elif self.path == "/redirect":
            self.tell(302, {}, location="/health")
        elif self.path == "/chunks":
            body = b"3\\r\\nabc\\r\\n4;x=y\\r\\ndefg\\r\\n0\\r\\n\\r\\n"
            self.tell(200, body, transfer_encoding="chunked")
        elif self.path == "/big":
            self.tell(200, b"x" * 3_000_000)
        elif self.path == "/packed":
            body = gzip.compress(b"x" * 60_000_000, 1)
            self.tell(200, body, content_encoding="gzip")
        elif self.path == "/drip":
            self.send_response(200)
            self.end_headers()
            for _ in range(100):
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(0.05)
        elif self.path in ENDLESS:
            start, more = ENDLESS[self.path]
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.wfile.write(b"HTTP/1.1 200 OK\\r\\n" + start)
                while True:
                    self.wfile.write(more)
        elif self.path == "/openapi.json":
            self.tell(200, {"paths": {"/jobs": {"post": {"responses": {"201": {}}}}}})
        elif self.path.startswith("/jobs/"):
            found = jobs.get(self.path.rsplit("/", 1)[1])
            self.tell(200 if found else 404, found or {"detail": "no such job"})
        else:
            self.tell(200, {"ok": True})

server = ThreadingHTTPServer(("127.0.0.1", 0), App)
server.daemon_threads = True
print(server.server_port, flush=True)
server.serve_forever()
"""
SEQUENCES: list[dict[str, object]] = [
    {
        "name": "one job",
        "steps": [
            {
                "method": "POST",
                "path": "/jobs",
                "body": {"price": 3, "title": "about {nothing}"},
                "save": {"job": "id"},
            },
            {"method": "GET", "path": "/jobs/{job}"},
            {"method": "GET", "path": "/jobs/{unknown}"},
        ],
    },
    {"name": "health", "steps": [{"method": "GET", "path": "/health"}]},
]

StartApp = Callable[..., str]
Verify = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def start_app() -> Iterator[StartApp]:
    running = []

    def start(prefix: str = "job", shift: int = 0, source: str = APP) -> str:
        command = [sys.executable, "-c", source, prefix, str(shift)]
        app = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        running.append(app)
        assert app.stdout
        return f"http://127.0.0.1:{int(app.stdout.readline())}"

    yield start
    for app in running:
        app.kill()
        app.communicate()


@pytest.fixture
def verify(tmp_path: Path) -> Verify:
    def run(phase: Phase, settings: Settings, **files: object) -> subprocess.CompletedProcess[str]:
        folder = tmp_path / "tmp" / "job"
        with tarfile.open(fileobj=io.BytesIO(write_job(settings, **files))) as tar:  # type: ignore[arg-type]
            unpack(tar, folder)
        command = argv(phase, str(tmp_path), sys.executable)
        environment = {"PYTHONPATH": str(folder / "lib"), "PATH": "/usr/bin:/bin"}
        return subprocess.run(
            command,
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def behaviour_of(done: subprocess.CompletedProcess[str]) -> BehaviourEvidence:
    return read_verdict(BehaviourEvidence, done.stdout, done.returncode, done.stderr)


def contract_of(done: subprocess.CompletedProcess[str]) -> ContractEvidence:
    return read_verdict(ContractEvidence, done.stdout, done.returncode, done.stderr)


def replay_of(done: subprocess.CompletedProcess[str]) -> ReplayEvidence:
    return read_verdict(ReplayEvidence, done.stdout, done.returncode, done.stderr)


def restart_of(done: subprocess.CompletedProcess[str]) -> RestartEvidence:
    return read_verdict(RestartEvidence, done.stdout, done.returncode, done.stderr)


HIDDEN = b"""
import os, httpx, pytest
URL = os.environ["APP_URL"]

def test_answers():
    assert httpx.get(URL + "/health").json() == {"ok": True}

@pytest.mark.context("accounts")
def test_marked():
    print('{"phase": "behaviour", "tests": []}')
    assert httpx.get(URL + "/health").status_code == 204, "wrong status"

@pytest.fixture
def broken():
    raise RuntimeError("no fixture")

def test_error(broken):
    pass

def test_skipped():
    pytest.skip("not now")

@pytest.mark.xfail
def test_expected_to_fail():
    assert False
"""


def test_behaviour_tells_outcome_context_and_message_of_every_test(
    start_app: StartApp, verify: Verify
) -> None:
    settings = Settings(app_url=start_app(), contexts={"jobs": ContextGlobs()})
    suite = {"test_jobs_basic.py": HIDDEN}
    told = behaviour_of(verify("behaviour", settings, hidden=suite))
    by_name = {t.test.split("::")[1]: (t.outcome, t.context, t.message) for t in told.tests}
    assert by_name == {
        "test_answers": ("passed", "jobs", None),
        "test_marked": ("failed", "accounts", "AssertionError: wrong status"),
        "test_error": ("error", "jobs", "setup: RuntimeError: no fixture"),
        "test_skipped": ("skipped", "jobs", "Skipped: not now"),
        "test_expected_to_fail": ("skipped", "jobs", "expected to fail"),
    }
    assert (told.collected, told.exit_code) == (5, 1)


def test_an_urgent_context_goes_first_and_the_first_failure_is_the_last_test(
    start_app: StartApp, verify: Verify
) -> None:
    contexts = {"accounts": ContextGlobs(), "jobs": ContextGlobs()}
    settings = Settings(app_url=start_app(), contexts=contexts, urgent="jobs")
    bad = b"def test_good(): pass\ndef test_bad(): assert 0\ndef test_late(): pass\n"
    suite = {"test_accounts.py": b"def test_it():\n    pass\n", "test_jobs.py": bad}
    told = behaviour_of(verify("behaviour", settings, contract=suite))
    assert [(t.test.split("::")[1], t.outcome, t.message) for t in told.tests] == [
        ("test_good", "passed", None),
        ("test_bad", "failed", "assert 0"),
        ("test_late", "error", "did not run"),
        ("test_it", "error", "did not run"),
    ]
    assert told.exit_code == 1


def test_behaviour_runs_both_suites_even_when_files_share_a_name(
    start_app: StartApp, verify: Verify
) -> None:
    test = b"from words import OK\n\ndef test_it():\n    assert OK\n"
    files = {"test_jobs.py": test, "words.py": b"OK = True\n"}
    done = verify("behaviour", Settings(app_url=start_app()), hidden=files, contract=files)
    assert [t.test for t in behaviour_of(done).tests] == [
        "hidden/test_jobs.py::test_it",
        "contract/test_jobs.py::test_it",
    ]


@pytest.mark.parametrize(
    "suite", [{}, {"test_a.py": b"x = 1\n"}, {"test_a.py": b"import nowhere\n"}]
)
def test_a_suite_that_collects_nothing_is_a_verifier_error(
    verify: Verify, suite: dict[str, bytes]
) -> None:
    done = verify("behaviour", Settings(), hidden=suite)
    assert done.returncode == 3
    with pytest.raises(
        VerifierError, match="behaviour: exit code 3: verifier: behaviour: the suite"
    ):
        behaviour_of(done)


def test_a_hanging_app_fails_its_test_and_the_others_still_run(
    start_app: StartApp, verify: Verify
) -> None:
    suite = b"""
import os, urllib.request

def get(path):
    return urllib.request.urlopen(os.environ["APP_URL"] + path).status

def test_hangs():
    try:
        get("/hang")
    except BaseException:
        get("/hang")

def test_goes_on():
    assert get("/health") == 200
"""
    settings = Settings(app_url=start_app(), test_seconds=0.5)
    told = behaviour_of(verify("behaviour", settings, hidden={"test_a.py": suite}))
    assert [t.outcome for t in told.tests] == ["failed", "passed"]
    assert told.tests[0].message == "Failed: ran out of time"


def test_after_the_deadline_the_rest_of_the_suite_fails(
    start_app: StartApp, verify: Verify
) -> None:
    suite = b"import time\nimport pytest\n\n@pytest.mark.parametrize('n', range(50))\n"
    suite += b"def test_slow(n):\n    time.sleep(0.2)\n"
    settings = Settings(app_url=start_app(), suite_seconds=1.0)
    told = behaviour_of(verify("behaviour", settings, hidden={"test_a.py": suite}))
    assert told.collected == 50
    assert told.tests[0].outcome == "passed"
    assert told.tests[-1].outcome == "error"
    assert "time was over" in (told.tests[-1].message or "")


def test_a_crashing_app_gives_failing_tests(start_app: StartApp, verify: Verify) -> None:
    suite = (
        b"import os, httpx\n\ndef test_crash():\n    httpx.get(os.environ['APP_URL'] + '/crash')\n"
    )
    suite += b"\ndef test_after():\n    httpx.get(os.environ['APP_URL'] + '/health')\n"
    told = behaviour_of(
        verify("behaviour", Settings(app_url=start_app()), hidden={"test_a.py": suite})
    )
    assert [t.outcome for t in told.tests] == ["failed", "failed"]


def test_an_answer_of_any_size_packed_or_not_fails_its_test_alone(
    start_app: StartApp, verify: Verify
) -> None:
    suite = b"""
import os, httpx, pytest

client = httpx.Client(base_url=os.environ["APP_URL"], timeout=60)

@pytest.mark.parametrize("path", ["/big", "/packed", "/health"])
def test_it(path):
    assert client.get(path).status_code == 200

def test_alone():
    assert httpx.get(os.environ["APP_URL"] + "/packed", timeout=60).status_code == 200

def test_memory():
    # Of this process since it began; the one that getrusage tells may be its parent's.
    with open("/proc/self/status") as told:
        most = next(line for line in told if line.startswith("VmHWM"))
    assert int(most.split()[1]) < 120_000
"""
    settings = Settings(app_url=start_app(), test_seconds=60)
    told = behaviour_of(verify("behaviour", settings, hidden={"test_a.py": suite}))
    assert [(t.outcome, t.message) for t in told.tests] == [
        ("failed", "httpx.DecodingError: the answer is larger than 1000000 bytes"),
        ("failed", "httpx.DecodingError: the answer is packed unasked: gzip"),
        ("passed", None),
        ("failed", "httpx.DecodingError: the answer is packed unasked: gzip"),
        ("passed", None),
    ]


def test_a_conftest_of_the_tree_is_never_loaded(start_app: StartApp, verify: Verify) -> None:
    hostile = {"conftest.py": b"raise SystemExit(0)\n", "test_x.py": b"raise SystemExit(0)\n"}
    done = verify(
        "behaviour",
        Settings(app_url=start_app()),
        tree=hostile,
        hidden={"test_a.py": b"def test_ok():\n    pass\n"},
    )
    assert [t.outcome for t in behaviour_of(done).tests] == ["passed"]


def test_replay_records_and_then_finds_the_same_app_the_same(
    start_app: StartApp, verify: Verify
) -> None:
    sequences = json.dumps(SEQUENCES).encode()
    settings = Settings(app_url=start_app(), id_pattern=r"\b[a-z]+_\d+\b")
    recorded = replay_of(verify("replay", settings, sequences=sequences))
    assert (recorded.mode, recorded.calls, recorded.sequences) == ("record", 4, 2)
    other = replace(settings, app_url=start_app(shift=700))
    told = replay_of(verify("replay", other, sequences=sequences, expected=recorded.answers))
    assert (told.mode, told.difference, told.sequences) == ("compare", None, 2)
    assert (recorded.looks, told.looks) == (0, 3)


def test_what_an_app_forgets_between_two_starts_is_told_and_what_it_keeps_is_not(
    start_app: StartApp, verify: Verify
) -> None:
    sequences = json.dumps(SEQUENCES).encode()
    settings = Settings(app_url=start_app())
    expected = replay_of(verify("replay", settings, sequences=sequences)).answers
    again = replace(settings, app_url=start_app())
    assert verify("restart", again).returncode == 3  # nothing was looked at before
    verify("replay", again, sequences=sequences, expected=expected)
    kept = restart_of(verify("restart", again))
    assert (kept.difference, kept.looks, kept.looks_total) == (None, 3, 3)
    forgot = restart_of(verify("restart", replace(settings, app_url=start_app())))
    assert forgot.looks == 1
    assert forgot.difference is not None
    assert forgot.difference.sequence == "one job"
    assert forgot.difference.request == "GET /jobs/job_0001"
    assert forgot.difference.what == "status 404 where the app before it answers 200"


def test_replay_stops_at_the_first_difference_and_says_what_it_is(
    start_app: StartApp, verify: Verify
) -> None:
    sequences = json.dumps(SEQUENCES).encode()
    settings = Settings(app_url=start_app(), id_pattern=r"\b[a-z]+_\d+\b")
    expected = replay_of(verify("replay", settings, sequences=sequences)).answers
    broken = replace(settings, app_url=start_app(source=APP.replace("* 2", "* 2.0")))
    told = replay_of(verify("replay", broken, sequences=sequences, expected=expected))
    assert told.sequences == 1
    assert told.difference is not None
    assert told.difference.step == 1
    assert told.difference.what == "body.price is 6.0 where the base has 6"
    assert '"id": "<job#1>"' in told.difference.got.body
    allowed = replace(broken, differs=("POST /jobs price", "GET /jobs/{id} price"))
    again = replay_of(verify("replay", allowed, sequences=sequences, expected=expected))
    assert again.difference is None


def test_a_dead_app_differs_and_cannot_be_recorded(start_app: StartApp, verify: Verify) -> None:
    sequences = json.dumps(SEQUENCES).encode()
    settings = Settings(app_url=start_app())
    expected = replay_of(verify("replay", settings, sequences=sequences)).answers
    dead = replace(settings, app_url="http://127.0.0.1:9")
    told = replay_of(verify("replay", dead, sequences=sequences, expected=expected))
    assert told.difference is not None
    assert told.difference.what.startswith("status 0 (no answer: ")
    done = verify("replay", dead, sequences=sequences)  # expected.json is still there
    assert replay_of(done).difference is not None


def test_a_replay_that_takes_too_long_differs_and_asks_no_more(
    start_app: StartApp, verify: Verify
) -> None:
    sequences = json.dumps(SEQUENCES).encode()
    settings = Settings(app_url=start_app())
    expected = replay_of(verify("replay", settings, sequences=sequences)).answers
    body = "        body = json.dumps(value)"
    source = APP.replace(body, f"        time.sleep(0.3)\n{body}")
    slow = replace(settings, app_url=start_app(source=source), replay_seconds=0.5)
    told = replay_of(verify("replay", slow, sequences=sequences, expected=expected))
    assert told.difference is not None
    assert told.difference.what.startswith("status 0 (replay took longer than 0.5 s) where the ")
    assert told.calls <= 2


def test_recording_a_dead_app_is_an_error(verify: Verify) -> None:
    dead = Settings(app_url="http://127.0.0.1:9")
    done = verify("replay", dead, sequences=json.dumps(SEQUENCES).encode())
    with pytest.raises(VerifierError, match="nothing to record at sequence 'one job' step 1"):
        replay_of(done)


def test_contract_records_compares_and_misses_a_program(
    start_app: StartApp, verify: Verify
) -> None:
    port = int(start_app().rsplit(":", 1)[1])
    declared = f'[programs.edge]\nmodule = "edge:app"\nport = {port - 10}\n'
    settings = Settings(port_offset=10)
    tree = {"app.toml": declared.encode()}
    done = verify("contract", settings, tree=tree)
    recorded = contract_of(done)
    assert (recorded.mode, recorded.programs, recorded.operations) == ("record", ["edge"], 1)
    documents: dict[str, object] = {**(recorded.documents or {}), "accounts": {"paths": {}}}
    done = verify("contract", replace(settings, documents=documents), tree=tree)
    told = contract_of(done)
    assert told.breaks == ["accounts: the program is gone"]


def test_a_path_that_a_document_names_and_nothing_answers_is_a_break(
    start_app: StartApp, verify: Verify
) -> None:
    recites = APP.replace('{"/jobs":', '{"/prices/{name}": {"get": {}}, "/jobs":')
    routes = (
        "    def do_TRACE(self):\n        self.tell(405 if self.path in {paths} else 404, {{}})\n\n"
    )

    def keeps(*paths: str) -> dict[str, bytes]:
        source = recites.replace("    def do_GET", routes.format(paths=paths) + "    def do_GET")
        port = int(start_app(source=source).rsplit(":", 1)[1])
        return {"app.toml": f'[programs.edge]\nmodule = "edge:app"\nport = {port}\n'.encode()}

    def breaks(documents: dict[str, object] | None, *paths: str) -> list[str]:
        settings = Settings(documents=documents)
        return contract_of(verify("contract", settings, tree=keeps(*paths))).breaks

    both = contract_of(verify("contract", Settings(), tree=keeps("/jobs", "/prices/0"))).documents
    told = "edge: /prices/{name}: the document names it and nothing is there"
    assert breaks(both, "/jobs", "/prices/0") == []
    assert breaks(both, "/jobs") == [told]
    # What the base itself does not answer is no break.
    one = contract_of(verify("contract", Settings(), tree=keeps("/jobs"))).documents
    assert breaks(one, "/jobs") == []
    assert breaks(one) == ["edge: /jobs: the document names it and nothing is there"]


@pytest.mark.parametrize("trace", ["self.close_connection = True", "time.sleep(60)"])
def test_a_path_where_the_program_hangs_up_or_stalls_is_a_break_and_the_last_one_asked(
    start_app: StartApp, verify: Verify, trace: str
) -> None:
    recites = APP.replace('{"/jobs":', '{"/prices/{name}": {"get": {}}, "/jobs":')
    source = recites.replace(
        "    def do_GET", f"    def do_TRACE(self):\n        {trace}\n\n    def do_GET"
    )
    port = int(start_app(source=source).rsplit(":", 1)[1])
    tree = {"app.toml": f'[programs.edge]\nmodule = "edge:app"\nport = {port}\n'.encode()}
    paths = {"/jobs": {"post": {}}, "/prices/{name}": {"get": {}}}
    settings = Settings(documents={"edge": {"paths": paths}}, document_seconds=1.0)
    told = contract_of(verify("contract", settings, tree=tree)).breaks
    assert told == ["edge: /jobs: the document names it and nothing is there"]


def test_documents_are_bounded_together_and_those_of_further_programs_are_not_read(
    start_app: StartApp, verify: Verify
) -> None:
    large = APP.replace('{"paths": {"/jobs":', '{"x": "x" * 9_000_000, "paths": {"/jobs":')
    hangs = APP.replace('"/openapi.json":', '"/openapi.json" and not time.sleep(60):')
    ports = [int(start_app(source=source).rsplit(":", 1)[1]) for source in (hangs, large, large)]
    names = ["further", "one", "two"]
    toml = "".join(
        f"[programs.{name}]\nport = {port}\n" for name, port in zip(names, ports, strict=True)
    )
    documents: dict[str, object] = {name: {"paths": {"/jobs": {"post": {}}}} for name in names[1:]}
    settings = Settings(documents=documents, documents_seconds=30.0, document_seconds=20.0)
    told = contract_of(verify("contract", settings, tree={"app.toml": toml.encode()}))
    assert len(told.breaks) == 1
    assert told.breaks[0].startswith("two: the answer is larger than 6999")


def test_programs_that_stall_over_their_description_are_breaks_in_bounded_time(
    start_app: StartApp, verify: Verify
) -> None:
    stalled = APP.replace('"/openapi.json":', '"/openapi.json" and not time.sleep(60):')
    ports = [int(start_app(source=source).rsplit(":", 1)[1]) for source in (stalled, APP, APP)]
    names = ["stalled", "patient", "late"]
    toml = "".join(
        f"[programs.{name}]\nport = {port}\n" for name, port in zip(names, ports, strict=True)
    )
    documents: dict[str, object] = {name: {"paths": {"/jobs": {"post": {}}}} for name in names}
    settings = Settings(documents=documents, document_seconds=0.5, documents_seconds=30.0)
    told = contract_of(verify("contract", settings, tree={"app.toml": toml.encode()}))
    assert told.breaks == ["stalled: no answer within 0.5 s"]
    settings = replace(settings, documents_seconds=0.3)
    told = contract_of(verify("contract", settings, tree={"app.toml": toml.encode()}))
    assert [each.partition(":")[0] for each in told.breaks] == sorted(names)
    assert told.breaks[1] == "patient: was not asked: the others took all the time there is"


@pytest.mark.parametrize(
    "toml", [b"[programs.edge]\nport = 'x'\n", b"\xff", b"programs = 3\n", b"[programs.edge]\n"]
)
def test_a_hostile_app_toml_is_a_break_not_an_error(verify: Verify, toml: bytes) -> None:
    documents: dict[str, object] = {"edge": {"paths": {"/a": {"get": {}}}}}
    done = verify("contract", Settings(documents=documents), tree={"app.toml": toml})
    told = contract_of(done)
    assert len(told.breaks) == 1
    assert told.breaks[0].startswith("edge: app.toml: ")


def test_inspect_gives_structure_integrity_and_effort(verify: Verify) -> None:
    predicates = b"""
from verifier.tree import Tree, branches_on

def no_branch(tree: Tree) -> str | None:
    price = tree.context("catalogue").function("price")
    return f"{price} branches on tier" if branches_on(price.node, ["tier"]) else None
"""
    base = {
        "shop/price.py": b"def price(tier):\n    if tier == 1:\n        return 2\n    return 3\n"
    }
    tree = {"shop/price.py": b"TABLE = {1: 2}\n\ndef price(tier):\n    return TABLE.get(tier, 3)\n"}
    settings = Settings(
        contexts={"catalogue": ContextGlobs(domain=("shop/**",))}, predicates=("no_branch",)
    )
    for new, holds in ((base, False), (tree, True)):
        done = verify("inspect", settings, base=base, tree=new, predicates=predicates)
        told = read_verdict(InspectEvidence, done.stdout, done.returncode, done.stderr)
        assert [p.holds for p in told.structure] == [holds]
        assert told.integrity == []
    assert told.structure[0].reason is None
    assert (told.effort.total.added, told.effort.total.deleted) == (2, 3)
    assert told.effort.contexts["catalogue"].files == 1
    assert told.quality is not None
    assert told.quality.before.asked == {"catalogue": []}
    sides = (told.quality.before, told.quality.after)
    assert [(side.complexities, side.lines) for side in sides] == [([1], 4), ([0], 3)]


@pytest.mark.parametrize(
    "code", [b"def (\n", b"x = " + b"(" * 9000], ids=["no Python", "too deep to parse"]
)
def test_code_that_cannot_be_parsed_has_effort_and_no_quality(verify: Verify, code: bytes) -> None:
    done = verify("inspect", Settings(), base={"a.py": b"x = 1\n"}, tree={"a.py": code})
    told = read_verdict(InspectEvidence, done.stdout, done.returncode, done.stderr)
    assert told.quality is None
    assert told.counted is not None
    assert told.counted.total.changed == 2


def test_a_number_that_python_does_not_write_costs_nothing(verify: Verify) -> None:
    long = (
        b"class A:\n    x = 0x" + b"f" * 4000 + b"\ndef f():\n    return 0x" + b"f" * 4000 + b"\n"
    )
    done = verify("inspect", Settings(), base={"a.py": b"x = 1\n"}, tree={"a.py": long})
    told = read_verdict(InspectEvidence, done.stdout, done.returncode, done.stderr)
    assert told.quality is not None
    assert told.quality.after.complexities == [0]


def test_quality_that_goes_too_deep_costs_no_effort(verify: Verify) -> None:
    deep = b"def f():\n    return " + b"-" * 900 + b"1\n"
    done = verify("inspect", Settings(), base={"a.py": b"x = 1\n"}, tree={"a.py": deep})
    told = read_verdict(InspectEvidence, done.stdout, done.returncode, done.stderr)
    assert told.quality is None
    assert told.counted is not None


def test_effort_that_ran_out_of_time_is_no_count(verify: Verify) -> None:
    done = verify("inspect", Settings(inspect_seconds=0.0), base={}, tree={"a.py": b"x = 1\n"})
    told = read_verdict(InspectEvidence, done.stdout, done.returncode, done.stderr)
    assert told.counted is None
    assert told.integrity == ["the tree could not be inspected: ran out of time"]


def test_half_a_surrogate_pair_in_code_or_an_answer_is_told_and_costs_no_verdict(
    start_app: StartApp, verify: Verify
) -> None:
    tree = {"a.py": b"URL = 'http://evil\\ud800.io/'\n"}
    done = verify("inspect", Settings(), base={}, tree=tree)
    told = read_verdict(InspectEvidence, done.stdout, done.returncode, done.stderr)
    assert told.integrity == ["a.py:1: reaches beyond loopback: evil?.io"]

    sequences = json.dumps(SEQUENCES).encode()
    settings = Settings(app_url=start_app())
    expected = replay_of(verify("replay", settings, sequences=sequences)).answers
    source = APP.replace('{"ok": True}', '{"ok": True, "\\ud800": 1}')
    odd = replace(settings, app_url=start_app(source=source))
    found = replay_of(verify("replay", odd, sequences=sequences, expected=expected)).difference
    assert found is not None
    assert found.what == "body.? is new"


@pytest.mark.parametrize("path", ["../x", "/etc/x", "a/../../x", ""])
def test_a_path_that_leaves_the_tree_is_refused(path: str) -> None:
    with pytest.raises(PatchRefused, match="leaves the tree"):
        write_job(Settings(), tree={path: b""})


def test_a_job_is_the_same_bytes_each_time() -> None:
    assert write_job(Settings(), tree={"a": b"1"}) == write_job(Settings(), tree={"a": b"1"})


def test_an_unknown_phase_or_setting_gives_no_verdict(verify: Verify, tmp_path: Path) -> None:
    assert verify("guess", Settings()).returncode == 2
    write = Settings().to_json().replace("app_url", "app_uri")
    (tmp_path / "tmp" / "job" / "job.json").write_text(write)
    lib = str(tmp_path / "tmp" / "job" / "lib")
    command = [sys.executable, "-s", "-P", "-m", "verifier", "inspect", str(tmp_path / "tmp/job")]
    done = subprocess.run(
        command, env={"PYTHONPATH": lib}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert done.stderr == "verifier: inspect: job.json: unknown setting 'app_uri'\n"


def test_the_wire_keeps_its_connection_reads_chunks_and_follows_no_redirect(
    start_app: StartApp,
) -> None:
    wire = Wire(start_app(), seconds=5, limit=1_000_000)
    assert wire.call("GET", "/chunks", {}).body == b"abcdefg"
    first = wire._socket  # the kept connection is what is tested
    assert wire.call("GET", "/redirect", {}).status == 302
    assert wire._socket is first
    assert wire.call("GET", "/health", {}).content_type == "application/json"
    wire.close()


@pytest.mark.parametrize(
    ("path", "why"), [("/big", "larger than"), ("/drip", "within 0.5"), ("/hang", "within 0.5")]
)
def test_the_wire_bounds_size_and_time(start_app: StartApp, path: str, why: str) -> None:
    wire = Wire(start_app(), seconds=0.5, limit=1_000_000)
    began = time.monotonic()
    with pytest.raises(NoAnswer, match=why):
        wire.call("GET", path, {})
    assert time.monotonic() - began < 3
    assert wire.call("GET", "/health", {}).status == 200
    wire.close()


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/endless-head", "the head of the answer is too large"),
        ("/endless-body", "larger than 1000000 bytes"),
        ("/endless-chunks", "larger than 1000000 bytes"),
        ("/endless-chunk", "larger than 1000000 bytes"),
        ("/endless-size", "larger than 1000000 bytes"),
    ],
)
def test_an_answer_without_a_length_or_an_end_is_given_up_long_before_the_time_is_over(
    start_app: StartApp, path: str, why: str
) -> None:
    wire = Wire(start_app(), seconds=3, limit=1_000_000)
    began = time.monotonic()
    with pytest.raises(NoAnswer, match=why):
        wire.call("GET", path, {})
    assert time.monotonic() - began < 1.5
    assert wire.call("GET", "/health", {}).status == 200
    wire.close()
