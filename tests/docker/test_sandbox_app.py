"""The command `app`, in both kinds of sandbox, on a small app of two programs."""

import time

import pytest

from harness.sandbox import Command, Sandbox
from tests.sandboxes import shell, tar_of

TOML = """
[app]
entry = "edge"
[programs.edge]
module = "edge.main:app"
port = 8000
[programs.price-list]
module = "prices.main:app"
port = 8101
"""
EDGE = """
import os
import httpx
from fastapi import FastAPI
app = FastAPI()
@app.get("/health")
def health() -> dict: return {}
@app.get("/env")
def env() -> dict: return dict(os.environ) | {"cwd": os.getcwd()}
@app.get("/price")
def price() -> dict:
    print("asking", flush=True)
    return httpx.get(os.environ["PRICE_LIST_URL"] + "/price").json()
"""
PRICES = """
import os, pathlib
from fastapi import FastAPI
app = FastAPI()
count = pathlib.Path(os.environ["APP_DATA"]) / "count"
@app.get("/health")
def health() -> dict: return {}
@app.get("/price")
def price() -> dict:
    print("counting", flush=True)
    count.write_text(str(int(count.read_text() if count.exists() else 0) + 1))
    return {"price": 10, "count": int(count.read_text())}
"""
TEST = """
import os, httpx
URL = os.environ["APP_URL"]
def test_modes():
    env = httpx.get(URL + "/env").json()
    assert (env["APP_CLOCK"], env["APP_IDS"]) == ("request", "sequential")
def test_price():
    assert httpx.get(URL + "/price").json() == {"price": 10, "count": 1}
"""
FILES = {
    "app.toml": TOML,
    "edge/__init__.py": "",
    "edge/main.py": EDGE,
    "prices/__init__.py": "",
    "prices/main.py": PRICES,
    "tests/test_app.py": TEST,
}


@pytest.fixture
def app(sandbox: Sandbox) -> Sandbox:
    sandbox.put(tar_of(FILES), "/work")
    return sandbox


def get(app: Sandbox, path: str, port: int = 8000) -> dict:
    fetch = (
        f"import httpx; print(httpx.get('http://127.0.0.1:{port + app.port_offset}{path}').json())"
    )
    done = shell(app, f'python3 -c "{fetch}"')
    assert done.ok, done.stderr
    return eval(done.stdout)


def change(app: Sandbox, path: str, old: str, new: str) -> None:
    assert old in FILES[path]
    app.put(tar_of({path: FILES[path].replace(old, new)}), "/work")


def test_up_starts_every_program_and_says_where(app):
    done = shell(app, "app up")
    assert (done.code, done.stderr) == (0, "")
    first, second = (8000 + app.port_offset, 8101 + app.port_offset)
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["edge", f"http://127.0.0.1:{first}", "up"],
        ["price-list", f"http://127.0.0.1:{second}", "up"],
    ]
    assert get(app, "/price") == {"price": 10, "count": 1}


def test_programs_get_their_own_data_and_each_others_urls(app):
    shell(app, "app up")
    env = get(app, "/env")
    assert env["APP_DATA"] == f"{app.root}/tmp/app/data/edge"
    assert env["PRICE_LIST_URL"] == f"http://127.0.0.1:{8101 + app.port_offset}"
    assert (env["APP_CLOCK"], env["APP_IDS"]) == ("system", "random")
    assert env["cwd"] == f"{app.root}/work"


def test_modes_of_the_callers_environment_reach_the_programs(app):
    shell(app, "app up", env={"APP_CLOCK": "request", "APP_IDS": "sequential"})
    env = get(app, "/env")
    assert (env["APP_CLOCK"], env["APP_IDS"]) == ("request", "sequential")


def test_up_again_runs_the_current_code_and_keeps_the_data(app):
    shell(app, "app up")
    get(app, "/price")
    change(app, "prices/main.py", '"price": 10', '"price": 11')
    assert shell(app, "app up").ok
    assert get(app, "/price") == {"price": 11, "count": 2}


def test_up_fresh_starts_with_empty_data(app):
    shell(app, "app up")
    get(app, "/price")
    assert shell(app, "app up --fresh").ok
    assert get(app, "/price") == {"price": 10, "count": 1}


def test_the_workspace_stays_as_it_was(app):
    shell(app, "app up; app test; app down")
    assert shell(app, "find . -type f | sort").stdout.split() == sorted(
        f"./{path}" for path in FILES
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("import os, pathlib", "import os, pathlib\nraise RuntimeError('on import')", "on import"),
        ("import os, pathlib", "import os, pathlib, nowhere", "nowhere"),
        ("import os, pathlib", "import os, pathlib\nos.kill(os.getpid(), 9)", "signal 9"),
        ("app = FastAPI()", "app = FastAPI(lifespan=lambda app: 1 / 0)", "division by zero"),
    ],
)
def test_a_program_that_dies_is_noticed_at_once_with_the_end_of_its_log(app, old, new, said):
    shell(app, "app up")
    change(app, "prices/main.py", old, new)
    start = time.monotonic()
    done = shell(app, "app up --wait 60", timeout=90)
    assert time.monotonic() - start < 30
    assert done.code == 1
    assert "app: program price-list ended with" in done.stderr
    assert said in done.stderr
    assert shell(app, "app status").stdout.count("down") == 2


def test_a_program_that_stays_unhealthy_is_given_up_at_the_deadline(app):
    unhealthy = "from fastapi import Response\ndef health(): return Response(status_code=503)"
    change(app, "prices/main.py", "def health() -> dict: return {}", unhealthy)
    change(app, "prices/main.py", '@app.get("/health")\ndef health() -> dict: return {}', "")
    done = shell(app, "app up --wait 1")
    assert done.code == 1
    assert "program price-list is not healthy after 1 s (status 404)" in done.stderr


def test_a_program_may_take_a_while_to_become_healthy(app):
    late = "import time\nfrom fastapi import Response\nborn = time.monotonic()\n"
    late += "@app.get('/health')\ndef health(): "
    late += "return Response(status_code=200 if time.monotonic() > born + 0.5 else 503)"
    change(app, "prices/main.py", '@app.get("/health")\ndef health() -> dict: return {}', late)
    assert shell(app, "app up").ok


HOLD = """
import socket, sys, time
held = socket.socket()
held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
held.bind(("127.0.0.1", int(sys.argv[1])))
held.listen()
open("held", "w").write("yes")
time.sleep(60)
"""


def test_a_port_in_use_is_one_clear_line(app):
    port = 8101 + app.port_offset
    app.put(tar_of({"hold.py": HOLD}), "/work")
    assert shell(app, f"python3 hold.py {port} & until [ -s held ]; do sleep 0.02; done").ok
    done = shell(app, "app up")
    assert done.code == 2
    said = f"app: program price-list: cannot listen on port {port}: Address already in use\n"
    assert done.stderr == said


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('entry = "edge"', 'entry = "nobody"', "app.entry: 'nobody' is not one of"),
        ('entry = "edge"', 'entry = "price-list"', "programs.price-list.port: the entry's is 8000"),
        ("port = 8101", "port = 8000", "programs.price-list.port: edge has 8000 too"),
        ("port = 8101", "port = 80", "programs.price-list.port: 80 is not a port"),
        ("port = 8101", "", "programs.price-list.port: None is not a port"),
        ('"prices.main:app"', '"prices.main"', "programs.price-list.module: 'prices.main' is not"),
        ("port = 8101", "port = 8101\nworkers = 2", "programs.price-list.workers: is not known"),
        ("[app]", "[app", "app.toml: "),
        ("[programs.price-list]", "[programs.'Price List']", "programs.Price List: is no program"),
    ],
)
def test_a_bad_app_toml_is_one_clear_line(app, old, new, said):
    change(app, "app.toml", old, new)
    done = shell(app, "app up")
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr.startswith("app: app.toml: ")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_without_an_app_toml_there_is_one_clear_line(sandbox):
    done = shell(sandbox, "app up")
    assert done.code == 2
    assert done.stderr.startswith("app: no app.toml in ")


def test_app_works_from_a_folder_below(app):
    assert shell(app, "cd prices && app up").ok


def test_a_connection_may_be_idle_for_longer_than_a_server_likes(app):
    """6 s: the program's server would close it after five."""
    app.run(Command(("app", "up"), 60))
    ask = (
        "import http.client, time\n"
        f"there = http.client.HTTPConnection('127.0.0.1', {8000 + app.port_offset})\n"
        "for pause in (6, 0):\n"
        "    there.request('GET', '/health')\n"
        "    print(there.getresponse().read())\n"
        "    time.sleep(pause)\n"
        "    there.auto_open = False\n"
    )
    end = app.run(Command(("python3", "-c", ask), 60))
    assert (end.stdout, end.code) == ("b'{}'\nb'{}'\n", 0), end.stderr


def test_down_stops_every_program(app):
    shell(app, "app up")
    assert shell(app, "app status").ok
    assert shell(app, "app down").stdout == "stopped 2 programs\n"
    assert shell(app, "app status").code == 1
    assert not shell(app, f"echo > /dev/tcp/127.0.0.1/{8000 + app.port_offset}").ok


def test_status_says_how_a_program_ended(app):
    change(
        app, "prices/main.py", "return {}", "return {}\n@app.get('/die')\ndef die(): os._exit(7)"
    )
    shell(app, "app up")
    request = r"printf 'GET /die HTTP/1.0\r\n\r\n' >&3; cat <&3"
    shell(app, f"exec 3<>/dev/tcp/127.0.0.1/{8101 + app.port_offset}; {request}")
    done = shell(app, "app status")
    assert done.code == 1
    assert "down (exit code 7)" in done.stdout


def test_logs_of_all_programs_are_merged_in_time_order(app):
    shell(app, "app up")
    get(app, "/price")
    get(app, "/price")
    lines = shell(app, "app logs --lines 1000").stdout.splitlines()
    times = [line.split()[0] for line in lines]
    assert times == sorted(times)
    assert {line.split()[1] for line in lines} == {"edge", "price-list"}
    assert sum("price-list | counting" in line for line in lines) == 2
    assert len(shell(app, "app logs --lines 3").stdout.splitlines()) == 3
    only = shell(app, "app logs --program edge").stdout
    assert "price-list" not in only
    assert shell(app, "app logs --program nobody").code == 2


def test_logs_are_bounded(app):
    noisy = "print(('x' * 999 + chr(10)) * 12_000, flush=True)\napp = FastAPI()"
    change(app, "prices/main.py", "app = FastAPI()", noisy)
    assert shell(app, "app up").ok
    size = int(
        shell(app, "du -sk {root}/tmp/app/logs".replace("{root}", app.root)).stdout.split()[0]
    )
    assert 5_000 < size < 11_000


def test_test_runs_on_data_of_its_own_beside_what_runs(app):
    shell(app, "app up")
    assert get(app, "/price")["count"] == 1
    for _ in range(2):
        done = shell(app, "app test -q")
        assert done.ok, done.stdout + done.stderr
        assert "2 passed" in done.stdout
    assert get(app, "/price")["count"] == 2


def test_a_second_test_waits_for_the_first(app):
    done = shell(app, "app test -q & app test -q && wait $!", 60)
    assert done.ok, done.stdout + done.stderr
    assert done.stdout.count("2 passed") == 2


def test_test_passes_on_the_exit_code_and_arguments(app):
    change(app, "prices/main.py", '"price": 10', '"price": 11')
    assert shell(app, "app test").code == 1
    assert shell(app, "app test -q -k test_modes").ok
    assert shell(app, "app test tests/test_app.py::test_modes").ok
    assert shell(app, "app test -k nothing").code == 5


BORDERS = """
[importlinter]
root_packages =
    edge
    prices
[importlinter:contract:apart]
name = the edge asks for prices and imports none
type = forbidden
source_modules = edge
forbidden_modules = prices
"""


def test_test_holds_an_app_to_the_borders_that_it_draws_itself(app):
    app.put(tar_of({".importlinter": BORDERS}), "/work")
    kept = shell(app, "app test -q")
    assert (kept.code, kept.stderr) == (0, ""), kept.stdout
    assert kept.stdout.endswith("Contracts: 1 kept, 0 broken.\n")
    assert " KEPT" not in kept.stdout
    change(app, "edge/main.py", "import os\n", "import os\nimport prices\n")
    broken = shell(app, "app test -q")
    assert broken.code == 1
    assert "2 passed" in broken.stdout
    assert "edge.main -> prices (l.3)" in broken.stdout
    assert not shell(app, "ls -d .import_linter_cache */__pycache__").stdout
    assert shell(app, "rm .importlinter; app test -q").ok


PROGRAMS = """
import os
found = 0
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        found += os.readlink(f"/proc/{pid}/cwd") == os.getcwd() and int(pid) != os.getpid()
    except OSError:
        continue
print(found)
"""


def programs(app: Sandbox) -> int:
    """How many processes have the workspace as their folder, as programs do."""
    return int(app.run(Command(("python3", "-c", PROGRAMS), 10)).stdout)


def test_test_leaves_no_program_running_even_when_it_is_killed(app):
    shell(app, "app up")
    assert programs(app) == 2
    shell(app, "app test")
    assert programs(app) == 2
    shell(app, "app down")
    app.put(tar_of({"tests/test_app.py": "import time\ndef test_slow(): time.sleep(60)"}), "/work")
    assert shell(app, "app test", timeout=2).ending == "timeout"
    deadline = time.monotonic() + 5
    while programs(app) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert programs(app) == 0


def test_programs_started_in_a_command_that_timed_out_can_be_started_again(app):
    assert shell(app, "app up; sleep 60", timeout=3).ending == "timeout"
    assert shell(app, "app up").ok
    assert get(app, "/price")["price"] == 10


def test_programs_do_not_outlive_their_supervisor(app):
    shell(app, "app up")
    end = """
import os, signal
for pid in filter(str.isdigit, os.listdir("/proc")):
    if os.access(f"/proc/{pid}/cwd", os.R_OK) and int(pid) not in (os.getpid(), os.getppid()):
        if os.readlink(f"/proc/{pid}/cwd") == os.getcwd():
            parent = open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[1]
            os.kill(int(parent), signal.SIGKILL)
            break
"""
    assert app.run(Command(("python3", "-c", end), 10)).ok
    deadline = time.monotonic() + 10
    while programs(app) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert programs(app) == 0
    assert shell(app, "app up").ok
