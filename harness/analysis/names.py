"""Names as figures write them: short, and each still its own."""

from collections import Counter
from collections.abc import Iterable

LONGEST = 20
"""letters of a name, of an agent, a model or an arm, that have a place in a figure"""


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Names without whose they are, cut in the middle.

    What came out the same for two is written out; the table beside a figure has whole names.
    """
    cut = {name: _cut(name.rpartition("/")[2]) for name in names}
    counts = Counter(cut.values())
    return {name: short if counts[short] == 1 else name for name, short in cut.items()}


def _cut(name: str) -> str:
    head = LONGEST * 2 // 3
    return name if len(name) <= LONGEST else f"{name[:head]}…{name[head + 1 - LONGEST :]}"
