"""Fixtures that every kind of test may use."""

from tests.sandboxes import container, containers, processes, sandbox, sandboxes

__all__ = ["container", "containers", "processes", "sandbox", "sandboxes"]
