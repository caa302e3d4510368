"""The calls between the programs of an app, noted while they run as they do in every trial."""

import io

import pytest
from rich.console import Console

from harness import build
from harness.config import SandboxKind
from harness.gates.recording import contracts_hold
from harness.pairs import load_pair
from harness.paths import Checkout
from tests.benches import config
from tests.samples import ROOT
from tests.sandboxes import say

pytestmark = pytest.mark.docker


def test_every_recorded_contract_is_noted_again_in_containers() -> None:
    """About 15 s. A program cannot write beside its code there, so the notes lie elsewhere."""
    said = io.StringIO()
    here = Checkout(ROOT)
    with build.bench(config(SandboxKind.docker, [], tasks=[]), here, say) as bench:
        assert contracts_hold(bench, load_pair(here, "atelier"), Console(file=said)), (
            said.getvalue()
        )
    assert "microservices: 18 of 18 contracts as told" in said.getvalue()
