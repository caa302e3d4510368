"""What captions say of intervals, and of what kept some from having one."""

from collections import Counter

import pandas as pd


def intervals(rows: pd.DataFrame, before: str) -> str:
    """What the intervals of `rows` are, behind the words `before`; nothing where none has one."""
    return f"{before}95% t intervals over apps" if rows["low"].notna().any() else ""


def notes(rows: pd.DataFrame) -> str:
    """Each note of `EffectRow`s as a sentence behind a space, with how many have it if not all."""
    found = Counter(note for told in rows["note"].dropna() for note in told.split("; "))
    return "".join(
        f" {note[:1].upper()}{note[1:]}"
        + ("." if count == len(rows) else f" ({count} of {len(rows)} estimates).")
        for note, count in found.items()
    )
