"""The example of docs/authoring.md, by the commands that the page gives."""

from pathlib import Path

import pytest

from tests.authoring import APP, write_example
from tests.benches import edit, seambench

pytestmark = [pytest.mark.docker, pytest.mark.long]


@pytest.mark.timeout(1200)
def test_the_example_is_proven_as_the_page_says(tmp_path: Path) -> None:
    home = write_example(tmp_path / "home")
    edit(home / "configs/config.yaml", "verification: full", "verification: quick")
    verify = ("pairs", "verify", APP, "--sequences", "20")

    assert seambench(home, "weave", APP).returncode == 0
    early = seambench(home, *verify)
    assert early.returncode == 1
    assert "microservices: 0 of 4 contracts as told" in early.stdout
    assert seambench(home, "pairs", "record", APP).returncode == 0
    assert seambench(home, "weave", APP, "--check").returncode == 0

    proven = seambench(home, *verify)
    assert proven.returncode == 0, proven.stdout + proven.stderr
    assert "monolith at dose 0 answers like monolith: 20 sequences" in proven.stdout
    assert "microservices: 4 of 4 contracts as told" in proven.stdout

    told = home / f"fixtures/{APP}/microservices/interactions/loans-members.json"
    edit(told, "no member nobody", "nobody is a member")
    stale = seambench(home, *verify)
    assert stale.returncode == 1
    assert "microservices/interactions/loans-members.json: not what the" in stale.stdout

    done = seambench(home, "validate", f"{APP}/*")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "15 of 15 controls as they must be" in done.stdout
