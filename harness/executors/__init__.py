"""Executors: where the trials of a sweep run."""

from harness.executors.local import Executor, LocalExecutor

__all__ = ["Executor", "LocalExecutor"]
