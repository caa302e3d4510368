"""The Python of process sandboxes: a virtual environment from the fixtures' lock file."""

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from harness.errors import SandboxError
from harness.paths import find_checkout


def interpreter_digest() -> str:
    """Digest of the lock file and of this Python's version."""
    lock = find_checkout().fixtures / "requirements.lock"
    digest = hashlib.sha256(lock.read_bytes())
    digest.update(f"{sys.version} {sys.executable}".encode())
    return f"sha256:{digest.hexdigest()}"


def ensure_venv(announce: Callable[[str], None]) -> Path:
    """The environment, built on first use; `.cache/venv-<digest>` in the checkout."""
    checkout = find_checkout()
    checkout.cache.mkdir(exist_ok=True)
    venv = checkout.cache / f"venv-{interpreter_digest()[7:19]}"
    done = venv / "complete"
    if done.exists():
        return venv
    with (checkout.cache / "venv.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # another process may be building it
        if not done.exists():
            announce(f"installing the fixtures' packages into {venv}")
            _build(venv, checkout.fixtures / "requirements.lock")
            done.touch()
    return venv


def _build(venv: Path, lock: Path) -> None:
    check([sys.executable, "-m", "venv", "--clear", str(venv)])
    pip = [str(venv / "bin/python"), "-m", "pip", "install", "--quiet", "--no-deps"]
    check([*pip, "--require-hashes", "--only-binary=:all:", "-r", str(lock)])


def check(argv: list[str]) -> None:
    """Run a set-up step. Raises SandboxError with the last lines it printed."""
    env = {key: text for key, text in os.environ.items() if key != "PYTHONHOME"}
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = "; ".join((done.stderr or done.stdout).strip().splitlines()[-3:])
        raise SandboxError(f"{Path(argv[0]).name} failed ({done.returncode}): {said}")
