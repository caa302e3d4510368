"""From a workspace to a patch and back, with no file of the agent's ever lying on the host.

    tar --read_workspace--> Tree --make_patch--> Patch --apply_patch--> the same Tree

A tree is a value in memory. It enters git as objects, so nothing in it (attributes, filters,
hooks, configuration, links) can have an effect here.
"""

from harness.patch.changes import Changes, FileChange
from harness.patch.repository import (
    BaseRepository,
    Patch,
    apply_patch,
    make_patch,
)
from harness.patch.tree import EXECUTABLE, FILE, LINK, Entry, Limits, Tree
from harness.patch.workspace import Workspace, read_workspace

__all__ = [
    "EXECUTABLE",
    "FILE",
    "LINK",
    "BaseRepository",
    "Changes",
    "Entry",
    "FileChange",
    "Limits",
    "Patch",
    "Tree",
    "Workspace",
    "apply_patch",
    "make_patch",
    "read_workspace",
]
