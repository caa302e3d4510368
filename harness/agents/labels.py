"""What a tool call was for, by rule, and which bounded contexts it touched."""

import re
from collections.abc import Iterator, Mapping

from harness.agents.protocol import Assignment
from harness.verifier.globs import matching

KINDS = ("edit", "test", "run", "read", "navigate", "other")
"""The strongest first: a command line is what its strongest part is."""
PROGRAMS = {
    "edit": "tee touch mkdir rm mv cp ln patch chmod truncate",
    "test": "pytest tox",
    "run": "app python python3 perl curl wget sqlite3 make bash sh uvicorn",
    "read": "cat head tail less more sed awk nl diff jq",
    "navigate": "ls cd find grep rg egrep fgrep tree pwd which git wc stat du",
}
_GIT = r"git (?:-[Cc] \S+ |-(?![Cc] )\S+ )*"
UNLESS = (
    ("other", r"(?:tee|touch|mkdir|rm|cp) (?:\S+ )*/(?:tmp|dev)/\S+$"),
    ("test", r"app test\b"),
    ("test", r"python\S* (?:\S+ )*?-m (?:pytest|unittest|tox)\b"),
    ("edit", r"sed (?:\S+ )*?(?:-[nErsuz]*i|--in-place)"),
    ("edit", r"perl (?:\S+ )*?-[0-9a-z]*i"),
    ("edit", r"find (?:\S+ )*?-delete\b"),
    (
        "edit",
        _GIT + r"(?:apply|am|mv|rm|clean|checkout|switch|restore|reset|stash(?! list| show))\b",
    ),
    ("edit", _GIT + r"(?:revert|merge|rebase|cherry-pick)\b"),
    ("run", r"python[\d.]*(?: |$)"),
)
"""What a program does by its words where they tell more than its name; the first that fits."""
BEFORE = ("if", "then", "else", "elif", "while", "until", "do", "!", "sudo", "time")
AROUND = ("timeout", "env", "nice", "nohup", "stdbuf", "xargs", "command", "exec")
"""Words before a program; behind those of AROUND there may be others that are theirs."""

_KIND_OF = {name: kind for kind, names in PROGRAMS.items() for name in names.split()}
_HEREDOC = re.compile(r"(?<!<)<<-?[ \t]*(['\"]?)([A-Za-z_]\w*)\1")
_QUOTED = re.compile(r"\\[\s\S]|'[^']*'|\"(?:[^\"\\]|\\[\s\S])*\"|(?<!\S)#.*")
_SPLIT = re.compile(r"[;|&\n(){}`]|\s-(?:exec|execdir|ok)\s")
_ASSIGNMENT = re.compile(r"\w+=")
_WRITES = re.compile(r"(?<![0-9&>])>{1,2}(?!>)\|?\s*(?!/dev/|/tmp/)[^\s&(>|]")
_SCRIPT_WRITES = re.compile(r"(?<!stdout)(?<!stderr)\.write(?:_text|_bytes|lines)?\(")
_PATH = re.compile(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*/?")


def kind_of(tool: str, arguments: Mapping[str, object]) -> str:
    """navigate, read, edit, test, run or other."""
    command = str(arguments.get("command", ""))
    if tool == "edit":
        return "read" if command == "view" else "edit"
    if tool != "bash":
        return "other"
    line = _bare(command)
    found = {_kind(part.split()) for part in _SPLIT.split(line)}
    if _WRITES.search(line) or ("run" in found and _SCRIPT_WRITES.search(command)):
        found.add("edit")
    return next(kind for kind in KINDS if kind in found or kind == "other")


def _bare(command: str) -> str:
    """The line without what the shell does not read: quoted words, comments, texts for programs.

    A quote without its end stays as it is.
    """
    return _QUOTED.sub(lambda m: " " if m[0][0] == "#" else "_", "\n".join(_lines(command)))


def _lines(command: str) -> Iterator[str]:
    """The lines that are no text for a program's input."""
    lines = command.replace("\\\n", " ").split("\n")
    ends = {line.strip() for line in lines}
    until: str | None = None
    for line in lines:
        if until is None:
            yield line
            opened = _HEREDOC.search(line)
            until = opened[2] if opened and opened[2] in ends else None
        elif line.strip() == until:
            until = None


def _kind(words: list[str]) -> str:
    name, *rest = _begun(words) or [""]
    name = name.rsplit("/", 1)[-1]
    told = " ".join([name, *rest])
    special = (kind for kind, pattern in UNLESS if re.match(pattern, told))
    return next(special, _KIND_OF.get(name, "other"))


def _begun(words: list[str]) -> list[str]:
    """The words from the program's name on."""
    is_around = False
    for index, word in enumerate(words):
        is_around = is_around or word in AROUND
        is_program = word.rsplit("/", 1)[-1] in _KIND_OF if is_around else word not in BEFORE
        if is_program and not _ASSIGNMENT.match(word):
            return words[index:]
    return []


def contexts_in(assignment: Assignment, arguments: Mapping[str, object]) -> tuple[str, ...]:
    """The contexts whose files or folders the arguments name, in the pair's order."""
    if assignment.pair is None:
        return ()
    text = " ".join(str(arguments.get(key, "")) for key in ("command", "path"))
    paths = {path.removeprefix("./") for path in _PATH.findall(text.replace("/work/", ""))}
    owned = assignment.pair.spec.arms[assignment.arm].contexts
    touched = []
    for name, files in owned.items():
        globs = (*files.domain, *files.glue)
        is_own = matching(globs)
        if any(is_own(path) or _holds(path, globs) for path in paths):
            touched.append(name)
    return tuple(touched)


def _holds(path: str, globs: tuple[str, ...]) -> bool:
    """Whether a folder is a context's own; a folder that several share says nothing."""
    folder = path.rstrip("/") + "/"
    return bool(globs) and sum(g.startswith(folder) for g in globs) * 2 > len(globs)
