"""Tasks: one refactoring request each, described by `tasks/<app>/<name>/task.yaml`."""

from harness.tasks.load import Task, load_tasks
from harness.tasks.spec import Factor, TaskSpec

__all__ = ["Factor", "Task", "TaskSpec", "load_tasks"]
