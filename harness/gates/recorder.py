"""Added to each program of an arm while it is recorded: notes what the program asks of others.

This file runs inside a sandbox, at the end of a package's `__init__.py`, and imports nothing of
ours. Each call becomes one line of `.recorded/<program>.jsonl` in the workspace.
"""

import json
import os
from pathlib import Path
from typing import Any

import httpx

_FOLDER = Path(__file__).parents[1] / ".recorded"
_PROGRAMS = {url: name.removesuffix("_URL").lower()
             for name, url in os.environ.items() if name.endswith("_URL")}  # fmt: skip
_send = httpx.Client.send


def _noted(client: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
    response = _send(client, request, **options)
    response.read()
    url = request.url
    line = {
        "provider": _PROGRAMS.get(f"{url.scheme}://{url.netloc.decode()}"),
        "method": request.method,
        "path": url.path,
        "query": dict(url.params),
        "sent": request.read().decode(),
        "status": response.status_code,
        "answered": response.text,
    }
    _FOLDER.mkdir(exist_ok=True)
    with (_FOLDER / f"{Path(__file__).parent.name}.jsonl").open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(line) + "\n")
    return response


httpx.Client.send = _noted  # type: ignore[method-assign, assignment]
