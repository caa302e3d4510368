"""The size of code as the parity report counts it."""

import pytest

from harness.gates.parity import Size, size, total

CASES = {
    "nothing": ("", Size(1, 0, 0)),
    "one statement": ("x = 1\n", Size(1, 1, 3)),
    "blank lines and comments": ("# a\n\nx = 1  # b\n\n", Size(1, 1, 3)),
    "a docstring": ('"""What it is\nand why."""\nx = 1\n', Size(1, 1, 3)),
    "a string in use": ('x = """a\nb"""\n', Size(1, 2, 3)),
    "an indented docstring": ('def f():\n    """Why."""\n    return 1\n', Size(1, 2, 7)),
}


@pytest.mark.parametrize("case", CASES)
def test_only_code_counts(case: str) -> None:
    text, expected = CASES[case]
    assert size(text.encode()) == expected


def test_sizes_add_up() -> None:
    assert total([b"x = 1\n", b"", b"y\n"]) == Size(3, 2, 4)
