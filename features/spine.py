"""Rows to be judged, each at its own moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

MICROS = 1_000_000


@dataclass(frozen=True)
class Spine:
    """Rows (row id, customer, moment, context) for which features or labels are wanted.

    Attributes
    ----------
    entity : str
        ``"customer"``, ``"lead"``, ``"impression"`` or another kind of row.
    row_id : ndarray of str, shape (n,)
        Unique.
    customer_id : ndarray of str, shape (n,)
        Whom the row is about.
    as_of : ndarray of int64, shape (n,)
        Microseconds UTC. Only what occurred *and* was recorded before it counts.
    context : dict of str to ndarray, each of shape (n,)
        The row's own values: text (None where missing), int64 or float64.
    ids : pyarrow.StringArray or pyarrow.DictionaryArray of length n, optional
        `customer_id` again, where it is at hand as Arrow: a million texts of Python take longer
        to read than the rest of a frame's rows.
    """

    entity: str
    row_id: NDArray[Any]
    customer_id: NDArray[Any]
    as_of: NDArray[np.int64]
    context: dict[str, NDArray[Any]] = field(default_factory=dict)
    ids: Any = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        lengths = {len(self.row_id), len(self.customer_id), len(self.as_of)}
        lengths |= {len(values) for values in self.context.values()}
        if len(lengths) != 1:
            raise ValueError(f"the columns of a spine differ in length: {sorted(lengths)}")

    def __len__(self) -> int:
        return len(self.row_id)

    def take(self, rows: NDArray[Any]) -> Spine:
        """Return the rows that a mask or an index chooses, in that order."""
        return Spine(
            self.entity,
            self.row_id[rows],
            self.customer_id[rows],
            self.as_of[rows],
            {name: values[rows] for name, values in self.context.items()},
            None if self.ids is None else self.ids.take(np.arange(len(self))[rows]),
        )

    def at(self, as_of: int) -> Spine:
        """Return the same rows judged at another moment (microseconds UTC)."""
        moved = np.full(len(self), as_of, dtype=np.int64)
        return replace(self, as_of=moved)


def grid(customer_ids: Sequence[str] | NDArray[Any], as_ofs: Sequence[int]) -> Spine:
    """Return one row for each customer and each moment.

    Parameters
    ----------
    customer_ids : sequence of str
    as_ofs : sequence of int
        Microseconds UTC.

    Returns
    -------
    Spine
        ``len(as_ofs) * len(customer_ids)`` rows, moment by moment.

    Examples
    --------
    >>> rows = grid(["a", "b"], [1_512_363_600_000_000])
    >>> [str(row) for row in rows.row_id]
    ['a@2017-12-04T05:00:00', 'b@2017-12-04T05:00:00']
    """
    customers = np.asarray(customer_ids, dtype=object)
    moments = np.asarray(as_ofs, dtype=np.int64)
    who = np.tile(customers, len(moments))
    when = np.repeat(moments, len(customers))
    stamps = [str(np.datetime64(int(moment) // MICROS, "s")) for moment in moments]
    ids = [f"{customer}@{stamp}" for stamp in stamps for customer in customers]
    return Spine("customer", np.array(ids, dtype=object), who, when)
