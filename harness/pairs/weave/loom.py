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
from harness.specfile import read_spec

Tree = dict[str, str]
_FIXES = ("check", "--isolated", "--line-length", "100", "--target-version", "py311", "--select",
          "I,F401,Q", "--fix", "--quiet", "--exit-zero")  # fmt: skip
_FORMATS = ("format", "--isolated", "--line-length", "100", "--target-version", "py311", "--quiet")


def read_app(folder: Path) -> App:
    """The sources in `folder` (`fixtures/<app>/app`). Raises BadInput: file, key or line, problem."""
    return read_sources(folder, read_spec(folder / "app.yaml", AppSpec))


def weave(app: App, dose: int = 2) -> Tree:
    """Every file that the loom writes, by path below `fixtures/<app>/`; the same for ever.

    `dose` is how many of the couplings the tangled arm has: 0 none, 1 and 2 as app.yaml says.
    """
    trees = {arm: emit(app) | _papers(app) for arm, emit in arms.ARMS.items() if arm != "monolith"}
    trees = {"monolith": arms.monolith(app, dose) | _papers(app), **trees}
    woven = {f"{arm}/{path}": text for arm, tree in trees.items() for path, text in tree.items()}
    woven["pair.yaml"] = pairfile(app, trees)
    return _formatted(woven)


def write_tree(tree: Tree, folder: Path) -> None:
    """Put the woven files below `folder` in place of the arms that were there."""
    for arm in arms.ARMS:
        shutil.rmtree(folder / arm, ignore_errors=True)
    for path, text in tree.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def differing(tree: Tree, folder: Path) -> list[str]:
    """Paths below `folder` that are not what the sources give: changed, missing or left over."""
    there = {path.relative_to(folder).as_posix() for arm in arms.ARMS
             for path in (folder / arm).rglob("*") if _counts(path)}  # fmt: skip
    changed = {path for path, text in tree.items()
               if not (folder / path).is_file() or (folder / path).read_text("utf-8") != text}  # fmt: skip
    return sorted(changed | (there - tree.keys()))


def overlay_patches(app: App, base: Tree, overlay: Path) -> dict[str, bytes]:
    """What a change of the sources is in each arm: arm -> patch, as `git diff` writes it.

    `overlay` holds `app.patch`, a patch of app/, and where an arm needs what the loom cannot know,
    `<arm>.extra.patch` over the arm as it was woven. Raises BadInput where either does not apply.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(app.folder, folder / "app")
        _apply(overlay / "app.patch", folder / "app")
        changed = weave(read_app(folder / "app"))
        for arm in arms.ARMS:
            extra = overlay / f"{arm}.extra.patch"
            if extra.is_file():
                changed = _with_extra(changed, arm, extra, folder)
    return {arm: _diff(_arm(base, arm), _arm(changed, arm)).encode() for arm in arms.ARMS}


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
    command = ("git", "apply", "--unsafe-paths", f"--directory={folder}", str(patch.resolve()))
    # Outside any repository, so that git takes the paths as they are.
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
    names = ["/dev/null" if old is None else f"a/{path}", "/dev/null" if new is None else f"b/{path}"]
    lines = difflib.unified_diff((old or "").splitlines(keepends=True),
                                 (new or "").splitlines(keepends=True), *names)  # fmt: skip
    return head + "".join(lines)


def _papers(app: App) -> Tree:
    """README, .gitignore and requirements: the same in every arm."""
    return {
        "README.md": arms.template("README.md", APP=app.spec.package, TITLE=app.spec.title),
        ".gitignore": arms.template("gitignore"),
        "requirements.txt": arms.template("requirements.txt"),
    }


def _formatted(tree: Tree) -> Tree:
    """The Python files as ruff writes them: imports in order and used, one style."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = {path: text for path, text in tree.items() if path.endswith(".py")}
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        for arguments in (_FIXES, _FORMATS):
            _ruff(*arguments, folder)
        done = {path: (folder / path).read_text(encoding="utf-8") for path in files}
    return {path: done.get(path, text) for path, text in tree.items()}


def _ruff(*arguments: str | Path) -> None:
    program = _ruff_program()
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise BadInput(f"app/: the woven code is not Python: {done.stderr.strip().splitlines()[0]}")


def _ruff_program() -> str:
    beside = Path(sys.executable).with_name("ruff")
    found = str(beside) if beside.is_file() else shutil.which("ruff")
    if found is None:
        raise BadInput("weave: ruff is not installed; `pip install 'seambench[weave]'` has it")
    return found


def _counts(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts
