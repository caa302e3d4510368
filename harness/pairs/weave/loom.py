"""Weaving: app/ in, arms out; and overlays on app/, as a patch for each arm."""

import difflib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from harness.errors import BadInput
from harness.pairs.weave import arms
from harness.pairs.weave.pairfile import pairfile
from harness.pairs.weave.sources import App, read_sources
from harness.pairs.weave.spec import AppSpec
from harness.pairs.weave.trees import template
from harness.specfile import read_spec

Tree = dict[str, str]
Known = dict[tuple[str, str], str]
"""path and text of a file -> its text as ruff writes it"""
BASE = "base"
"""the folder of a task with the overlay of its seeded fault"""
_FIXES = ("check", "--isolated", "--line-length", "100", "--target-version", "py311", "--select",
          "I,F401,Q", "--fix", "--quiet", "--exit-zero")  # fmt: skip
_FORMATS = ("format", "--isolated", "--line-length", "100", "--target-version", "py311", "--quiet")


def read_app(folder: Path) -> App:
    """The sources in `folder` (`fixtures/<app>/app`). Raises BadInput: file, key, problem."""
    return read_sources(folder, read_spec(folder / "app.yaml", AppSpec))


def weave(app: App, dose: int = 2, known: Known | None = None) -> Tree:
    """Every file that the loom writes, by path below `fixtures/<app>/`; the same for ever.

    `dose` is how many of the couplings the tangled arm has: 0 none, 1 and 2 as app.yaml says.
    `known` has files that were formatted before, and gets those that were not: it saves time alone.
    """
    trees = {arm: emit(app, dose) | _papers(app) for arm, emit in arms.ARMS.items()}
    woven = {f"{arm}/{path}": text for arm, tree in trees.items() for path, text in tree.items()}
    woven["pair.yaml"] = pairfile(app, trees)
    return _formatted(woven, {} if known is None else known)


class Woven:
    """Everything that the sources of an app give: its arms, pair.yaml and its tasks' patches."""

    def __init__(self, fixture: Path, tasks: Path) -> None:
        """`fixture` is `fixtures/<app>`, `tasks` is `tasks/<app>`. Raises BadInput."""
        self.fixture = fixture
        app = read_app(fixture / "app")
        known: Known = {}
        tree = weave(app, known=known)
        self.files = {fixture / path: text for path, text in tree.items()}
        for overlay in _overlays(tasks):
            fault = overlay.parents[1] / BASE
            under = fault if overlay != fault and _is_overlay(fault) else None
            for arm, patch in overlay_patches(app, tree, overlay, under, known).items():
                self.files[overlay / f"{arm}.patch"] = patch

    def write(self) -> None:
        """Put the files in place; what is left over in an arm goes."""
        for path in self._left_over():
            path.unlink()
        for path, text in self.files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def differing(self) -> list[Path]:
        """What is not as the sources give it: changed, missing or left over."""
        changed = {path for path, text in self.files.items() if _text(path) != text}
        return sorted(changed | self._left_over())

    def _left_over(self) -> set[Path]:
        there = {path for arm in arms.ARMS for path in (self.fixture / arm).rglob("*")}
        kept = {path for path in there if path.is_file() and "__pycache__" not in path.parts}
        return kept - self.files.keys()


def _overlays(tasks: Path) -> list[Path]:
    """The folders of seeded faults, solutions and sabotages that are overlays."""
    folders = [*tasks.glob(f"*/{BASE}"), *tasks.glob("*/solutions/*"), *tasks.glob("*/sabotages/*")]
    return sorted(folder for folder in folders if _is_overlay(folder))


def _is_overlay(folder: Path) -> bool:
    return any(folder.glob("app.patch")) or any(folder.glob("*extra.patch"))


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def overlay_patches(
    app: App, base: Tree, overlay: Path, under: Path | None = None, known: Known | None = None
) -> dict[str, str]:
    """What a change of the sources is in each arm: arm -> patch, as `git diff` writes it.

    `overlay` holds `app.patch`, a patch of app/; and what the loom cannot know, as patches over the
    woven arms: `extra.patch` over each, `<arm>.extra.patch` over one. `under` is an overlay that is
    there before it, a seeded fault; `base` is what `app` gives without either. `known`: see weave.

    Raises:
        BadInput: a patch does not apply, or what it gives cannot be woven.
    """
    old = base if under is None else _laid(app, under, known=known)
    new = _laid(app, *filter(None, (under, overlay)), known=known)
    return {arm: _diff(_arm(old, arm), _arm(new, arm)) for arm in arms.ARMS}


def _laid(app: App, *overlays: Path, known: Known | None) -> Tree:
    """What an app gives with overlays laid over its sources and its arms, one after another."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(app.folder, folder / "app")
        for overlay in overlays:
            if (overlay / "app.patch").is_file():
                _apply(overlay / "app.patch", folder / "app")
        tree = weave(read_app(folder / "app"), known=known)
        for number, overlay in enumerate(overlays):
            for arm in arms.ARMS:
                for extra in (overlay / "extra.patch", overlay / f"{arm}.extra.patch"):
                    if extra.is_file():
                        tree = _with_extra(tree, arm, extra, folder / f"{number}.{extra.stem}")
    return tree


def _with_extra(tree: Tree, arm: str, extra: Path, folder: Path) -> Tree:
    place = folder / f"{arm}.woven"
    for path, text in _arm(tree, arm).items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_text(text, encoding="utf-8")
    _apply(extra, place)
    others = {path: text for path, text in tree.items() if not path.startswith(f"{arm}/")}
    files = [path for path in place.rglob("*") if path.is_file()]
    return others | {f"{arm}/{path.relative_to(place).as_posix()}": path.read_text("utf-8")
                     for path in files}  # fmt: skip


def _arm(tree: Tree, arm: str) -> Tree:
    return {path.removeprefix(f"{arm}/"): text for path, text in tree.items()
            if path.startswith(f"{arm}/")}  # fmt: skip


def _apply(patch: Path, folder: Path) -> None:
    command = ("git", "apply", str(patch.resolve()))  # outside any repository: a plain patch
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BadInput(f"{patch}: does not apply: {done.stderr.splitlines()[0]}")


def _diff(old: Tree, new: Tree) -> str:
    return "".join(_file_diff(path, old.get(path), new.get(path))
                   for path in sorted(old.keys() | new.keys())
                   if old.get(path) != new.get(path))  # fmt: skip


def _file_diff(path: str, old: str | None, new: str | None) -> str:
    head = f"diff --git a/{path} b/{path}\n"
    head += "new file mode 100644\n" if old is None else ""
    head += "deleted file mode 100644\n" if new is None else ""
    before = "/dev/null" if old is None else f"a/{path}"
    after = "/dev/null" if new is None else f"b/{path}"
    lines = difflib.unified_diff((old or "").splitlines(keepends=True),
                                 (new or "").splitlines(keepends=True), before, after)  # fmt: skip
    return head + "".join(lines)


def _papers(app: App) -> Tree:
    """README, .gitignore and requirements: the same in every arm."""
    return {
        "README.md": template("README.md", APP=app.spec.package, TITLE=app.spec.title),
        ".gitignore": template("gitignore"),
        "requirements.txt": template("requirements.txt"),
    }


def _formatted(tree: Tree, known: Known) -> Tree:
    """The Python files as ruff writes them: imports in order and used, one style."""
    files = {path: text for path, text in tree.items() if path.endswith(".py")}
    new = {path: text for path, text in files.items() if (path, text) not in known}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path, text in new.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        for arguments in (_FIXES, _FORMATS):
            _ruff(*arguments, folder)
        for path, text in new.items():
            known[path, text] = (folder / path).read_text(encoding="utf-8")
    return {path: known.get((path, text), text) for path, text in tree.items()}


def _ruff(*arguments: str | Path) -> None:
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
