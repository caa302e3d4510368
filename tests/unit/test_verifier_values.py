"""What makes a type one of values that cannot be changed, and what it knows."""

import ast

import pytest

from harness.verifier.tree import Class
from harness.verifier.values import is_fixed, rules

PRIVATE = """
class Hours:
    def __init__(self, start):
        self._start = start

    @property
    def start(self):
        return self._start
"""
REFUSING = """
class Hours:
    def __init__(self, start):
        object.__setattr__(self, "start", start)

    def __setattr__(self, name, value):
        raise AttributeError(name)
"""
MADE_OTHERWISE = """
class Hours:
    @classmethod
    def read(cls, text):
        made = cls.__new__(cls)
        made._start = int(text)
        return made
"""
SETTER = """
    @start.setter
    def start(self, value):
        self._start = value
"""


def made(text: str) -> Class:
    (node,) = ast.parse(text).body
    assert isinstance(node, ast.ClassDef)
    return Class(node.name, "hours.py", node)


@pytest.mark.parametrize(
    "text",
    [
        "@dataclass(frozen=True)\nclass Hours:\n    start: int",
        "@dataclasses.dataclass(slots=True, frozen=True)\nclass Hours:\n    start: int",
        "@attrs.frozen\nclass Hours:\n    start: int",
        "class Hours(BaseModel, frozen=True):\n    start: int",
        "class Hours(BaseModel):\n    model_config = ConfigDict(frozen=True)\n    start: int",
        "class Hours(NamedTuple):\n    start: int",
        "class Hours(namedtuple('Hours', 'start end')):\n    pass",
        "class Hours(tuple[int, int]):\n    pass",
        REFUSING,
        PRIVATE,
        PRIVATE.replace("    def __init__", "    __slots__ = ('_start',)\n\n    def __init__"),
        PRIVATE.replace("    def __init__", "    MOST: ClassVar[int] = 23\n\n    def __init__"),
        MADE_OTHERWISE,
    ],
)
def test_what_nothing_can_set_is_fixed(text: str) -> None:
    assert is_fixed(made(text))


@pytest.mark.parametrize(
    "text",
    [
        "@dataclass\nclass Hours:\n    start: int",
        "@dataclass(slots=True)\nclass Hours:\n    start: int",
        "class Hours(BaseModel):\n    start: int",
        PRIVATE.replace("_start", "start"),
        PRIVATE.replace("    def __init__", "    __slots__ = ('start',)\n\n    def __init__"),
        PRIVATE + SETTER,
        PRIVATE + "\n    def move(self):\n        object.__setattr__(self, '_start', 0)\n",
        REFUSING.replace("raise AttributeError(name)", "super().__setattr__(name, value)"),
        REFUSING.partition("    def __setattr__")[0],
        "class Hours:\n    def cover(self, start, now):\n        return now.hour >= start",
    ],
)
def test_what_can_be_set_is_not_fixed(text: str) -> None:
    assert not is_fixed(made(text))


def test_making_showing_and_telling_apart_are_no_rules() -> None:
    methods = ("__init__", "__contains__", "__lt__", "__eq__", "__repr__", "_check", "cover")
    text = "".join(f"\n    def {name}(self): ..." for name in methods)
    assert rules(made(f"class Hours:{text}")) == ("__contains__", "__lt__", "cover")
