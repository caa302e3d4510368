"""Which files a one-shot prompt shows: the task's contexts first, then by import distance."""

from collections import deque
from collections.abc import Iterable, Mapping

from harness.agents.protocol import Assignment
from harness.verifier.globs import matching
from harness.verifier.reach import imports_of


def pack(
    files: Mapping[str, str], assignment: Assignment, left: int
) -> tuple[list[tuple[str, str]], list[str]]:
    """The files that fit into `left` bytes, in order of nearness, and the names of the others.

    A file that does not fit is left out and smaller ones behind it may still come in.
    """
    shown: list[tuple[str, str]] = []
    left_out: list[str] = []
    for path in _order(files, assignment):
        # Escapes in the request's JSON count too: that is how the budget is measured.
        size = len(files[path].encode()) + files[path].count("\n") + 2 * files[path].count('"')
        size += len(path) + 16
        if size <= left:
            shown.append((path, files[path]))
            left -= size
        else:
            left_out.append(path)
            left -= len(path) + 2
    return shown, left_out


def _order(files: Mapping[str, str], assignment: Assignment) -> list[str]:
    targets = _targets(files, assignment)
    distance = _distances(files, targets)
    far = len(files) + 1
    return sorted(files, key=lambda p: (p not in targets, distance.get(p, far), p))


def _targets(files: Iterable[str], assignment: Assignment) -> set[str]:
    if assignment.pair is None:
        return set()
    owned = assignment.pair.spec.arms[assignment.arm].contexts
    globs = [g for c in assignment.task.spec.contexts for g in (*owned[c].domain, *owned[c].glue)]
    is_target = matching(globs)
    return {path for path in files if is_target(path)}


def _distances(files: Mapping[str, str], start: set[str]) -> dict[str, int]:
    """Steps along imports, in either direction."""
    near: dict[str, set[str]] = {path: set() for path in files}
    for path, targets in imports_of(files).items():
        for target in targets:
            near[path].add(target)
            near[target].add(path)
    found = dict.fromkeys(start, 0)
    queue = deque(sorted(start))
    while queue:
        path = queue.popleft()
        for other in sorted(near[path] - found.keys()):
            found[other] = found[path] + 1
            queue.append(other)
    return found
