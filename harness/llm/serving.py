"""The child process of `local`: `python -m harness.llm.serving MODEL CONTEXT SLOTS`.

Prints the server's address, then waits for the end of its standard input.
"""

import os
import sys

import xllamacpp


def serve(model: str, context: int, slots: int) -> None:
    """Serve on a free port of the loopback until standard input ends."""
    params = xllamacpp.CommonParams()
    params.model.path = model
    params.n_ctx, params.n_parallel, params.port = context, slots, 0
    # Spinning threads would take the cores from the containers that run beside.
    params.cpuparams.poll = params.cpuparams_batch.poll = 0
    params.model_alias = {os.path.basename(model).split(".")[0]}  # noqa: PTH119 - no import for it
    server = xllamacpp.Server(params)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
