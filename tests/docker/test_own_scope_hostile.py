"""An agent of scope `own` that wants to read what it is not shown, and what it gets instead."""

import hashlib
import json
from collections.abc import Iterator

import pytest

from harness.sandbox import Sandbox, Sandboxes
from tests.own_scope import MODULES, SERVICES, Place, place
from tests.sandboxes import shell, tar_of

pytestmark = pytest.mark.docker

# grep ends a file's last line where cat would join it to the next file's first.
FILES = r"""
find / -xdev \( -path /proc -o -path /usr -o -path /opt/venv -o -path /var/lib \) -prune \
    -o -type f -print0 2>/dev/null | xargs -0 grep -ah '' 2>/dev/null
find /work /run /tmp /home /dev/shm -type f -print0 2>/dev/null | xargs -0 grep -ahs ''
"""
WORDS = "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null"
OPENED = r"""
find /proc/[0-9]*/fd /proc/[0-9]*/map_files -xtype f -print0 2>/dev/null | xargs -0 cat 2>/dev/null
"""
FOLDERS = "cat /proc/[0-9]*/cwd/* /proc/[0-9]*/root/run/app/data/*/*/* 2>/dev/null"
# Each line has its time before it.
LOG_FILES = r"find /run/app \( -name '*.log' -o -name '*.older' \) -exec cat {} + | cut -d' ' -f2-"
MEMORY = r"""
import ctypes, os, re
libc = ctypes.CDLL(None, use_errno=True)
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        if int(pid) == os.getpid() or "look.py" in open(f"/proc/{pid}/cmdline").read():
            continue
        said = f"{pid} attached" if libc.ptrace(0x4206, int(pid), 0, 0) == 0 else f"{pid} refused"
        maps = [line for line in open(f"/proc/{pid}/maps") if " rw-p " in line]
        memory = open(f"/proc/{pid}/mem", "rb", 0)
    except OSError as error:
        print(pid, error.strerror)
        continue
    print(said)
    for line in maps:
        first, last = (int(word, 16) for word in re.match(r"(\w+)-(\w+)", line).groups())
        try:
            memory.seek(first)
            os.write(1, memory.read(last - first))
        except (OSError, ValueError, OverflowError):
            continue
"""
DESCRIPTORS = r"""
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
for pid in filter(str.isdigit, os.listdir("/proc")):
    handle = libc.syscall(434, int(pid), 0)  # pidfd_open
    for number in range(3, 12):
        fd = libc.syscall(438, handle, number, 0)  # pidfd_getfd
        if fd >= 0 and int(pid) != os.getpid():
            try:
                os.write(1, os.pread(fd, 1 << 20, 0) + b"\n")
            except OSError:  # a pipe or a socket has no place to read from
                continue
"""
PEEK = '''
import gc, inspect, linecache, os, pathlib, pkgutil, sys
def peek():
    """Whatever code objects, text and files this process can see."""
    found = [f"user {os.getuid()} {os.geteuid()}"]
    for module in ("accounts.service", "atelier.jobs.service"):
        try:
            seen = __import__(module, fromlist=["x"])
            found.append(f"imported {module}")
            found.append(inspect.getsource(seen))
        except BaseException as error:
            found.append(f"{module}: {type(error).__name__}")
    try:
        found.append(pkgutil.get_data("accounts", "service.py").decode())
    except BaseException as error:
        found.append(type(error).__name__)
    found += [str(linecache.getlines(each)) for each in ("/work/accounts/service.py", )]
    functions = [each for each in gc.get_objects() if hasattr(each, "__code__")]
    found += sorted({f"code {each.__code__.co_filename}" for each in functions})
    try:
        for number in os.listdir("/proc/self/fd"):
            found.append(f"opened {os.readlink('/proc/self/fd/' + number)}")
    except OSError as error:
        found.append(type(error).__name__)
    pathlib.Path("/tmp/peeked").open("a").write("\\n".join(found) + "\\n")
'''
LOOK = r"""
import hashlib, re, sys
known = set(open("/home/agent/digests").read().split())
found = set()
for line in sys.stdin.buffer:
    for part in line.split(b"\0"):
        for text in {part.strip(), part.rpartition(b" | ")[2].strip()}:
            if 24 < len(text) < 400 and hashlib.sha256(text).hexdigest() in known:
                found.add(text)
for text in sorted(found):
    print(text.decode())
"""
CROWD = """
import socket
peers = []
for number in range(200):
    peer = socket.socket(socket.AF_UNIX)
    peer.connect("/run/app/supervisor.sock")
    peer.send(b"{")
    peers.append(peer)
"""
HOLD = """
import json, os, pathlib, subprocess, time
with open("lines") as file:
    lines = json.load(file)
os.remove("lines")
subprocess.Popen(["bash", "-c", "sleep 600; true", lines["words"]])
for name in ("opened", "descriptors"):
    taken = os.open(name, os.O_RDWR | os.O_CREAT)
    os.write(taken, f"\\n{lines[name]}\\n".encode())
    os.unlink(name)
held = lines["memory"] + "\\n"
pathlib.Path("ready").touch()
time.sleep(600)
"""
PLANTED = ("sitecustomize", "usercustomize", "uvloop", "orjson", "email_validator")
ASK = r"""
import json, socket, sys
peer = socket.socket(socket.AF_UNIX)
peer.settimeout(20)
peer.connect("/run/app/supervisor.sock")
for line in sys.stdin.buffer:
    peer.sendall(line)
    try:
        print((peer.recv(1 << 16) or b"closed\n").decode(), end="")
    except OSError:
        print("closed")
        break
"""


@pytest.fixture(scope="module", params=[SERVICES, MODULES], ids=["services", "modules"])
def where(request: pytest.FixtureRequest) -> Place:
    return place(*request.param)


@pytest.fixture(scope="module")
def sandbox(where: Place, containers: Sandboxes) -> Iterator[Sandbox]:
    with where.opened(containers) as opened:
        opened.put(tar_of({"memory.py": MEMORY, "descriptors.py": DESCRIPTORS, "ask.py": ASK}),
                   "/home/agent")  # fmt: skip
        yield opened


@pytest.fixture
def services(containers: Sandboxes) -> Iterator[Sandbox]:
    """Of one test alone: it changes what is there."""
    with place(*SERVICES).opened(containers) as opened:
        opened.put(tar_of({"ask.py": ASK}), "/home/agent")
        yield opened


def seen(sandbox: Sandbox, where: Place, searches: dict[str, str]) -> dict[str, list[str]]:
    """The hidden lines that scripts print.

    They are known by digest, so that no search finds them in what does the looking.
    """
    digests = "\n".join(hashlib.sha256(line.encode()).hexdigest() for line in where.secrets)
    sandbox.put(tar_of({"digests": digests, "look.py": LOOK}), "/home/agent")
    found = {}
    for name, script in searches.items():
        end = shell(sandbox, f"({script}) 2>&1 | python3 /home/agent/look.py", 120)
        assert (end.ending, end.code, end.stderr) == ("exit", 0, ""), name
        found |= {name: end.stdout.splitlines()} if end.stdout else {}
    return found


def ask(sandbox: Sandbox, *requests: object) -> list[dict[str, object]]:
    lines = "".join(json.dumps(each) + "\n" for each in requests)
    end = shell(sandbox, "python3 /home/agent/ask.py", stdin=lines.encode())
    return [json.loads(line) if line != "closed" else {"closed": True}
            for line in end.stdout.splitlines()]  # fmt: skip


def request(**changes: object) -> dict[str, object]:
    usual = {"do": "start", "set": "main", "workspace": "/work", "fresh": True, "tied": False,
             "programs": [["edge", "edge.main:app", 8000]], "env": {},
             "data": "/tmp/x", "logs": "/tmp/y"}  # fmt: skip
    return usual | changes


SEARCHES = {
    "files": FILES,
    "words": WORDS,
    "opened": OPENED,
    "folders": FOLDERS,
    "memory": "python3 /home/agent/memory.py",
    "descriptors": "python3 /home/agent/descriptors.py",
    "history": "git log --all -p | sed 's/^[-+ ]//'",
    "objects": "git cat-file --batch-all-objects --batch",
    "logs": "app logs --lines 100000; app logs --test --lines 100000",
    "log files": LOG_FILES,
}


@pytest.mark.parametrize("moment", ["before", "during", "after"])
def test_no_search_finds_a_hidden_line(sandbox: Sandbox, where: Place, moment: str) -> None:
    if moment == "during":
        assert shell(sandbox, "app up --wait 90", 120).ok
    if moment == "after":
        shell(sandbox, "app test -q tests/test_jobs.py; app up; app down", 120)
    assert seen(sandbox, where, SEARCHES) == {}


def test_each_search_would_find_a_line_that_is_there(containers: Sandboxes, where: Place) -> None:
    lines = dict(zip(SEARCHES, sorted(where.secrets), strict=False))
    main = "edge/main.py" if where.arm == "microservices" else "atelier/main.py"
    held = {name: lines[name] for name in ("words", "opened", "descriptors", "memory")}
    files = {
        "found": lines["files"],
        "folder": f"\n{lines['folders']}\n",
        "history": lines["history"],
        "objects": lines["objects"],
        "said": f"{lines['logs']}\n{lines['log files']}\n",
        "lines": json.dumps(held),
        "hold.py": HOLD,
    }
    plant = f"""
    echo "print(open('/tmp/there/said').read(), flush=True)" >> {main}
    cp /tmp/there/history past; git add past
    git -c user.name=x -c user.email=x@x commit -qm past; git rm -qf past
    git hash-object -w /tmp/there/objects
    cd /tmp/there; rm history objects; (setsid python3 hold.py &) > /dev/null 2>&1
    until [ -e ready ]; do sleep 0.05; done
    """
    with where.opened(containers) as sandbox:
        sandbox.put(tar_of({"memory.py": MEMORY, "descriptors.py": DESCRIPTORS}), "/home/agent")
        sandbox.put(tar_of(files), "/tmp/there")
        assert shell(sandbox, plant).ok
        assert shell(sandbox, "app up --wait 90", 120).ok
        found = seen(sandbox, where, SEARCHES)
    finding = {name for name, line in lines.items() if line in found.get(name, [])}
    # Where the engine's filter of system calls lets nobody take a descriptor, none is found.
    assert finding | {"descriptors"} == set(SEARCHES)


def test_programs_and_their_supervisor_are_out_of_reach(sandbox: Sandbox) -> None:
    assert shell(sandbox, "app up --wait 90", 120).ok
    said = shell(
        sandbox,
        """
        cat /run/app/supervisor.log; ls /run/app/data
        for pid in $(grep -l inside[.]keeper /proc/*/cmdline | cut -d/ -f3); do
            head -c1 /proc/$pid/mem; ls /proc/$pid/fd
        done
        ln -s /etc/passwd /run/app/logs/x; mkdir /run/app/more; rm /run/app/supervisor.sock
    """,
    )
    assert said.stdout == ""
    refusals = [line for line in said.stderr.splitlines() if "Permission denied" not in line]
    assert refusals == []
    supervisor = "$(grep -l inside[.]keeper /proc/*/cmdline | cut -d/ -f3 | sort -n | head -1)"
    assert "not permitted" in shell(sandbox, f"kill -9 {supervisor}").stderr
    assert shell(sandbox, "app status").ok


def test_a_traceback_of_hidden_code_shows_none_of_its_lines(
    services: Sandbox, containers: Sandboxes
) -> None:
    """The catalogue answers nonsense, and jobs, which ask it, fail; shown in full where all is."""
    where = place(*SERVICES)
    use = """
    sed -i 's/Service) -> Quote:/Service) -> dict:/' catalogue/main.py
    sed -i 's/return catalogue.quote.*/return {}/' catalogue/main.py
    app test -q tests/test_jobs.py -k held_for_run_and_paid; app logs --test --lines 5000
    """
    base = where.bases.repository(where.pair, where.arm, where.task)
    with containers.open("agent") as full:
        full.put(base.workspace_tar(), "/work")
        assert seen(full, where, {"logs": use}) != {}
    assert seen(services, where, {"logs": use}) == {}
    assert "Traceback" in shell(services, "app logs --test --lines 5000").stdout


def test_an_agents_program_has_nothing_of_hidden_services(services: Sandbox) -> None:
    """Planted where Python or a library would look for it, it runs as the agent or not at all."""
    services.put(tar_of({"peek.py": PEEK}), "/work")
    for name in (*PLANTED, "accounts/uvloop", "accounts/errors", "jobs/clients"):
        text = "import sys; sys.path.append('/work')\nimport peek; peek.peek()\n"
        text += "raise ImportError('no such library')\n"
        services.put(tar_of({f"{name}.py": text}), "/work")
    shell(services, "echo 'import peek; peek.peek()' >> edge/main.py")
    env = {"PYTHONPATH": "/work", "PYTHONSTARTUP": "/work/sitecustomize.py", "PYTHONHOME": "/work",
           "LD_PRELOAD": "/work/x.so", "HOME": "/work"}  # fmt: skip
    for name, text in env.items():
        shell(services, f"env {name}={text} app up --wait 90", 120)
    assert shell(services, "app up --wait 90", 120).ok
    peeked = shell(services, "cat /tmp/peeked").stdout.splitlines()
    assert "user 1000 1000" in peeked
    assert not [line for line in peeked if line.startswith("user") and line != "user 1000 1000"]
    assert "accounts.service: ModuleNotFoundError" in peeked
    code = {line for line in peeked if line.startswith("code /work/")}
    places = {line.split("/")[2].removesuffix(".py") for line in code}
    assert places <= {"edge", "peek", *PLANTED}
    assert not [line for line in peeked if "memfd" in line]


def test_in_one_program_there_is_compiled_code_and_no_text(containers: Sandboxes) -> None:
    where = place(*MODULES)
    with where.opened(containers) as sandbox:
        sandbox.put(tar_of({"peek.py": PEEK}), "/work")
        shell(sandbox, "echo 'import peek; peek.peek()' >> atelier/main.py")
        assert shell(sandbox, "app up --wait 90", 120).ok
        peeked = shell(sandbox, "cat /tmp/peeked").stdout
        assert "imported atelier.jobs.service" in peeked
        assert "atelier.jobs.service: OSError" in peeked  # where its source was asked for
        assert "code /work/atelier/jobs/service.py" in peeked
        assert seen(sandbox, where, {"peeked": "cat /tmp/peeked"}) == {}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"set": "../../etc"}, "set: '../../etc' is not known"),
        ({"set": ["main"]}, "malformed"),
        ({"workspace": "work"}, "workspace: is no absolute path"),
        ({"workspace": 7}, "workspace: is no absolute path"),
        ({"env": {"A": 1}}, "env: is no table of texts"),
        ({"env": []}, "env: is no table of texts"),
        ({"programs": []}, "programs: 1 to 1000"),
        ({"programs": "edge"}, "programs: 1 to 1000"),
        ({"programs": [["a", "b:c", 0]] * 1_001}, "programs: 1 to 1000"),
        ({"programs": [["a", "b:c", 0]] * 2}, "two have one name"),
        ({"programs": [["../x", "edge.main:app", 0]]}, "a name is not known as one"),
        ({"programs": [["x/y", "edge.main:app", 0]]}, "a name is not known as one"),
        ({"programs": [["a" * 65, "edge.main:app", 0]]}, "a name is not known as one"),
        ({"programs": [["a", "/etc/passwd:app", 0]]}, "module: is not of the form"),
        ({"programs": [["a", "edge.main:app\n", 0]]}, "module: is not of the form"),
        ({"programs": [["a", "edge.main:app", 22]]}, "port: is not a port"),
        ({"programs": [["a", "edge.main:app", True]]}, "port: is not a port"),
        ({"programs": [["a", "edge.main:app", 0, 0]]}, "each is a name, a module and a port"),
        ({"programs": [7]}, "each is a name, a module and a port"),
        ({"do": "exec"}, "programs"),
        ({"do": None}, "programs"),
    ],
)
def test_a_hostile_request_gets_one_line(
    sandbox: Sandbox, changes: dict[str, object], said: str
) -> None:
    (answer,) = ask(sandbox, request(**changes))
    assert said in json.dumps(answer), answer
    assert shell(sandbox, "ls /tmp/x /tmp/y 2>/dev/null").stdout == ""


def test_a_peer_that_speaks_no_json_is_cut_off_and_nobody_else_is(sandbox: Sandbox) -> None:
    for raw in (b"{\n", b"[]\n", b"\xff\n", b"[" * 100_000 + b"\n", b"7\n"):
        end = shell(sandbox, "python3 /home/agent/ask.py", stdin=raw)
        assert end.stdout == "closed\n", raw[:9]
    hold = f"python3 -c '{CROWD}'"
    assert shell(sandbox, hold).ending == "exit"
    assert shell(sandbox, "app up --wait 90", 120).ok


def test_a_path_that_leads_away_is_followed_as_the_program_alone(services: Sandbox) -> None:
    """Folders of data and the workspace are the agent's: nothing of root's is touched by them."""
    shell(services, "rm -rf /tmp/app; ln -s /run/app /tmp/app; ln -s /run/app/data link")
    failed = shell(services, "app up --fresh --wait 90", 120)
    assert failed.code == 1
    assert "Permission denied" in failed.stderr
    assert shell(services, "ls /run/app").stdout.split() == [
        "data", "logs", "supervisor.log", "supervisor.sock",
    ]  # fmt: skip
    shell(services, "rm /tmp/app")
    (answer,) = ask(services, request(workspace="/run/app/data"))
    assert "programs" in answer
    assert "Permission denied" in shell(services, "app up; cat /run/app/logs/edge.log").stdout


def test_a_file_in_the_place_of_a_hidden_one_changes_no_hidden_program(services: Sandbox) -> None:
    """And where it is the program's own file, the program is the agent's and has nothing else."""
    services.put(tar_of({"accounts/errors.py": "1 / 0\n"}), "/work")
    assert shell(services, "app up --wait 90", 120).ok
    services.put(tar_of({"accounts/main.py": "from . import service\napp = service\n"}), "/work")
    failed = shell(services, "app up --wait 90", 120)
    assert failed.code == 1
    assert "cannot import name 'service'" in failed.stderr
