"""The edit tool's program: runs inside the sandbox as `python3 -c`, standard library only.

Reads one JSON object from standard input; prints the answer; exit code 1 says that it is an error.
"""

import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path.cwd()
MOST_LINES = 400
ENDS = "\r\n"


class Refused(Exception):
    """The edit cannot be done; the text says why."""


def place(path: str) -> Path:
    found = (ROOT / path).resolve()
    if found != ROOT and ROOT not in found.parents:
        raise Refused(f"{path}: outside {ROOT}")
    return found


def read(file: Path) -> str:
    """The text with its own line ends."""
    return file.read_bytes().decode()


def write(file: Path, text: str) -> None:
    file.write_bytes(text.encode())


def lines_of(text: str) -> list[str]:
    """Lines with their ends: at a line feed and nowhere else, as every other tool counts them."""
    return list(io.StringIO(text, newline="\n"))


def as_in(content: str, text: str) -> str:
    """A text with the line ends of what it comes into."""
    return text.replace("\r\n", "\n").replace("\n", "\r\n" if "\r\n" in content else "\n")


def view(path: str, start: int = 1, end: int = 0) -> str:
    file = place(path)
    if file.is_dir():
        return "\n".join(sorted(p.name + "/" * p.is_dir() for p in file.iterdir()))
    lines = lines_of(file.read_bytes().decode(errors="replace"))
    first = max(1, start)
    if first > max(1, len(lines)):
        raise Refused(f"{path}: line {first}: it has {len(lines)} lines")
    last = min(end if end > 0 else len(lines), first + MOST_LINES - 1, len(lines))
    shown = [f"{n}\t{lines[n - 1].rstrip(ENDS)}" for n in range(first, last + 1)]
    more = [f"[{len(lines) - last} more lines]"] if last < len(lines) else []
    return "\n".join(shown + more)


def create(path: str, text: str) -> str:
    file = place(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    write(file, text)
    return f"{path}: written"


def str_replace(path: str, old: str, new: str) -> str:
    file = place(path)
    content = read(file)
    # It looks ahead, so that two places that overlap count as two.
    lines = "(?:\r\n|(?<!\r)\n)".join(map(re.escape, old.replace("\r\n", "\n").split("\n")))
    found = list(re.finditer(f"(?=({lines}))", content)) if old else []
    if len(found) != 1:
        raise Refused(f"{path}: the text to replace is there {len(found)} times, must be once")
    start, end = found[0].span(1)
    write(file, content[:start] + as_in(content, new) + content[end:])
    return f"{path}: replaced"


def insert(path: str, line: int, text: str) -> str:
    file = place(path)
    content = read(file)
    lines = lines_of(content)
    if not 0 <= line <= len(lines):
        raise Refused(f"{path}: line {line}: it has {len(lines)} lines")
    if line and not lines[line - 1].endswith("\n"):
        lines[line - 1] += as_in(content, "\n")
    lines.insert(line, as_in(content, text if text.endswith("\n") else text + "\n"))
    write(file, "".join(lines))
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
