"""The small checkout for the tests of whole commands."""

from pathlib import Path

import pytest

from tests.benches import checkout_with_venv


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return checkout_with_venv(tmp_path / "home")


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For tests that change nothing in the checkout; references are recorded once."""
    return checkout_with_venv(tmp_path_factory.mktemp("shared") / "home")
