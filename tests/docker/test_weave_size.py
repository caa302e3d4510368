"""The contexts that make an app larger are live: they pass the suite of the app they come from."""

import shutil
from pathlib import Path

import pytest

from tests.authoring import APP, ROOT, write_example
from tests.benches import seambench

pytestmark = [pytest.mark.docker, pytest.mark.long]
DONOR = ROOT / "fixtures/atelier"


@pytest.mark.timeout(1500)
def test_a_grown_app_answers_as_itself_and_as_its_donor_on_every_arm(tmp_path: Path) -> None:
    home = write_example(tmp_path / "home")
    fixture = home / f"fixtures/{APP}"
    shutil.copytree(DONOR / "app", home / "fixtures/atelier/app")
    with (fixture / "app/app.yaml").open("a") as spec:
        spec.write("\nsize: {contexts: 6, donors: [atelier], seed: 1}\n")
    assert seambench(home, "weave", APP).returncode == 0
    assert seambench(home, "pairs", "record", APP).returncode == 0

    own = seambench(home, "pairs", "verify", APP, "--sequences", "10", timeout=700)
    assert own.returncode == 0, own.stdout + own.stderr

    grown = fixture / "microservices"
    ((word, _),) = [path.name.split("_") for path in grown.glob("*_accounts")]
    shutil.rmtree(fixture / "contract")
    shutil.copytree(DONOR / "contract", fixture / "contract")
    for path in (fixture / "contract").glob("*.py"):
        path.write_text(path.read_text().replace("/v1/", f"/v1/{word}-"))
    assert seambench(home, "pairs", "record", APP).returncode == 0
    theirs = seambench(home, "pairs", "verify", APP, "--sequences", "10", timeout=700)
    assert theirs.returncode == 0, theirs.stdout + theirs.stderr
    assert "microservices: contract suite 227/227 passed" in theirs.stdout
