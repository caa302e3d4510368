"""The edit tool's program: runs inside the sandbox as `python3 -c`, standard library only.

Reads one JSON object from standard input; prints the answer; exit code 1 says that it is an error.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path.cwd()
MOST_LINES = 400


class Refused(Exception):
    """The edit cannot be done; the text says why."""


def place(path: str) -> Path:
    found = (ROOT / path).resolve()
    if found != ROOT and ROOT not in found.parents:
        raise Refused(f"{path}: outside {ROOT}")
    return found


def view(path: str, start: int = 1, end: int = 0) -> str:
    file = place(path)
    if file.is_dir():
        return "\n".join(sorted(p.name + "/" * p.is_dir() for p in file.iterdir()))
    lines = file.read_text(errors="replace").splitlines()
    last = min(end or len(lines), start + MOST_LINES - 1, len(lines))
    shown = [f"{n}\t{lines[n - 1]}" for n in range(max(1, start), last + 1)]
    more = [f"[{len(lines) - last} more lines]"] if last < len(lines) and not end else []
    return "\n".join(shown + more)


def create(path: str, text: str) -> str:
    file = place(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return f"{path}: written"


def str_replace(path: str, old: str, new: str) -> str:
    file = place(path)
    content = file.read_text()
    count = content.count(old) if old else 0
    if count != 1:
        raise Refused(f"{path}: the text to replace is there {count} times, must be once")
    file.write_text(content.replace(old, new))
    return f"{path}: replaced"


def insert(path: str, line: int, text: str) -> str:
    file = place(path)
    lines = file.read_text().splitlines(keepends=True)
    if not 0 <= line <= len(lines):
        raise Refused(f"{path}: line {line}: it has {len(lines)} lines")
    if line and not lines[line - 1].endswith("\n"):
        lines[line - 1] += "\n"
    lines.insert(line, text if text.endswith("\n") else text + "\n")
    file.write_text("".join(lines))
    return f"{path}: inserted"


COMMANDS: dict[str, Callable[..., str]] = {
    "view": view,
    "create": create,
    "str_replace": str_replace,
    "insert": insert,
}


def main() -> int:
    asked = json.load(sys.stdin)
    command = COMMANDS.get(asked.pop("command", None))
    if command is None:
        sys.stdout.write(f"command: one of {', '.join(COMMANDS)}")
        return 1
    try:
        sys.stdout.write(command(**asked))
    except (Refused, OSError, TypeError, ValueError) as error:
        sys.stdout.write(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
