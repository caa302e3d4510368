"""What both kinds of sandbox promise, and what only containers can."""

import hashlib
import io
import os
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from pathlib import Path

import pytest

from harness.errors import EngineGone, PatchRefused, SandboxError
from harness.sandbox import Command
from tests.sandboxes import LIMITS, shell, signals_kept_from_a_command, tar_of

MARK = os.getpid()
"""Marks the processes of this test run: without isolation, those of another one are seen too."""

RUNNING = """
import os, sys
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        words = open(f"/proc/{pid}/cmdline").read().split(chr(0))
    except OSError:
        continue
    if sys.argv[1] in words and int(pid) != os.getpid():
        print(pid)
"""


def running(sandbox, word: str) -> list[str]:
    """Processes with `word` among their arguments."""
    return sandbox.run(Command(("python3", "-c", RUNNING, word), 10)).stdout.split()


def test_a_command_says_how_it_ended_and_what_it_printed(sandbox):
    done = shell(sandbox, "echo out; echo err >&2; exit 3")
    assert (done.ending, done.code, done.stdout, done.stderr) == ("exit", 3, "out\n", "err\n")
    assert not done.ok
    assert sandbox.run(Command(("true",), 5)).ok


def test_a_signal_is_reported_with_its_number(sandbox):
    done = shell(sandbox, "kill -TERM $$")
    assert (done.ending, done.code) == ("signal", signal.SIGTERM)


def test_exit_code_137_is_an_exit(sandbox):
    done = shell(sandbox, "exit 137")
    assert (done.ending, done.code) == ("exit", 137)


@pytest.mark.parametrize(
    ("argv", "cwd", "code"),
    [
        (("no-such-command",), "/work", 127),
        (("/etc/passwd",), "/work", 126),
        (("true",), "/no", 127),
    ],
)
def test_a_command_that_cannot_start_says_why(sandbox, argv, cwd, code):
    done = sandbox.run(Command(argv, 5, cwd=cwd))
    assert (done.ending, done.code) == ("exit", code)
    assert "cannot run" in done.stderr


def test_standard_input_reaches_the_command(sandbox):
    content = os.urandom(300_000)
    done = sandbox.run(Command(("sha256sum",), 10, stdin=content))
    assert done.stdout.split()[0] == hashlib.sha256(content).hexdigest()


def test_commands_start_in_the_workspace_with_a_small_environment(sandbox):
    done = shell(sandbox, "pwd; env", env={"MORE": f"{sandbox.root}/x"})
    cwd, *lines = done.stdout.splitlines()
    env = dict(line.split("=", 1) for line in lines)
    assert cwd == f"{sandbox.root}/work"
    assert env["MORE"] == f"{sandbox.root}/x"
    assert env["HOME"] == f"{sandbox.root}/home/agent"
    assert (env["LANG"], env["PYTHONDONTWRITEBYTECODE"]) == ("C.UTF-8", "1")
    assert set(env) <= {
        "APP_PORT_OFFSET", "APP_ROOT", "HOME", "LANG", "MORE", "OLDPWD", "PATH", "PWD",
        "PYTHONDONTWRITEBYTECODE", "SHLVL", "TMPDIR", "_",
    }  # fmt: skip


def test_a_command_starts_clean(sandbox):
    """No signal is ignored or blocked, no descriptor is open but the three, the session is its."""
    assert signals_kept_from_a_command(sandbox) == (set(), set())
    listed = sandbox.run(Command(("ls", "/proc/self/fd"), 5))
    assert listed.stdout.split() == ["0", "1", "2", "3"]  # the last is the folder that ls reads
    fields = sandbox.run(Command(("cat", "/proc/self/stat"), 5)).stdout.split()
    assert fields[0] == fields[4] == fields[5]  # process, group, session
    assert shell(sandbox, "umask").stdout == "0022\n"


def test_a_timeout_ends_every_descendant(sandbox):
    script = f"""
    sleep 4711.{MARK} &
    (setsid sleep 4711.{MARK} &)
    (setsid bash -c 'sleep 4711.{MARK} & disown; exec sleep 4711.{MARK}' &)
    trap '' TERM INT HUP
    sleep 4711.{MARK}
    """
    start = time.monotonic()
    done = shell(sandbox, script, timeout=1)
    assert (done.ending, done.code) == ("timeout", None)
    assert time.monotonic() - start < 20
    assert running(sandbox, f"4711.{MARK}") == []


CHAINS = """
import os, sys, time
for _ in range(int(sys.argv[1])):
    if os.fork() == 0:
        while True:  # each link leaves its session and is gone as soon as the next one is there
            os.setsid() if os.getpid() != os.getsid(0) else None
            if os.fork():
                os._exit(0)
time.sleep(99)
"""


def test_a_timeout_ends_a_chain_that_forks_and_leaves_its_session(sandbox):
    done = sandbox.run(Command(("python3", "-c", CHAINS, "1", f"chain-{MARK}"), 0.5))
    assert done.ending == "timeout"
    assert running(sandbox, f"chain-{MARK}") == []


@pytest.mark.docker
def test_a_timeout_ends_chains_that_are_faster_than_proc_can_be_read(container):
    done = container.run(Command(("python3", "-c", CHAINS, "8", f"chain-{MARK}"), 0.5))
    assert done.ending == "timeout"
    assert running(container, f"chain-{MARK}") == []


def test_a_timeout_keeps_what_was_printed(sandbox):
    done = shell(sandbox, "echo before; sleep 60", timeout=0.5)
    assert (done.ending, done.stdout) == ("timeout", "before\n")


def test_a_background_child_survives_its_command_and_keeps_its_output(sandbox):
    script = """
import time
for number in range(100_000):
    print("x" * 1000, flush=True)  # far more than a pipe holds
open("survived", "w").write("yes")
time.sleep(600)
"""
    sandbox.put(tar_of({"talk.py": script}), "/work")
    start = time.monotonic()
    done = shell(sandbox, f"python3 talk.py talk-{MARK} & echo started")
    assert time.monotonic() - start < 5
    assert "started" in done.stdout
    waited = shell(sandbox, "until [ -s survived ]; do sleep 0.05; done", timeout=60)
    assert waited.ok
    assert len(running(sandbox, f"talk-{MARK}")) == 1
    assert shell(sandbox, "sleep 60", timeout=0.3).ending == "timeout"
    assert len(running(sandbox, f"talk-{MARK}")) == 1


def test_ended_background_children_are_reaped(sandbox):
    shell(sandbox, "for i in $(seq 20); do (sleep 0.05 &) ; done")
    shell(sandbox, "sleep 0.3")
    zombies = "cat /proc/[0-9]*/stat 2>/dev/null | grep -c ' Z .*' || true"
    before = int(shell(sandbox, zombies).stdout)
    assert before == 0 or sandbox.root  # the host may have zombies of its own


def test_output_is_capped_with_head_tail_and_the_number_of_bytes_left_out(sandbox):
    script = "print('head' + 'x' * 5_000_000 + 'tail')"
    done = sandbox.run(Command(("python3", "-c", script), 20, output_limit=1000))
    assert done.ok
    assert done.stdout.startswith("head")
    assert done.stdout.endswith("tail\n")
    assert f"[... {5_000_009 - 1000} bytes left out ...]" in done.stdout


def test_invalid_utf_8_is_repaired(sandbox):
    assert shell(sandbox, r"printf 'a\xffb\xc3'").stdout == "a\ufffdb\ufffd"


def test_a_tree_goes_in_and_comes_out_as_it_was(sandbox):
    content = bytes(range(256)) * 100
    sandbox.put(tar_of({"a/binary": content, "a/ä.txt": "text"}), "/work")
    shell(
        sandbox, "ln -s binary a/link; ln -s /etc/passwd a/out; chmod 751 a/binary; mkfifo a/fifo"
    )
    with tarfile.open(fileobj=io.BytesIO(sandbox.get("/work", limit=1 << 20))) as tar:
        entries = {entry.name: entry for entry in tar}
        assert tar.extractfile("a/binary").read() == content
    assert set(entries) == {"a", "a/binary", "a/fifo", "a/link", "a/out", "a/ä.txt"}
    assert entries["a/binary"].mode == 0o751
    assert (entries["a/link"].linkname, entries["a/out"].linkname) == ("binary", "/etc/passwd")
    assert entries["a/fifo"].isfifo()


def test_get_refuses_a_tree_that_is_too_large(sandbox):
    shell(sandbox, "truncate -s 10M big")
    with pytest.raises(PatchRefused, match="more than 1000000 bytes"):
        sandbox.get("/work", limit=1_000_000)
    shell(sandbox, "rm big; mkdir many; cd many; seq 20001 | xargs touch")
    with pytest.raises(PatchRefused, match="too many entries"):
        sandbox.get("/work", limit=100 << 20)
    assert shell(sandbox, "true").ok


def test_a_tar_that_leads_out_is_refused_and_the_sandbox_lives_on(sandbox):
    with pytest.raises(SandboxError, match="leads out"):
        sandbox.put(tar_of({"../x": "x"}), "/work")
    assert shell(sandbox, "true").ok


def test_closing_twice_is_safe_and_ends_everything(sandboxes):
    sandbox = sandboxes.open("agent")
    shell(sandbox, "sleep 4712 & sleep 4712 & true")
    sandbox.close()
    sandbox.close()
    with pytest.raises(SandboxError):
        shell(sandbox, "true")


def test_closing_interrupts_a_running_command(sandboxes):
    sandbox = sandboxes.open("agent")
    errors = []

    def wait() -> None:
        try:
            shell(sandbox, "sleep 60", timeout=60)
        except SandboxError as error:
            errors.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.3)
    start = time.monotonic()
    sandbox.close()
    thread.join(20)
    assert not thread.is_alive()
    assert time.monotonic() - start < 15
    assert errors


def test_sandboxes_of_several_threads_do_not_meet(sandboxes):
    said = {}

    def work(number: int) -> None:
        with sandboxes.open("agent") as sandbox:
            for _ in range(5):
                shell(sandbox, f"echo {number} >> mine")
            said[number] = shell(sandbox, "sort -u mine; ls").stdout

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert said == {number: f"{number}\nmine\n" for number in range(6)}


def test_a_verifier_beside_an_app_reaches_its_port_and_nothing_else(sandboxes):
    with sandboxes.open("app") as app, sandboxes.open("verifier", beside=app) as verifier:
        assert app.port_offset == verifier.port_offset
        app.put(tar_of({"secret": "served"}), "/work")
        port = 8000 + app.port_offset
        serve = f"python3 -m http.server --bind 127.0.0.1 {port} & "
        serve += f"until (echo > /dev/tcp/127.0.0.1/{port}) 2>&-; do sleep 0.02; done"
        assert shell(app, serve).ok
        fetch = f"import httpx; print(httpx.get('http://127.0.0.1:{port}/secret').text)"
        assert verifier.run(Command(("python3", "-c", fetch), 20)).stdout == "served\n"
        assert shell(verifier, "ls").stdout == ""
        if not verifier.root:  # plain processes see each other
            assert running(verifier, "http.server") == []
            assert len(running(app, "http.server")) == 1


@pytest.mark.docker
def test_what_runs_in_an_app_sandbox_cannot_write_its_code_anew(containers):
    with containers.open("app") as app:
        app.put(tar_of({"a.py": "print('one')"}), "/work")
        assert shell(app, "python3 a.py").stdout == "one\n"
        for attempt in ("echo x > a.py", "rm a.py", "touch b.py", "chmod 777 .", "mv a.py /tmp"):
            assert not shell(app, attempt).ok, attempt
        assert shell(app, "touch /tmp/a ~/b; ls /work").stdout == "a.py\n"
        app.put(tar_of({"a.py": "print('two')"}), "/work")
        assert shell(app, "python3 a.py").stdout == "two\n"


HOLD = """
import socket, sys, time
held = socket.socket()
held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
held.bind(("127.0.0.1", int(sys.argv[1])))
held.listen()
open(sys.argv[2], "w").write("yes")
time.sleep(60)
"""


def test_apps_of_two_sandboxes_can_hold_the_same_port_at_once(sandboxes):
    with sandboxes.open("app") as one, sandboxes.open("app") as two:
        for sandbox in (one, two):
            sandbox.put(tar_of({"hold.py": HOLD}), "/work")
            held = f"{sandbox.root}/tmp/held"
            wait = f"python3 hold.py {8000 + sandbox.port_offset} {held} & "
            wait += f"until [ -s {held} ] || ! kill -0 $!; do sleep 0.02; done; [ -s {held} ]"
            assert shell(sandbox, wait).ok


def test_a_killed_harness_leaves_nothing(sandboxes, tmp_path):
    kind = "processes" if sandboxes.isolation == "none" else "containers"
    script = f"""
import sys, tests.sandboxes as s
made = next(s._{kind.replace("containers", "docker").replace("processes", "process")}())
opened = made.open("agent")
s.shell(opened, "(setsid sleep 4713.{MARK} &)")
print(opened.name, flush=True)
s.shell(opened, "sleep 4713.{MARK}", timeout=600)
"""
    harness = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=Path.cwd()
    )
    name = harness.stdout.readline().decode().strip()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and len(_sleepers(f"4713.{MARK}")) < 2:
        time.sleep(0.05)
    seen = _sleepers(f"4713.{MARK}")
    harness.kill()
    harness.wait()
    harness.stdout.close()
    assert name.startswith("seambench-agent-")
    assert len(seen) == 2
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline and _sleepers(f"4713.{MARK}"):
        time.sleep(0.05)
    assert _sleepers(f"4713.{MARK}") == []
    if kind == "processes":
        while time.monotonic() < deadline and (Path(tempfile.gettempdir()) / name).exists():
            time.sleep(0.05)
        assert not (Path(tempfile.gettempdir()) / name).exists()
    else:
        while time.monotonic() < deadline and _container_exists(sandboxes, name):
            time.sleep(0.05)
        assert not _container_exists(sandboxes, name)


def _container_exists(sandboxes, name: str) -> bool:
    return bool(sandboxes._client.api.containers(all=True, filters={"name": name}))


def _sleepers(word: str) -> list[str]:
    """Of the whole machine: a container's processes are visible to its host."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if word.encode() in words:
                found.append(folder.name)
    return found


# ---- what only a container can promise ----


EAT = "x = bytearray(1 << 30)"


@pytest.mark.docker
def test_running_out_of_memory_is_told_apart_and_the_runner_lives_on(container):
    done = container.run(Command(("python3", "-c", EAT), 30))
    assert (done.ending, done.code) == ("oom", None)
    in_shell = shell(container, f"python3 -c '{EAT}'; exit 137", timeout=30)
    assert in_shell.ending == "oom"
    assert shell(container, "exit 137").ending == "exit"
    assert shell(container, "kill -9 $$").ending == "signal"


@pytest.mark.docker
def test_there_is_no_network_interface_but_loopback(container):
    lines = shell(container, "tail -n +3 /proc/net/dev; cat /proc/net/route").stdout.splitlines()
    assert [line.split(":")[0].strip() for line in lines if ":" in line] == ["lo"]
    assert len(lines) == 2  # lo, and the header of an empty routing table


@pytest.mark.docker
def test_the_agent_is_nobody_special(container):
    done = shell(container, "id -u; id -G; grep -E 'CapEff|CapPrm|NoNewPrivs' /proc/self/status")
    assert done.stdout.split() == [
        "1000", "1000", "CapPrm:", "0" * 16, "CapEff:", "0" * 16, "NoNewPrivs:", "1",
    ]  # fmt: skip


@pytest.mark.docker
@pytest.mark.parametrize(
    "path", ["/x", "/etc/x", "/opt/venv/x", "/opt/seambench/x", "/usr/bin/app", "/run/x"]
)
def test_the_agent_can_write_only_its_own_places(container, path):
    assert not shell(container, f"touch {path}").ok
    assert shell(container, "touch /work/x /tmp/x ~/x").ok


@pytest.mark.docker
def test_the_root_file_system_is_read_only_for_everybody(container):
    mounts = shell(container, "cat /proc/mounts").stdout.splitlines()
    root = next(words for line in mounts if (words := line.split())[1] == "/")
    assert root[3].split(",")[0] == "ro"


@pytest.mark.docker
def test_the_agent_cannot_touch_the_runner(container):
    assert "not permitted" in shell(container, "kill -9 1").stderr
    assert "ermission denied" in shell(container, "cat /proc/1/environ /proc/1/mem").stderr
    assert not shell(container, "ls /proc/1/fd").ok
    assert shell(container, "kill -9 -1; true").ending in ("signal", "exit")
    assert shell(container, "true").ok


@pytest.mark.docker
def test_a_full_disk_is_the_commands_error_and_the_runner_lives_on(container):
    for path in ("/work", "/tmp", "/home/agent"):
        done = shell(container, f"head -c {LIMITS.disk_mb}M /dev/zero > {path}/big")
        assert "No space left on device" in done.stderr
    with pytest.raises(SandboxError, match="No space left"):
        container.put(tar_of({"more": b"x" * 100_000}), "/work")
    assert shell(container, "rm /work/big").ok
    container.put(tar_of({"more": b"x" * 100_000}), "/work")


@pytest.mark.docker
def test_the_number_of_files_is_bounded_but_by_podman(containers, container):
    """Of Docker's folders each has 102,400 places; in Podman's the memory alone bounds files."""
    done = shell(container, "mkdir many; cd many; seq 103000 | xargs touch", 60)
    made = int(shell(container, "ls -U many | wc -l").stdout)
    if containers._is_podman:
        assert (done.ok, made) == (True, 103_000)
    else:
        assert "No space left on device" in done.stderr
        assert 102_000 < made < 102_400
    assert shell(container, "rm -r many; touch more", 60).ok


QUOTA = """
cat /sys/fs/cgroup/cpu.max 2>/dev/null \\
    || cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us
"""


@pytest.mark.docker
def test_processor_time_is_bounded(container):
    """By the quota of the container's own control group, of either version."""
    quota, period = shell(container, QUOTA).stdout.split()
    assert int(quota) / int(period) == LIMITS.cpus


@pytest.mark.docker
def test_processes_are_bounded_and_the_runner_lives_on(container):
    bomb = """
import os, time
made = 0
try:
    while True:
        if os.fork() == 0:
            time.sleep(600)
        made += 1
except OSError:
    print(made, flush=True)
time.sleep(600)
"""
    done = container.run(Command(("python3", "-c", bomb), 3))
    assert done.ending == "timeout"
    assert int(done.stdout) <= LIMITS.pids + 8
    assert shell(container, "true").ok


@pytest.mark.docker
def test_no_room_for_a_process_is_the_commands_error(container):
    fill = """
import os, time
if os.fork() == 0:
    os.setsid()
    end = time.monotonic() + 4
    while time.monotonic() < end:
        try:
            if os.fork() == 0:
                time.sleep(4)
                os._exit(0)
        except OSError:
            time.sleep(0.001)
    os._exit(0)
time.sleep(1)
"""
    assert container.run(Command(("python3", "-c", fill), 20)).ok
    deadline = time.monotonic() + 20
    while (done := container.run(Command(("true",), 5))).ok:  # the last places are being taken
        assert time.monotonic() < deadline
    assert (done.ending, done.code) == ("exit", 126)
    assert "no process can be started" in done.stderr
    while not container.run(Command(("true",), 5)).ok:
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.docker
def test_a_runner_that_is_killed_is_the_sandboxes_error(containers):
    with containers.open("agent") as sandbox:
        containers._client.api.kill(sandbox.name)
        with pytest.raises(SandboxError, match="gone"):
            shell(sandbox, "true")


@pytest.mark.docker
def test_a_runner_that_is_killed_after_a_command_starved_did_not_starve_itself(containers):
    with containers.open("agent") as sandbox:
        assert sandbox.run(Command(("python3", "-c", EAT), 30)).ending == "oom"
        time.sleep(3.5)
        containers._client.api.kill(sandbox.name)
        with pytest.raises(SandboxError, match="gone"):
            shell(sandbox, "true")


@pytest.mark.docker
def test_a_run_that_is_broken_off_says_so_also_after_a_command_starved(containers):
    import docker

    from harness.sandbox.docker import DockerSandboxes

    run = DockerSandboxes(docker.from_env(), containers._image, LIMITS, f"broken-off-{MARK}")
    with run.open("agent") as sandbox:
        assert sandbox.run(Command(("python3", "-c", EAT), 30)).ending == "oom"
        run.abort()
        with pytest.raises(EngineGone, match="broken off"):
            shell(sandbox, "true")


@pytest.mark.docker
def test_the_reaper_removes_what_dead_runs_left_and_spares_the_living(containers):
    from harness.sandbox.docker import owner

    api = containers._client.api
    host, pid, _ = owner().rsplit(":", 2)

    def leave(left_by: str | None) -> str:
        labels = {"seambench": "1"} | ({"seambench.owner": left_by} if left_by else {})
        return api.create_container(containers._image.tag, ["true"], labels=labels)["Id"]

    dead, living, foreign = leave(f"{host}:{pid}:1"), leave(owner()), leave("elsewhere:1:1")
    neighbour = leave(f"{socket.gethostname()}/pid:[1]:{pid}:1")  # a container of this name
    building = leave(None)  # a step of an image that somebody builds just now
    try:
        assert containers.reap() >= 1
        left = {found["Id"] for found in api.containers(all=True, filters={"label": "seambench=1"})}
        assert dead not in left
        assert {living, foreign, neighbour, building} <= left
    finally:
        for made in (living, foreign, neighbour, building):
            api.remove_container(made)
