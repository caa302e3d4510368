"""What a tool call was for, by rule, and which bounded contexts it touched."""

import re
from collections.abc import Mapping

from harness.agents.protocol import Assignment
from harness.verifier.globs import matching

NAVIGATE = frozenset(
    [
        "ls",
        "cd",
        "find",
        "grep",
        "rg",
        "egrep",
        "fgrep",
        "tree",
        "pwd",
        "which",
        "git",
        "wc",
        "stat",
        "du",
    ]
)
READ = frozenset(["cat", "head", "tail", "less", "more", "sed", "awk", "nl", "diff", "jq", "view"])
EDIT = frozenset(
    ["tee", "touch", "mkdir", "rm", "mv", "cp", "patch", "chmod", "create", "str_replace", "insert"]
)
TEST = frozenset(["pytest", "tox", "unittest"])
RUN = frozenset(
    ["app", "python", "python3", "curl", "wget", "sqlite3", "make", "bash", "sh", "uvicorn"]
)
KINDS = ("edit", "test", "run", "read", "navigate", "other")
"""The strongest first: a command line is what its strongest part is."""
_SPLIT = re.compile(r"&&|\|\||[;|\n]")
_WRITES = re.compile(r"(?<![0-9&>])>>?\s*(?!/dev/|&)\S")
_PATH = re.compile(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*/?")


def kind_of(tool: str, arguments: Mapping[str, object]) -> str:
    """navigate, read, edit, test, run or other."""
    if tool == "edit":
        return "read" if arguments.get("command") == "view" else "edit"
    if tool != "bash":
        return "other"
    found = {_kind(part) for part in _SPLIT.split(str(arguments.get("command", "")))}
    if _WRITES.search(str(arguments.get("command", ""))):
        found.add("edit")
    return next(kind for kind in KINDS if kind in found or kind == "other")


def _kind(part: str) -> str:
    words = part.split()
    while words and ("=" in words[0] or words[0] in {"sudo", "time", "env", "timeout"}):
        words = words[1:]
    name = words[0].rsplit("/", 1)[-1] if words else ""
    if name == "app":
        return "test" if words[1:2] == ["test"] else "run"
    if any(word in TEST for word in words[:3]):
        return "test"
    if name == "git":
        return "edit" if words[1:2] in (["apply"], ["checkout"], ["mv"], ["rm"]) else "navigate"
    if name == "sed" and any(word.startswith("-i") for word in words):
        return "edit"
    tables = {"navigate": NAVIGATE, "read": READ, "edit": EDIT, "run": RUN}
    return next((kind for kind, table in tables.items() if name in table), "other")


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
