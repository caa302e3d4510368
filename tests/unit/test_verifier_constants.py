"""What code means by the constants that it names."""

import ast

import pytest

from harness.verifier.constants import constants, errors, gives_one_thing, texts, words


def module(text: str) -> ast.Module:
    return ast.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "A = 'word'",
        "A: Final = 'word'",
        "A, B = 'word', 'other'",
        "if True:\n    A = 'word'",
        "class Words(Enum):\n    A = 'word'",
        "class Words:\n    A: ClassVar[str] = 'word'",
        "B = 'word'\nA = B",
        "A = frozenset({'word'})",
    ],
)
def test_a_constant_is_followed_to_its_words(text: str) -> None:
    for asking in ("x == A", "x == words.A", "x in A"):
        assert "word" in texts(module(asking), words(constants([module(text)])))


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    A = 'word'",
        "class Row:\n    A: str = 'word'",
        "A = {'word': 1}",
        "A = Model('word')",
        "B['A'] = 'word'",
    ],
)
def test_locals_fields_tables_and_things_are_no_words(text: str) -> None:
    assert not texts(module("x == A"), words(constants([module(text)])))


def test_a_function_has_constants_of_its_own() -> None:
    (function,) = module("def f():\n    A = 'word'\n    def g():\n        B = 'other'").body
    assert constants([function]).keys() == {"A"}


def test_constants_that_name_one_another_come_to_an_end() -> None:
    known = constants([module("A = B + 'a'\nB = A + 'b'")])
    assert texts(module("A"), known) == {"a", "b"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("T = {'a': f, 'b': f}", True),
        ("T: dict[str, F] = {'a': lambda x: f(x), 'b': lambda x: f(x)}", True),
        ("T = dict(a=f, b=f)", True),
        ("T = dict.fromkeys(KEYS, f)", True),
        ("T = {key: f for key in KEYS}", True),
        ("T = {}\nT['a'] = f\nT['b'] = f", True),
        ("T = {'a': f, 'b': g}", False),
        ("T = {'a': f}\nT['b'] = g", False),
        ("T = {'a': lambda x, y: x, 'b': lambda x, y: y}", False),
        ("T = {key: f(key) for key in KEYS}", False),
        ("T = {}\ndef register(key, rule):\n    T[key] = rule", False),
        ("U = {'a': f, 'b': f}", False),
    ],
)
def test_a_table_of_one_entry_is_told_from_others(text: str, expected: bool) -> None:
    assert gives_one_thing([module(text)], "T") is expected


@pytest.mark.parametrize("raised", ["Late", "Late()", "errors.Late('now')", "Late from None"])
def test_what_a_refusal_says_is_also_what_its_class_says(raised: str) -> None:
    classes = "class Late(Exception):\n    code = 'late'\nclass Loan:\n    state = 'open'\n"
    asking = module(f"raise {raised}")
    assert errors([module(classes), asking]).keys() == {"Late"}
    assert "late" in texts(asking, errors([module(classes), asking]))
