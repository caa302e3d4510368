"""Fixtures that every kind of test may use, and which tests may run side by side."""

import pytest

from tests.sandboxes import container, containers, processes, sandbox, sandboxes

__all__ = ["container", "containers", "processes", "sandbox", "sandboxes"]


@pytest.hookimpl(tryfirst=True)  # before the plugin reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Two at once (`-n 2 --dist loadgroup`): files as they come, what takes an engine in turn.

    Tests of containers and of the browser count what runs and what is left behind.
    """
    for item in items:
        alone = any(item.get_closest_marker(name) for name in ("docker", "browser"))
        item.add_marker(pytest.mark.xdist_group("engine" if alone else str(item.path)))
