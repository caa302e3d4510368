"""Added to each program of an arm while it is recorded: notes what it asks of others over urllib3.

That is what woven services ask with. This file runs inside a sandbox, at the end of a package's
`__init__.py`, and imports nothing of ours. Each call becomes one line of
`recorded.jsonl` beside the program's data: no program may write to the folder of its code.
"""

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import urllib3

_LINES = Path(os.environ["APP_DATA"]) / "recorded.jsonl"
_PROGRAMS = {url: name.removesuffix("_URL").lower()
             for name, url in os.environ.items() if name.endswith("_URL")}  # fmt: skip
_ask = urllib3.PoolManager.urlopen


def _noted(
    pool: urllib3.PoolManager, method: str, url: str, **options: Any
) -> urllib3.BaseHTTPResponse:
    response = _ask(pool, method, url, **options)
    asked = urlsplit(url)
    line = {
        "provider": _PROGRAMS.get(f"{asked.scheme}://{asked.netloc}"),
        "method": method,
        "path": asked.path,
        "query": dict(parse_qsl(asked.query)),
        "sent": (options.get("body") or b"").decode(),
        "status": response.status,
        "answered": response.data.decode(),
    }
    with _LINES.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(line) + "\n")
    return response


urllib3.PoolManager.urlopen = _noted  # type: ignore[method-assign, assignment]
