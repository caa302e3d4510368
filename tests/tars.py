"""Unpacking in tests, the careful way where this Python knows it (3.11.4 and later)."""

import tarfile
from pathlib import Path


def unpack(tar: tarfile.TarFile, folder: Path) -> None:
    """Unpack what the tests themselves packed."""
    if hasattr(tarfile, "data_filter"):
        tar.extractall(folder, filter="data")
    else:
        tar.extractall(folder)
