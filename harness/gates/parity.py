"""The parity report: what an app's arms have in common and what differs, in numbers."""

import io
import time
import tokenize
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rich.table import Table

from harness.bases import own_code
from harness.pairs import Pair
from harness.pairs.spec import Arm
from harness.patch import Tree
from harness.scoring.evidence import ContractEvidence
from harness.stopwatch import Stopwatch
from harness.trial import Bench
from harness.verification import Known, Subject, session
from harness.verifier.contract import programs
from harness.verifier.globs import matching
from harness.verifier.openapi import operations

_NOT_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}


@dataclass(frozen=True)
class Size:
    """Files, code lines (no blank lines, comments, docstrings) and Python tokens."""

    files: int = 0
    lines: int = 0
    tokens: int = 0

    def __add__(self, other: "Size") -> "Size":
        return Size(self.files + other.files, self.lines + other.lines, self.tokens + other.tokens)


@dataclass(frozen=True)
class Parity:
    """One arm in numbers. Start-up is the median over fresh starts, in seconds."""

    arm: str
    domain: Size
    glue: Size
    files_a_context: float
    contexts: int
    programs: int
    operations: int
    start_seconds: float


def measure(bench: Bench, pair: Pair, arm: str) -> Parity:
    """Read the arm's own files and start it; nothing of an agent's is involved."""
    tree = bench.bases.tree(pair, arm)
    spec = pair.spec.arms[arm]
    domain, glue = domain_and_glue(tree, spec)
    seconds, contract = _start(bench, pair, arm)
    app_toml = tree.entries["app.toml"].content
    return Parity(
        arm,
        total(domain.values()),
        total(glue.values()),
        files_a_context(tree, spec),
        len(spec.contexts),
        len(contract.programs),
        public_operations(contract.documents or {}, app_toml, pair.spec.entry_port),
        seconds,
    )


def domain_and_glue(tree: Tree, spec: Arm) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """An arm's own Python files by path: its domain code, and all the rest but tests."""
    is_domain = matching([glob for files in spec.contexts.values() for glob in files.domain])
    own = own_code(tree)
    domain = {path: content for path, content in own.items() if is_domain(path)}
    return domain, {path: content for path, content in own.items() if path not in domain}


def files_a_context(tree: Tree, spec: Arm) -> float:
    """Python files that belong to one context, domain and glue, as a mean over the contexts."""
    owned = matching([glob for each in spec.contexts.values() for glob in each.domain + each.glue])
    return sum(owned(path) for path in own_code(tree)) / len(spec.contexts)


def total(contents: Iterable[bytes]) -> Size:
    """The size of some Python files together."""
    return sum((size(content) for content in contents), Size())


def size(content: bytes) -> Size:
    """The size of one Python file of a fixture."""
    tokens = [
        token
        for token in tokenize.tokenize(io.BytesIO(content).readline)
        if token.type not in _NOT_CODE
    ]
    code = [token for token in tokens if not _is_docstring(token)]
    lines = {line for token in code for line in range(token.start[0], token.end[0] + 1)}
    return Size(1, len(lines), len(code))


def _is_docstring(token: tokenize.TokenInfo) -> bool:
    """A string that begins its line and ends one: a statement of its own."""
    alone = token.line.strip().startswith(('"""', "'''")) and token.type == tokenize.STRING
    return alone and not token.line[: token.start[1]].strip()


def _start(bench: Bench, pair: Pair, arm: str) -> tuple[float, ContractEvidence]:
    base: Tree = bench.bases.tree(pair, arm)
    times = []
    with session(
        bench.sandboxes, Subject(pair, arm, base, base), Known(b"[]"), Stopwatch()
    ) as opened:
        for _ in range(5):
            begun = time.monotonic()
            opened.start()
            times.append(time.monotonic() - begun)
        contract = opened.phase(ContractEvidence, "contract")
    return sorted(times)[2], contract


def public_operations(documents: Mapping[str, object], app_toml: bytes, port: int) -> int:
    """Operations of the program that answers the public API: the one at its port."""
    return sum(operations(documents.get(name))
               for name, its in programs(app_toml).items() if its == port)  # fmt: skip


def table(app: str, arms: list[Parity]) -> Table:
    """The report as a table, a column an arm."""
    shown = Table(title=f"{app}: parity of the arms")
    shown.add_column("")
    for parity in arms:
        shown.add_column(parity.arm, justify="right")
    rows = {
        "domain: code lines": [str(p.domain.lines) for p in arms],
        "domain: tokens": [str(p.domain.tokens) for p in arms],
        "domain: files": [str(p.domain.files) for p in arms],
        "glue: code lines": [str(p.glue.lines) for p in arms],
        "glue: tokens": [str(p.glue.tokens) for p in arms],
        "glue: files": [str(p.glue.files) for p in arms],
        "files a context": [f"{p.files_a_context:.1f}" for p in arms],
        "contexts": [str(p.contexts) for p in arms],
        "programs": [str(p.programs) for p in arms],
        "public endpoints": [str(p.operations) for p in arms],
        "start-up, s": [f"{p.start_seconds:.2f}" for p in arms],
    }
    for name, values in rows.items():
        shown.add_row(name, *values)
    return shown
