"""The order in which things are shown: fixed where one is known, by name where not."""

from collections.abc import Iterable

ARMS = ("monolith", "modular", "microservices")
CONTROLS = ("oracle", "nop", "sabotage", "replay")
CALIBRATING = ("oracle", "nop", "sabotage")
"""the controls whose outcome is known beforehand"""
CLASSES = ("L", "I", "X", "D")
FACTORS = ("behaviour", "equivalence", "structure", "contract", "integrity")


def rank(known: tuple[str, ...], name: str) -> tuple[int, str]:
    """A sort key: known names in their order, then the others by name."""
    return (known.index(name) if name in known else len(known), name)


def sort_arms(arms: Iterable[str]) -> list[str]:
    """Each arm once, from the most coupled to the most distributed."""
    return sorted(set(arms), key=lambda arm: rank(ARMS, arm))
