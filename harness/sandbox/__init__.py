"""Sandboxes: where an agent works and where a verifier runs.

Two implementations of one Protocol: `docker` (containers) and `process` (plain subprocesses in
temporary folders, for control agents only). Both speak to the same `inside/runner.py`.
"""

from harness.sandbox.protocol import (
    Command,
    Finished,
    Kept,
    Limits,
    Role,
    Sandbox,
    Sandboxes,
)

__all__ = ["Command", "Finished", "Kept", "Limits", "Role", "Sandbox", "Sandboxes"]
