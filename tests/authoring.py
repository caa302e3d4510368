"""The example of docs/authoring.md, as a checkout."""

import re
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[1]
APP = "toolshed"
_GIT = re.compile(r"^    (git .*)$", re.MULTILINE)
_FILE = re.compile(r"^\*\*(\S+)\*\*\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def example_files() -> dict[str, str]:
    """What the page tells its reader to write: path -> text."""
    page = (ROOT / "docs/authoring.md").read_text(encoding="utf-8")
    found = _FILE.findall(page)
    assert len(found) == page.count("\n```\n"), "a block without a path, or a path without a block"
    return dict(found)


def write_example(root: Path) -> Path:
    """The example below `root`, which has the configs of the real checkout."""
    for path, text in example_files().items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    shutil.copytree(ROOT / "configs", root / "configs")
    shutil.copy(ROOT / "fixtures/requirements.lock", root / "fixtures")
    return root


def git_commands() -> list[str]:
    """The commands with which the page makes the patch of a change, for its example."""
    page = (ROOT / "docs/authoring.md").read_text(encoding="utf-8")
    return [line.replace("APP", APP) for line in _GIT.findall(page)]
