"""What `tasks/<app>/<name>/task.yaml` may say.

tasks/<app>/<name>/
  task.yaml
  instruction.md             domain words only, the same on every arm
  hidden/test_*.py           the hidden behaviour tests
  predicates.py              structural predicates, run in the verifier
  solutions/<name>/<arm>.patch
  sabotages/<name>/<arm>.patch   task.yaml lists each <name>
"""

from typing import Literal

from pydantic import Field

from harness.pairs.spec import Spec

Factor = Literal["behaviour", "equivalence", "structure", "contract", "integrity"]
TaskClass = Literal["L", "I", "X", "D"]


class Solution(Spec):
    """A reference solution; every arm has `solutions/<name>/<arm>.patch`."""

    independent: bool = False
    """written without sight of the first solution"""


class Sabotage(Spec):
    """A patch that must be refused."""

    meaning: str
    fails: Factor
    """the factor of Resolved that must refuse it"""
    also: tuple[Factor, ...] = ()
    """factors that may fail too; any other factor must hold"""


class TaskSpec(Spec):
    """One refactoring request over an app."""

    app: str
    like: str | None = None
    """a task of another app with the same behaviour, as "app/name", whose instruction, hidden tests
    and predicates this one takes"""
    title: str
    family: str
    task_class: TaskClass = Field(alias="class")
    contexts: tuple[str, ...] = Field(min_length=1)
    """the target contexts"""
    new_contexts: tuple[str, ...] = ()
    """contexts that the app does not have yet and that a solution makes"""
    base: str | None = None
    """folder with `<arm>.patch` laid over the app before the task starts: a seeded fault where the
    class is D, else the same behaviour in another shape"""
    agent_seconds: float = Field(1800.0, gt=0, allow_inf_nan=False)
    predicates: tuple[str, ...] = Field(min_length=1)
    """names of the functions in predicates.py, each of which must fail on the base"""
    intended: tuple[str, ...] = ()
    """OpenAPI changes that the task asks for, as "METHOD path" or "METHOD path field": no breach"""
    differs: tuple[str, ...] = ()
    """fields of answers that the task changes on purpose, left out of the comparison with the
    base, as "METHOD path-template field"; the hidden tests pin what they must become"""
    solutions: dict[str, Solution] = Field(min_length=1)
    sabotages: dict[str, Sabotage] = Field(min_length=3)
