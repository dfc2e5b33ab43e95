"""What an online store gives of one customer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features import record
from features.record import EVER, Record
from features.store_meta import Progress
from features.tiles import Reader


class History(NamedTuple):
    """All that is stored of one customer.

    Attributes
    ----------
    values : ndarray of int64, shape (n_columns, n_events)
        Events that occurred at `cut` or later, sorted by (occurred_at, event_id), in the store's
        columns. Read-only, and valid only as long as the read they come from.
    attributes : sequence of (known_at, mapping)
        The latest states, each in full, sorted by when they became known.
    cut : int
        What occurred before is in `tiles`; `features.record.EVER` if nothing is.
    tiles : Reader or None
        Of what occurred before `cut`.
    sequence : int
        Number of the last change of the ledger that was in the store when this was read.
    """

    values: NDArray[np.int64]
    attributes: Sequence[tuple[int, Mapping[str, Any]]]
    cut: int = EVER
    tiles: Reader | None = None
    sequence: int = 0

    @classmethod
    def of(cls, held: Record, progress: Progress, tiles: Reader | None = None) -> History:
        """Return the history in a record."""
        older = None if held.cut == EVER else tiles
        return cls(held.values, record.states_of(held), held.cut, older, progress.applied)

    def copy(self) -> History:
        """Return the same, to be kept after the read it comes from has ended."""
        return self._replace(values=self.values.copy(), tiles=None)
