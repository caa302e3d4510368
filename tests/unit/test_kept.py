"""Modules that are kept: found by their names alone, wherever a file of one of them may lie."""

import importlib
import marshal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.sandbox.inside.kept import KeptBesideFiles, KeptModules

PACKAGE = """
try:
    from . import extra
except ImportError:
    extra = None
from .loose import part
"""
PART = """
try:
    from . import more
except ImportError:
    more = None
"""
TEXTS = {"keptpack": (PACKAGE, True), "keptpack.loose.part": (PART, False)}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Path]:
    """Files that an agent planted in the folders of kept packages; nothing stays imported."""
    (tmp_path / "keptpack/loose").mkdir(parents=True)
    for name in ("extra", "loose/more"):
        (tmp_path / f"keptpack/{name}.py").write_text("who = 'agent'\n")
    finders = list(sys.meta_path)
    yield tmp_path
    sys.meta_path[:] = finders
    for name in [name for name in sys.modules if name.startswith("keptpack")]:
        del sys.modules[name]


def found_by(kind: type[KeptModules], workspace: Path) -> tuple[object, object]:
    """What two kept modules get where they ask for a module that is not kept."""
    compiled = {
        name: (marshal.dumps(compile(text, name, "exec")), is_package)
        for name, (text, is_package) in TEXTS.items()
    }
    sys.meta_path.insert(0, kind(compiled, str(workspace)))
    package = importlib.import_module("keptpack")
    return package.extra, package.part.more


def test_a_program_of_kept_code_alone_takes_no_file_of_a_kept_packages_folder(workspace):
    assert found_by(KeptModules, workspace) == (None, None)


def test_beside_files_a_kept_package_has_the_files_of_its_folder(workspace):
    found = found_by(KeptBesideFiles, workspace)
    assert [module.who for module in found] == ["agent", "agent"]
