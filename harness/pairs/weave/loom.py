"""Weaving: app/ in, arms and pair.yaml out, and the patches of the tasks."""

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
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def differing(self) -> list[Path]:
        """What is not as the sources give it: changed, missing or left over."""
        changed = {path for path, text in self.files.items() if _text(path) != text}
        return sorted(changed | self._left_over())

    def _left_over(self) -> set[Path]:
        there = {path for arm in ARMS for path in (self.fixture / arm).rglob("*")}
        kept = {path for path in there if path.is_file() and "__pycache__" not in path.parts}
        return {path for path in kept - self.files.keys() if path.parent.name not in RECORDED}


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None
