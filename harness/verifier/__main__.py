"""The command line of the verifier."""

import json
import sys
from pathlib import Path

from .behaviour import behaviour
from .contract import contract
from .inspection import inspect
from .job import Job, NoVerdict
from .replay import replay
from .restart import restart

PHASES = {
    "behaviour": behaviour,
    "replay": replay,
    "restart": restart,
    "inspect": inspect,
    "contract": contract,
}


def main(arguments: list[str]) -> int:
    """Run one phase; 0 with a verdict, 2 for a wrong call, 3 without a verdict."""
    sys.dont_write_bytecode = True
    if len(arguments) != 2 or arguments[0] not in PHASES:
        sys.stderr.write(f"usage: verifier {'|'.join(PHASES)} <job folder>\n")
        return 2
    phase, folder = arguments
    try:
        verdict = PHASES[phase](Job.load(Path(folder)))
    except NoVerdict as error:
        sys.stderr.write(f"verifier: {phase}: {error}\n")
        return 3
    sys.stdout.write("\n" + _writable({"phase": phase, **verdict}) + "\n")
    sys.stdout.flush()
    return 0


def _writable(verdict: dict[str, object]) -> str:
    """A verdict as one line of JSON that whoever reads it takes.

    It quotes hostile text, and JSON can hold half a surrogate pair where UTF-8 cannot.
    """
    mended = json.dumps(verdict, ensure_ascii=False).encode(errors="replace")
    return json.dumps(json.loads(mended))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
