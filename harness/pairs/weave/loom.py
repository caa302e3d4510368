"""Weaving: app/ in, arms and pair.yaml out, and the patches of the tasks."""

import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from harness.pairs.weave import overlays
from harness.pairs.weave.arms import ARMS, emit
from harness.pairs.weave.formatting import Known, formatted
from harness.pairs.weave.pairfile import RECORDED, pairfile
from harness.pairs.weave.reading import read_app, read_sources
from harness.pairs.weave.size import grown
from harness.pairs.weave.sources import App
from harness.pairs.weave.trees import Tree

DOSE = 2
"""how many of the couplings the tangled arm has: 0 none, 1 and 2 as app.yaml says"""

_AT_ONCE = 50
"""variants in memory and in one call of ruff"""


def weave(app: App, dose: int = DOSE, known: Known | None = None) -> Tree:
    """Every file that the loom writes, by path below `fixtures/<app>/`; the same for ever.

    `known`: see formatted.
    """
    app = grown(app)
    tree = emit(app, dose)
    (woven,) = formatted([tree], {} if known is None else known)
    return woven | {"pair.yaml": pairfile(app, tree, dose)}


def weave_variants(
    app: App, variants: Sequence[Mapping[str, str]], dose: int = DOSE
) -> Iterator[Tree]:
    """The arms, then the arms with the files of each variant in place of the app's own.

    Raises:
        BadInput: what a variant says cannot be woven.
    """
    known: Known = {}
    every: list[Mapping[str, str]] = [{}, *variants]
    for start in range(0, len(every), _AT_ONCE):
        texts = ({**app.texts, **each} for each in every[start : start + _AT_ONCE])
        apps = [read_sources(app.folder, each) for each in texts]
        yield from formatted([emit(grown(each), dose) for each in apps], known)


class Woven:
    """Everything that the sources of an app give: its arms, pair.yaml and its tasks' patches."""

    def __init__(self, fixture: Path, tasks: Path, dose: int = DOSE) -> None:
        """`fixture` is `fixtures/<app>`, `tasks` is `tasks/<app>`. Raises BadInput."""
        self.fixture = fixture
        app = read_app(fixture / "app")
        if app.spec.app != fixture.name:
            raise app.wrong(f"{app.spec.app!r}, and its folder is {fixture.name}/", "app")
        known: Known = {}
        tree = weave(app, dose, known)
        self.files = {fixture / path: text for path, text in tree.items()}
        found = overlays.find_overlays(tasks)
        patches = overlays.overlay_patches(app, tree, found, known, dose)
        for overlay, arms in zip(found, patches, strict=True):
            for arm, patch in arms.items():
                self.files[overlay.folder / f"{arm}.patch"] = patch

    def write(self) -> None:
        """Put the files in place; what is left over in an arm goes."""
        for path in self._left_over():
            path.unlink()
        for path, text in self.files.items():
            if _is(path, text):
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)  # a link or a mode would stay
            path.write_bytes(text.encode())

    def differing(self) -> list[Path]:
        """What is not as the sources give it: changed, missing or left over."""
        changed = {path for path, text in self.files.items() if not _is(path, text)}
        return sorted(changed | self._left_over())

    def _left_over(self) -> set[Path]:
        there = {path for arm in ARMS for path in (self.fixture / arm).rglob("*")}
        files = {path for path in there if path.is_symlink() or not path.is_dir()}
        return {path for path in files - self.files.keys() if not self._is_kept(path)}

    def _is_kept(self, path: Path) -> bool:
        """What Python caches, and the contracts that `pairs record` writes."""
        if path.is_symlink() or path.suffix == ".pyc":
            return not path.is_symlink() and path.parent.name == "__pycache__"
        recorded = [self.fixture / "microservices" / kind for kind in RECORDED]
        return path.parent in recorded and path.suffix == ".json"


def _is(path: Path, text: str) -> bool:
    """Whether it is a plain file of this text to the byte, which nobody can run."""
    try:
        found = path.lstat()
    except OSError:
        return False
    is_plain = stat.S_ISREG(found.st_mode) and not found.st_mode & 0o111
    return is_plain and path.read_bytes() == text.encode()
