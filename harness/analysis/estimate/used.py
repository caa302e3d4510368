"""Which trials a number was made of, and their digest."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.analysis.estimate.effects import POOLED, PRIMARY
from harness.analysis.estimate.pairing import FACTORS, TASK, Contrast, Side
from harness.analysis.estimate.quality import MEASURES

Mask = NDArray[np.bool_]
"""which rows of the trials"""

HASHED = (
    "trial_id", *FACTORS, *TASK, "behaviour_of", "arm", "scope", "status",
    "failure_cause", "resolved", "agent_ending", "collateral_break_share", "app_code_lines",
    "input_tokens", "output_tokens", "cost_usd", "behaviour", "equivalence", "structure",
    "contract", "integrity", "expected_factor", *MEASURES,
)  # fmt: skip
"""what the numbers of the text are made of"""


def digest(rows: pd.DataFrame) -> str:
    """SHA-256 over the rows' own hashes, sorted, so that their order does not count.

    A row's hash is pandas' `hash_pandas_object` of HASHED.
    """
    hashes = rows["hash"] if "hash" in rows else row_hashes(rows)
    return _digest(hashes.to_numpy("uint64"))


def _digest(hashes: NDArray[np.uint64]) -> str:
    return hashlib.sha256(np.sort(hashes).astype("<u8").tobytes()).hexdigest()


def row_hashes(rows: pd.DataFrame) -> pd.Series:
    """One number a row, which changes with what the row says."""
    return pd.util.hash_pandas_object(rows[list(HASHED)], index=False)


def value_name(value: object) -> str:
    """A value of a column as text; a null is `none`."""
    return "none" if pd.isna(value) else str(value)  # type: ignore[call-overload]


@dataclass(frozen=True)
class Used:
    """How many trials a number was made of, and their digest."""

    trials: int
    sha256: str


def used(rows: pd.DataFrame) -> Used:
    """Of a number that all of these rows made."""
    return Used(len(rows), digest(rows))


class Rows:
    """The trials of a study with their row hashes (`hash`), to be told apart by what uses them.

    `wanted` is column -> the values that count, as `value_name` has them; `pooled` means any.
    """

    def __init__(self, trials: pd.DataFrame) -> None:
        self._trials = trials
        self._hash = trials["hash"].to_numpy("uint64")
        # A million trials are coded, and asked for a value, once for all numbers.
        self._held: dict[tuple[str, ...], Mask] = {}
        self._cell = self._numbered([*FACTORS, *TASK])
        columns = ("arm", "scope", *FACTORS, "task_class")
        self._codes = {name: pd.factorize(trials[name], use_na_sentinel=False) for name in columns}

    def of(
        self,
        contrast: Contrast,
        wanted: Mapping[str, Sequence[str]] | None = None,
        counted: Mask | None = None,
        common: Iterable[Side] = (),
    ) -> Used:
        """Those of both sides, of the cells that both sides (and `common`) have.

        `counted` are the trials that the estimator does not leave out.
        """
        sides = [self._side(side) for side in (contrast.minuend, contrast.subtrahend)]
        if counted is not None:
            sides = [side & counted for side in sides]
        cells = self._shared([*sides, *map(self._side, common)], self._cell)
        return self._used((sides[0] | sides[1]) & cells & self._all_of(wanted or {}))

    def across(self, contrast: Contrast, factor: str, levels: Sequence[str]) -> Used:
        """Those of both sides at these levels, of tasks that have all such cells."""
        cell = self._numbered([name for name in (*FACTORS, *TASK) if name != factor])
        sides = [
            self._side(side) & self._is(factor, [level])
            for side in (contrast.minuend, contrast.subtrahend)
            for level in levels
        ]
        return self._used(np.logical_or.reduce(sides) & self._shared(sides, cell))

    def repeated(self, wanted: Mapping[str, Sequence[str]], counted: Mask, times: int) -> Used:
        """Those of the cells of one arm and scope that have so many repeats."""
        rows = self._all_of(wanted) & counted
        return self._used(rows & (self._sizes(rows, self._cell) >= times)[self._cell])

    def _numbered(self, key: list[str]) -> NDArray[np.intp]:
        groups = self._trials.groupby(key, dropna=False, observed=True, sort=False)
        return groups.ngroup().to_numpy().astype(np.intp, copy=False)

    def _used(self, rows: Mask) -> Used:
        return Used(int(rows.sum()), _digest(self._hash[rows]))

    def _shared(self, sides: list[Mask], cell: NDArray[np.intp]) -> Mask:
        """Which rows are of a cell that each of the sides has."""
        held = np.logical_and.reduce([self._sizes(side, cell) > 0 for side in sides])
        shared: Mask = held[cell]
        return shared

    def _sizes(self, rows: Mask, cell: NDArray[np.intp]) -> NDArray[np.intp]:
        cells = int(cell.max(initial=-1)) + 1
        return np.bincount(cell[rows], minlength=cells).astype(np.intp)

    def _side(self, side: Side) -> Mask:
        return self._is("arm", [side.arm]) & self._is("scope", [side.scope])

    def _all_of(self, wanted: Mapping[str, Sequence[str]]) -> Mask:
        rows = np.ones(len(self._hash), bool)
        for column, values in wanted.items():
            if not {POOLED, PRIMARY} & set(values):
                rows &= self._is(column, values)
        return rows

    def _is(self, column: str, values: Sequence[str]) -> Mask:
        asked = (column, *values)
        if asked not in self._held:
            codes, known = self._codes[column]
            self._held[asked] = np.array([value_name(one) in values for one in known], bool)[codes]
        return self._held[asked]
