"""Structural predicates: did the refactoring happen?"""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

from .job import Job, NoVerdict
from .limited import limited
from .tree import Missing, Tree
from .walk import Unparsable

Predicate = Callable[[Tree], object]
STUMBLES = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
"""What a predicate may raise on code that is not as it expects."""
_LONGEST = 300


def structure(job: Job) -> list[dict[str, object]]:
    """What became of each predicate. Raises NoVerdict where predicates.py itself is broken."""
    names = job.settings.predicates
    if not names:
        return []
    found = load_predicates(job.root / "predicates.py", names)
    base, files = job.files("base"), job.files("tree")

    def work() -> Iterator[dict[str, object]]:
        tree = Tree(files, job.settings, Tree(base, job.settings))
        for name, predicate in zip(names, found, strict=True):
            why = why_not(predicate, tree)
            yield {"name": name, "holds": why is None, "reason": why}

    outcome = limited(work, job.settings.inspect_seconds, job.settings.inspect_mb)
    results = [item for item in outcome.items if isinstance(item, dict)]
    results += [
        {"name": name, "holds": False, "reason": f"could not be checked: {outcome.died}"}
        for name in names[len(results) :]
    ]
    return results


def why_not(predicate: Predicate, tree: Tree) -> str | None:
    """Why a predicate does not hold, in one line; null where it holds.

    A predicate is ours, what it looks at is not: whatever it stumbles over does not hold.
    """
    try:
        answer = predicate(tree)
    except (Missing, Unparsable) as error:
        return _line(str(error))
    except (RecursionError, MemoryError, SyntaxError, SystemError) as error:
        return f"could not be parsed: {type(error).__name__}"
    except STUMBLES as error:
        return _line(f"could not be checked: {type(error).__name__}: {error}")
    if answer is None or answer == "":
        return None
    return _line(answer) if isinstance(answer, str) else f"the predicate returned {answer!r:.80}"


def load_predicates(path: Path, names: tuple[str, ...]) -> list[Predicate]:
    """The named functions of a predicates.py. It imports the view by the name of this package."""
    package = __name__.rsplit(".", 1)[0]
    # predicates.py says `from verifier.tree import ...` wherever this package is installed.
    sys.modules.setdefault("verifier", sys.modules[package])
    for part in ("tree", "syntax", "constants", "receivers", "values", "queries"):
        sys.modules.setdefault(f"verifier.{part}", import_module(f"{package}.{part}"))
    spec = importlib.util.spec_from_file_location("predicates", path)
    if spec is None or spec.loader is None:
        raise NoVerdict(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (SyntaxError, ImportError, NameError, OSError, *STUMBLES) as error:
        raise NoVerdict(f"predicates.py: {type(error).__name__}: {error}") from error
    missing = [name for name in names if not callable(getattr(module, name, None))]
    if missing:
        raise NoVerdict(f"predicates.py has no function {missing[0]}")
    return [getattr(module, name) for name in names]


def _line(text: str) -> str:
    return " ".join(text.split())[:_LONGEST] or "the predicate gave no reason"
