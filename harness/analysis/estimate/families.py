"""Many tests at once: Holm for a named family, Benjamini-Hochberg for exploration."""

import numpy as np
import pandas as pd


def holm(p_values: pd.Series) -> pd.Series:
    """Adjusted p: the chance of one false rejection in the family is held (Holm 1979).

    A null stays null and is not a member of the family.
    """
    known = p_values.dropna().astype(float).sort_values(kind="stable")
    factors = np.arange(len(known), 0, -1)
    adjusted = np.minimum(1.0, np.maximum.accumulate(known.to_numpy() * factors))
    return _back(adjusted, known, p_values)


def benjamini_hochberg(p_values: pd.Series) -> pd.Series:
    """Adjusted p: the share of false discoveries is held (Benjamini and Hochberg 1995)."""
    known = p_values.dropna().astype(float).sort_values(kind="stable")
    ranks = np.arange(1, len(known) + 1)
    scaled = known.to_numpy() * len(known) / ranks
    adjusted = np.minimum(1.0, np.minimum.accumulate(scaled[::-1])[::-1])
    return _back(adjusted, known, p_values)


def _back(adjusted: np.ndarray, known: pd.Series, p_values: pd.Series) -> pd.Series:
    """In the order of the input, nulls in their places."""
    found = pd.Series(adjusted, index=known.index, dtype="Float64")
    return found.reindex(p_values.index)
