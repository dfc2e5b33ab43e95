"""What was known of customers over time: the change stream of attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class AttributeTable:
    """Changes of customers' attributes, each row the full state known at its moment.

    Attributes
    ----------
    customers : ndarray of str, shape (n_customers,)
        Sorted.
    offsets : ndarray of int64, shape (n_customers + 1,)
        Where each customer's changes begin.
    known_at : ndarray of int64, shape (n_changes,)
        Microseconds UTC, sorted within a customer.
    columns : mapping of str to ndarray, each of shape (n_changes,)
        float64 for numbers; object (None where missing) for texts.
    """

    customers: NDArray[Any]
    offsets: NDArray[np.int64]
    known_at: NDArray[np.int64]
    columns: Mapping[str, NDArray[Any]]

    @classmethod
    def build(
        cls,
        customer_ids: Sequence[str] | NDArray[Any],
        known_at: NDArray[np.int64],
        columns: Mapping[str, NDArray[Any]],
    ) -> AttributeTable:
        """Return the table of changes given in any order.

        Examples
        --------
        >>> table = AttributeTable.build(
        ...     ["b", "a"], np.array([5, 7]), {"age": np.array(["19-24", None], dtype=object)}
        ... )
        >>> table.customers.tolist(), table.known_at.tolist()
        (['a', 'b'], [7, 5])
        """
        ids = np.asarray(customer_ids, dtype=object)
        customers, codes = np.unique(ids.astype(str), return_inverse=True)
        order = np.lexsort((known_at, codes))
        counts = np.bincount(codes, minlength=len(customers))
        return cls(
            customers.astype(object),
            np.cumsum([0, *counts], dtype=np.int64),
            np.ascontiguousarray(known_at[order], dtype=np.int64),
            {name: values[order] for name, values in columns.items()},
        )

    def rows_of(self, customer_ids: NDArray[Any]) -> NDArray[np.int64]:
        """Return the number of each customer, -1 for those of whom nothing is stored."""
        numbers = {customer: number for number, customer in enumerate(self.customers.tolist())}
        return np.fromiter(
            (numbers.get(customer, -1) for customer in customer_ids.tolist()),
            np.int64,
            len(customer_ids),
        )

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
