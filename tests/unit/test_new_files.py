"""In which file of a context something new stands decides no verdict, and in no arm another one."""

import ast
from collections.abc import Iterator, Mapping

import pytest

from harness.bases import Bases
from harness.tasks import load_tasks
from harness.verifier.tree import Source
from tests.trees import ARMS, CHECKOUT, PAIRS, Start, start_of

EXAMPLES = (
    ("atelier/ledger-and-holds", "solutions/made-at-once"),
    ("atelier/quiet-hours", "solutions/frozen"),
    ("lindenhof/open-days", "solutions/open-days-told"),
    ("lindenhof/who-pays-what", "solutions/functions"),
    ("quayside/clearance", "solutions/by-state"),
    ("quayside/periods", "solutions/frozen"),
)
APART = "rules_apart"
Definition = ast.FunctionDef | ast.ClassDef


def every_solution(arm: str) -> Iterator[tuple[str, str]]:
    for task in load_tasks(CHECKOUT, PAIRS, [f"{app}/*" for app in PAIRS]):
        if arm in PAIRS[task.spec.app].spec.arms:
            for name in task.spec.solutions:
                yield task.id, f"solutions/{name}"


def defined(module: ast.Module) -> dict[str, Definition]:
    return {node.name: node for node in module.body if isinstance(node, Definition)}


def split(file: Source, names: set[str]) -> tuple[str, str]:
    """A file without some of its definitions, which it imports, and what stands in the new one."""
    brought = [node for node in file.tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    nodes = [node for name, node in defined(file.tree).items() if name in names]
    kept = [node for node in file.tree.body if node not in nodes]
    at = max((kept.index(node) + 1 for node in brought), default=1)
    back = ast.parse(f"from .{APART} import {', '.join(sorted(names))}").body
    left = ast.Module([*kept[:at], *back, *kept[at:]], [])
    return ast.unparse(left), ast.unparse(ast.Module([*brought, *nodes], []))


def moved(start: Start) -> dict[str, bytes]:
    """What a solution adds to files of rules, moved into new files next to those."""
    before = {file.path: file for file in start.before.python}
    changed: dict[str, bytes] = {}
    for file in start.tree({}).python:
        if file.kind == "domain" and file.path in before:
            names = defined(file.tree).keys() - defined(before[file.path].tree).keys()
            if names:
                left, apart = split(file, set(names))
                path = f"{file.path.rpartition('/')[0]}/{APART}.py"
                changed[file.path] = left.encode()
                changed[path] = changed.get(path, b"") + apart.encode() + b"\n"
    return changed


def refusals(reasons: Mapping[str, str | None]) -> dict[str, str]:
    return {name: why for name, why in reasons.items() if why}


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Bases:
    return Bases(tmp_path_factory.mktemp("bases"))


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize(("task", "solution"), EXAMPLES)
def test_what_a_solution_adds_may_stand_in_a_new_file(
    bases: Bases, task: str, solution: str, arm: str
) -> None:
    start = start_of(bases, task, solution, arm)
    changed = moved(start)
    assert any(APART in path for path in changed)
    assert refusals(start.reasons(changed)) == {}


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("arm", ARMS)
def test_what_any_solution_adds_may_stand_in_a_new_file(bases: Bases, arm: str) -> None:
    """About 40 s an arm."""
    count = 0
    for task, solution in every_solution(arm):
        start = start_of(bases, task, solution, arm)
        changed = moved(start)
        count += bool(changed)
        assert (task, solution, refusals(start.reasons(changed))) == (task, solution, {})
    assert count > 70


@pytest.mark.parametrize("arm", ["monolith", "modular"])
def test_a_record_in_a_new_file_may_be_imported_by_those_that_ask(bases: Bases, arm: str) -> None:
    start = start_of(bases, "lindenhof/trusted-patients", "solutions/limits", arm)
    changed = moved(start)
    (path,) = (path for path in changed if APART in path)
    line = f"\nfrom {path.removesuffix('.py').replace('/', '.')} import Trust\n"
    for name in ("billing", "schedule"):
        (asking,) = start.tree({}).context(name).domain.python
        changed[asking.path] = asking.content + line.encode()
    assert start.tree(changed).context("patients").domain.class_("Trust").path == path
    assert refusals(start.reasons(changed)) == {}


TOPICS = b'''\
"""Topics."""


def topic(kind: str, reference: str) -> str:
    return f"{kind}:{reference}"


def parts(text: str) -> list[str]:
    return text.split(":")
'''
PLACES = {
    "monolith": ("quayside/services/topics.py", "quayside/topics.py", "quayside/parts/topics.py"),
    "modular": ("quayside/notices/topics.py", "quayside/topics.py", "quayside/parts/topics.py"),
    "microservices": ("notices/topics.py",),
}
BESIDE = [(arm, path) for arm in ARMS for path in PLACES[arm]]


@pytest.mark.parametrize("importing", [(), ("notices",), ("notices", "tariff"),
                                       ("notices", "declarations"), ("shared",)])  # fmt: skip
@pytest.mark.parametrize(("arm", "path"), BESIDE)
def test_what_a_context_must_not_hold_it_may_not_hold_in_a_new_file(
    bases: Bases, arm: str, path: str, importing: tuple[str, ...]
) -> None:
    start = start_of(bases, "quayside/kind-and-reference", "solutions/columns", arm)
    assert refusals(start.reasons({})) == {}
    line = f"\nfrom {path.removesuffix('.py').replace('/', '.')} import topic\n".encode()
    changed = {path: TOPICS}
    for name in importing:
        context = start.tree({}).context(name)
        file = (context.domain.python or context.python)[-1]
        changed[file.path] = file.content + line
    assert "joins texts" in refusals(start.reasons(changed))["nothing_puts_them_together"]
