"""Rows that carry an identity seen before: the same again, or in conflict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


class Duplicates(NamedTuple):
    """For each row, whether an earlier row has its identity, and whether the two agree.

    Attributes
    ----------
    repeated : ndarray of bool
        An earlier row has the same identity and the same content.
    conflicting : ndarray of bool
        An earlier row has the same identity and other content.
    column : ndarray of object
        For a conflicting row the first column that differs, else None.
    first : ndarray of int64
        The earliest row of the same identity; a row without a duplicate is its own.
    """

    repeated: NDArray[np.bool_]
    conflicting: NDArray[np.bool_]
    column: NDArray[Any]
    first: NDArray[np.int64]


def codes(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """Return integers that are equal where the texts of a column are; -1 where it is null."""
    flat = column.combine_chunks().dictionary_encode()
    numbers = flat.indices.cast(pa.int64()).fill_null(-1)
    return np.asarray(numbers.to_numpy(zero_copy_only=False), dtype=np.int64)


def find(identity: NDArray[np.int64], content: Mapping[str, NDArray[Any]]) -> Duplicates:
    """Return which rows repeat or contradict the first row of their identity.

    Examples
    --------
    >>> import numpy as np
    >>> found = find(np.array([7, 8, 7, 7]), {"amount": np.array([1, 2, 1, 3])})
    >>> found.repeated.tolist(), found.conflicting.tolist(), found.column[3]
    ([False, False, True, False], [False, False, False, True], 'amount')
    """
    rows = np.arange(len(identity))
    _, starts, groups = np.unique(identity, return_index=True, return_inverse=True)
    first = starts[groups]
    later = np.flatnonzero(first != rows)
    column = np.full(len(rows), None, dtype=object)
    for name, values in reversed(list(content.items())):
        column[later[values[later] != values[first[later]]]] = name
    conflicting = np.array([name is not None for name in column[later]], dtype=bool)
    repeated_rows = np.zeros(len(rows), dtype=bool)
    conflicting_rows = np.zeros(len(rows), dtype=bool)
    repeated_rows[later[~conflicting]] = True
    conflicting_rows[later[conflicting]] = True
    return Duplicates(repeated_rows, conflicting_rows, column, first)
