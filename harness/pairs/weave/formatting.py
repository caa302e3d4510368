"""Woven Python as ruff writes it: imports in order and used, one style."""

import ast
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from harness.errors import BadInput
from harness.pairs.weave.trees import Tree

Known = dict[tuple[str, str], str]
"""path and text of a file -> its text as ruff writes it"""
_FIXES = ("check", "--isolated", "--line-length", "100", "--target-version", "py311", "--select",
          "I,F401,Q", "--config", "lint.isort.split-on-trailing-comma=false",
          "--fix", "--quiet", "--exit-zero", "--no-cache")  # fmt: skip
_FORMATS = ("format", "--isolated", "--line-length", "100", "--target-version", "py311", "--quiet",
            "--no-cache")  # fmt: skip


def formatted(trees: Sequence[Tree], known: Known) -> list[Tree]:
    """The trees, their Python files formatted: every new file once, all of them in one call.

    `known` has files that were formatted before, and gets those that were not: it saves time alone.

    Raises:
        BadInput: a file is not Python, or there is no ruff.
    """
    wanted = {each for tree in trees for each in tree.items() if each[0].endswith((".py", ".pyi"))}
    new = sorted(wanted - known.keys())
    if new:
        known.update(zip(new, _as_ruff_writes(new), strict=True))
    return [{path: known.get((path, text), text) for path, text in tree.items()} for tree in trees]


def _as_ruff_writes(files: list[tuple[str, str]]) -> list[str]:
    with tempfile.TemporaryDirectory() as name:
        places = [
            Path(name, str(number), Path(path).name) for number, (path, _) in enumerate(files)
        ]
        for place, (path, text) in zip(places, files, strict=True):
            _check_syntax(path, text)
            place.parent.mkdir()
            place.write_text(text, encoding="utf-8")
        for arguments in (_FIXES, _FORMATS):
            _ruff(*arguments, name)
        return [place.read_text(encoding="utf-8") for place in places]


def _check_syntax(path: str, text: str) -> None:
    try:
        ast.parse(text)
    except SyntaxError as error:
        line = (text.splitlines() or [""])[(error.lineno or 1) - 1].strip()
        raise BadInput(
            f"app/: what is woven as {path}:{error.lineno} is not Python: {line}"
        ) from None


def _ruff(*arguments: str) -> None:
    program = _ruff_program()
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().partition("\n")[0]
        raise BadInput(f"app/: the woven code is not Python: {said}")


def _ruff_program() -> str:
    beside = Path(sys.executable).with_name("ruff")
    found = str(beside) if beside.is_file() else shutil.which("ruff")
    if found is None:
        raise BadInput("weave: ruff is not installed; `pip install 'seambench[weave]'` has it")
    return found
