"""What was known of customers over time: the change stream of attributes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


@dataclass(frozen=True)
class AttributeTable:
    """Changes of customers' attributes, each row the full state known at its moment.

    Attributes
    ----------
    customers : pyarrow.StringArray of length n_customers
        Sorted by UTF-8 bytes.
    offsets : ndarray of int64, shape (n_customers + 1,)
        Where each customer's changes begin.
    known_at : ndarray of int64, shape (n_changes,)
        Microseconds UTC, sorted within a customer.
    columns : mapping of str to ndarray, each of shape (n_changes,)
        float64 for numbers; object (None where missing) for texts.
    """

    customers: pa.StringArray
    offsets: NDArray[np.int64]
    known_at: NDArray[np.int64]
    columns: Mapping[str, NDArray[Any]]

    @classmethod
    def build(
        cls,
        customer_ids: Any,
        known_at: NDArray[np.int64],
        columns: Mapping[str, NDArray[Any]],
    ) -> AttributeTable:
        """Return the table of changes given in any order.

        Examples
        --------
        >>> table = AttributeTable.build(
        ...     ["b", "a"], np.array([5, 7]), {"age": np.array(["19-24", None], dtype=object)}
        ... )
        >>> table.customers.to_pylist(), table.known_at.tolist()
        (['a', 'b'], [7, 5])
        """
        ids = _texts(customer_ids).dictionary_encode()
        order = pc.array_sort_indices(ids.dictionary).to_numpy()
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        codes = rank[ids.indices.to_numpy()]
        by_customer = np.lexsort((known_at, codes))
        counts = np.bincount(codes, minlength=len(order))
        return cls(
            ids.dictionary.take(pa.array(order)),
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            np.ascontiguousarray(known_at[by_customer], dtype=np.int64),
            {name: values[by_customer] for name, values in columns.items()},
        )

    def rows_of(self, customer_ids: Any) -> NDArray[np.int64]:
        """Return the number of each customer, -1 for those of whom nothing is stored."""
        found = pc.index_in(_texts(customer_ids), self.customers)
        numbers: NDArray[np.int64] = found.fill_null(-1).to_numpy().astype(np.int64)
        return numbers

    def take(self, name: str, changes: NDArray[np.int64], number: bool) -> NDArray[Any]:
        """Return an attribute's value at each change; missing where the change is -1.

        A source that has no such attribute knows it of nobody: all values are missing.
        """
        out: NDArray[Any] = (
            np.full(len(changes), np.nan) if number else np.full(len(changes), None, dtype=object)
        )
        if name in self.columns:
            known = changes >= 0
            out[known] = self.columns[name][changes[known]]
        return out


def _texts(customer_ids: Any) -> pa.StringArray:
    if isinstance(customer_ids, pa.ChunkedArray):
        return customer_ids.combine_chunks().cast(pa.string())
    if isinstance(customer_ids, pa.Array):
        return customer_ids.cast(pa.string())
    return pa.array([str(customer) for customer in customer_ids], pa.string())
