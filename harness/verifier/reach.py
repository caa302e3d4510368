"""Which files of an arm import which, read from their text."""

import ast
from collections.abc import Callable, Iterable, Mapping

Imports = dict[str, set[str]]
"""path -> the paths that it imports"""


def imports_of(files: Mapping[str, str] | Mapping[str, bytes]) -> Imports:
    """The imports among Python files; a file that does not parse imports nothing."""
    names = {module_of(path): path for path in files if path.endswith(".py")}
    return {path: _imported(path, files[path], names) for path in names.values()}


def module_of(path: str) -> str:
    """The name under which a file of Python is imported, from the root of its tree."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def reach(imports: Imports, start: Iterable[str]) -> set[str]:
    """Everything that runs when the files of `start` run.

    That is themselves, what they import, and the `__init__.py` of each folder on the way.
    """

    def run_by(path: str) -> Iterable[str]:
        return (*(init for init in _inits(path) if init in imports), *imports.get(path, ()))

    return follow(start, run_by)


def follow(start: Iterable[str], onward: Callable[[str], Iterable[str]]) -> set[str]:
    """Those of `start`, and all that leads on from them, directly or through others."""
    found: set[str] = set()
    todo = list(start)
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            todo += onward(path)
    return found


def _inits(path: str) -> list[str]:
    folders = path.split("/")[:-1]
    return ["/".join([*folders[: end + 1], "__init__.py"]) for end in range(len(folders))]


def _imported(path: str, text: str | bytes, names: Mapping[str, str]) -> set[str]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, LookupError, RecursionError, MemoryError):
        return set()
    wanted: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            wanted |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(path, node)
            wanted |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
            if node.names[0].name == "*":  # the package's `__all__` may name any module of its own
                wanted |= {name for name in names if name.startswith(f"{base}.")}
    return {names[name] for name in wanted if name in names} - {path}


def _absolute(path: str, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    folder = path.split("/")[: -node.level]
    return ".".join([*folder, *((node.module or "").split(".") if node.module else [])])
