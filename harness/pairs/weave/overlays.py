"""Overlays on an app's sources, as a patch for each arm.

A folder with `app.patch`, a patch of app/; and what the loom cannot know, as patches over the woven
arms: `extra.patch` over each, `<arm>.extra.patch` over one. Where an implicit coupling asks for
something else, `<arm>.dose<N>.extra.patch` takes the latter's place from the coupling's dose on.
"""

import difflib
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import BadInput
from harness.pairs.weave.arms import ARMS, emit
from harness.pairs.weave.formatting import Known, formatted
from harness.pairs.weave.reading import read_sources
from harness.pairs.weave.size import grown
from harness.pairs.weave.sources import App
from harness.pairs.weave.trees import Tree
from harness.specfile import read_text

FAULT = "base"
"""the folder of a task with the overlay of its seeded fault"""
Layers = tuple[Path, ...]
_ARM = "|".join(ARMS)
_NAMES = re.compile(rf"(app|extra|({_ARM})(\.dose[12])?\.extra|({_ARM})(\.dose\d)?)\.patch")
"""the parts of an overlay, and the patches that are made of it"""


@dataclass(frozen=True)
class Overlay:
    """The folder of an overlay, and of the seeded fault that is there before it."""

    folder: Path
    under: Path | None = None

    @property
    def before(self) -> Layers:
        return (self.under,) if self.under else ()

    @property
    def after(self) -> Layers:
        return (*self.before, self.folder)


def find_overlays(tasks: Path) -> list[Overlay]:
    """The seeded faults, solutions and sabotages of an app's tasks that are overlays."""
    kinds = (FAULT, "solutions/*", "sabotages/*")
    found = sorted(path for kind in kinds for path in tasks.glob(f"*/{kind}") if _is_overlay(path))
    for folder in found:
        for patch in folder.glob("*.patch"):
            if not _NAMES.fullmatch(patch.name):
                raise BadInput(f"{patch}: no overlay has a part of that name")
    faults = {path.parent: path for path in found if path.name == FAULT}
    return [Overlay(path, None if path in faults.values() else faults.get(path.parents[1]))
            for path in found]  # fmt: skip


def overlay_patches(
    app: App, base: Tree, overlays: Sequence[Overlay], known: Known, dose: int
) -> list[dict[str, str]]:
    """What changes of the sources are in each arm: arm -> patch, as `git diff` writes it.

    `base` is what `app` gives at the dose without any of them.

    Raises:
        BadInput: a patch does not apply, or what it gives cannot be woven.
    """
    wanted = {layers for each in overlays for layers in (each.before, each.after) if layers}
    order = sorted(wanted)
    raw = [emit(grown(_laid(app, layers)), dose) for layers in order]
    trees: dict[Layers, Tree] = {(): base}
    for layers, tree in zip(order, formatted(raw, known), strict=True):
        trees[layers] = _with_extras(tree, layers, dose)
    patches = [
        {arm: _diff(_arm(trees[each.before], arm), _arm(trees[each.after], arm)) for arm in ARMS}
        for each in overlays
    ]
    for each, of_arms in zip(overlays, patches, strict=True):
        if not any(of_arms.values()):
            raise BadInput(f"{each.folder}: changes nothing in any arm")
    return patches


def _is_overlay(folder: Path) -> bool:
    return any(folder.glob("app.patch")) or any(folder.glob("*extra.patch"))


def _laid(app: App, layers: Layers) -> App:
    """The app with the patches of its sources laid over them, one after another."""
    texts = app.texts
    for folder in layers:
        if (folder / "app.patch").is_file():
            texts = _patched(texts, folder / "app.patch")
    if texts is app.texts:
        return app
    try:
        return read_sources(app.folder, texts)
    except BadInput as error:
        raise BadInput(f"{layers[-1] / 'app.patch'}: {error}") from None


def _with_extras(tree: Tree, layers: Layers, dose: int) -> Tree:
    for folder in layers:
        for arm in ARMS:
            for extra in (folder / "extra.patch", _extra(folder, arm, dose)):
                if extra.is_file():
                    patched = _patched(_arm(tree, arm), extra)
                    others = {path: text for path, text in tree.items()
                              if not path.startswith(f"{arm}/")}  # fmt: skip
                    tree = others | {f"{arm}/{path}": text for path, text in patched.items()}
    return tree


def _extra(folder: Path, arm: str, dose: int) -> Path:
    """The arm's part at this dose, which may not be there."""
    at_doses = [folder / f"{arm}.dose{each}.extra.patch" for each in range(dose, 0, -1)]
    return next((path for path in at_doses if path.is_file()), folder / f"{arm}.extra.patch")


def _arm(tree: Tree, arm: str) -> Tree:
    return {path.removeprefix(f"{arm}/"): text for path, text in tree.items()
            if path.startswith(f"{arm}/")}  # fmt: skip


def _patched(tree: Mapping[str, str], patch: Path) -> Tree:
    """The tree after `git apply`, which sees the files that the patch may mean and no others."""
    said = read_text(patch)
    meant = {path: text for path, text in tree.items() if path in said}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)  # outside any repository: a plain patch
        for path, text in meant.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        command = ("git", "apply", str(patch.resolve()))
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BadInput(f"{patch}: does not apply: {done.stderr.splitlines()[0]}")
        files = [each for each in folder.rglob("*") if each.is_symlink() or each.is_file()]
        new = {each.relative_to(folder).as_posix(): _made(patch, each, folder) for each in files}
    return {path: text for path, text in tree.items() if path not in meant} | new


def _made(patch: Path, path: Path, folder: Path) -> str:
    """The text of a file that a patch has made in a folder. Raises BadInput."""
    made = f"{patch}: makes {path.relative_to(folder)}"
    if path.is_symlink() or path.stat().st_mode & 0o111:
        raise BadInput(f"{made} a link or a program, not a plain file")
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise BadInput(f"{made} something that is no text in UTF-8") from None


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
    ended = (line if line.endswith("\n") else f"{line}\n{_NO_END}" for line in lines)
    return head + "".join(ended)


_NO_END = "\\ No newline at end of file\n"
