"""What an online store gives of one customer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from features import record
from features.record import Buffer, Record, State
from features.store_meta import Progress


class TilesReader(Protocol):
    """The tiles of one customer, as of the moment its record was read."""

    def get(self, names: Sequence[bytes]) -> list[Buffer | None]:
        """Return tiles by their names; None where there is none."""
        ...


class History(NamedTuple):
    """All that is stored of one customer.

    Attributes
    ----------
    values : ndarray of int64, shape (n_columns, n_events)
        Events that occurred at `cut` or later, sorted by (occurred_at, event_id), in the store's
        columns. Read-only, and valid only as long as the read they come from.
    cut : int
        What occurred before is in `tiles`; `features.record.EVER` if nothing is.
    attributes : list of (known_at, dict)
        The latest states, each in full, sorted by when they became known.
    tiles : TilesReader or None
    sequence : int
        Number of the last change of the ledger that was in the store when this was read.
    """

    values: NDArray[np.int64]
    cut: int
    attributes: list[State]
    tiles: TilesReader | None
    sequence: int

    @classmethod
    def of(cls, held: Record, progress: Progress, tiles: TilesReader | None = None) -> History:
        """Return the history in a record."""
        states = record.states_of(held)
        return cls(held.values, held.cut, states, tiles, progress.applied)

    def copy(self) -> History:
        """Return the same, to be kept after the read it comes from has ended."""
        return self._replace(values=self.values.copy(), tiles=None)
