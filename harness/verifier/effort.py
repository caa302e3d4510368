"""How much a patch changes, by bounded context and by domain and glue.

Code lines leave out blank lines, comments and docstrings (as cloc counts Python), and a line counts
by its tokens, so that reflowed spaces and an edited trailing comment are no change. A moved line
counts as deleted and added, a renamed file only with what was edited in it. Raw lines and hunks
come from git, on the host, and so does what counts as renamed: both are counts of one diff.

Contracts that are no Python are in git's counts alone: they tell what code elsewhere does, and not
every arm has any.
"""

import difflib
import io
import re
import tokenize
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from .globs import matches, matching
from .job import LARGEST_FILE, Settings
from .ownership import SHARED
from .tree import Tree

_SILENT = frozenset({tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT,
                     tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER})  # fmt: skip
_COMMENTS = {".sql": re.compile(r"\s*--"), "": re.compile(r"\s*#")}
_LONGEST_EXACT = 4000


@dataclass
class Edits:
    """Files and code lines."""

    files: int = 0
    added: int = 0
    deleted: int = 0

    def count(self, added: int, deleted: int) -> None:
        self.files += 1
        self.added += added
        self.deleted += deleted


@dataclass
class Effort:
    """The edits of a patch; `contexts` has only those with an edited file."""

    total: Edits = field(default_factory=Edits)
    domain: Edits = field(default_factory=Edits)
    glue: Edits = field(default_factory=Edits)
    contexts: dict[str, Edits] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        return asdict(self)


def effort(base: Mapping[str, bytes], tree: Mapping[str, bytes], settings: Settings) -> Effort:
    """Count the edits between two trees; files of no single context count as `shared`.

    A file renamed from one context into another is an edit of both, with its lines in the new one.
    """
    before = Tree(base, settings)
    after = Tree(tree, settings, before)
    owners = {f.path: (f.context, f.kind) for f in (*before.files, *after.files)}
    found = Effort()
    renamed = settings.renamed
    is_ignored = matching(settings.ignored)
    for path in sorted((base.keys() | tree.keys()) - set(renamed.values())):
        source = renamed.get(path, path)
        old, new = base.get(source, b""), tree.get(path, b"")
        same = old == new and path == source and (path in base) == (path in tree)
        if same or is_ignored(path) or (_tells(path, settings) and _tells(source, settings)):
            continue
        added, deleted = changed_lines(code_lines(path, old), code_lines(path, new))
        context, kind = owners.get(path, (SHARED, "glue"))
        counted = [found.total, found.domain if kind == "domain" else found.glue]
        for edits in (*counted, found.contexts.setdefault(context, Edits())):
            edits.count(added, deleted)
        left = owners.get(source, (SHARED, "glue"))[0]
        if left != context:
            found.contexts.setdefault(left, Edits()).count(0, 0)
    return found


def _tells(path: str, settings: Settings) -> bool:
    """Whether a file tells of code and is none itself."""
    return matches(path, settings.contracts) and not path.endswith(".py")


def changed_lines(old: list[str], new: list[str]) -> tuple[int, int]:
    """Lines added and deleted."""
    # Beyond this size popular lines are treated as noise, to keep the time bounded.
    noise = len(old) + len(new) > _LONGEST_EXACT
    added = deleted = 0
    for _, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=noise).get_opcodes():
        if old[a:b] != new[c:d]:
            deleted += b - a
            added += d - c
    return added, deleted


def code_lines(path: str, content: bytes) -> list[str]:
    """The lines of a file that are code, comparable; none of a file that is not text."""
    if b"\0" in content or len(content) > LARGEST_FILE:
        return []
    text = content.decode("utf-8", "replace")
    if path.endswith(".py"):
        try:
            return _python_lines(text)
        except (tokenize.TokenError, SyntaxError):
            pass  # broken Python is counted like any other text
    comment = _COMMENTS[".sql" if path.endswith(".sql") else ""]
    return [line.strip() for line in text.splitlines() if line.strip() and not comment.match(line)]


def _python_lines(text: str) -> list[str]:
    lines: dict[int, list[str]] = {}
    statement: list[tokenize.TokenInfo] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NEWLINE:
            _keep(statement, lines)
            statement = []
        elif token.type not in _SILENT:
            statement.append(token)
    _keep(statement, lines)
    return [" ".join(lines[number]) for number in sorted(lines)]


def _keep(statement: list[tokenize.TokenInfo], lines: dict[int, list[str]]) -> None:
    if all(token.type == tokenize.STRING for token in statement):
        return  # a docstring
    for token in statement:
        for offset, part in enumerate(token.string.split("\n")):
            lines.setdefault(token.start[0] + offset, []).append(part)
