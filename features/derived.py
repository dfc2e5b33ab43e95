"""Columns that no event brings along: they follow from its moment and the customer's time zone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from features.local_time import DERIVED, derive, is_zone, offsets_of
from features.record import State

TIME_ZONE = "timezone"
"""The attribute that names a customer's time zone."""


class Derived:
    """The derived columns among some columns.

    Parameters
    ----------
    columns : sequence of str
        The rows of a matrix of events, ``occurred_at`` and ``recorded_at`` first.
    timezone : str
        For customers whose own is not known.

    Examples
    --------
    >>> derived = Derived(("occurred_at", "recorded_at", "hour_of_week"), "UTC")
    >>> values = np.array([[1_512_363_600_000_000], [1_512_363_600_000_001], [0]])
    >>> derived.fill(values, [derived.zone([(0, {"timezone": "Asia/Seoul"})], int(values[1, 0]))])
    >>> int(values[2, 0])
    14
    """

    def __init__(self, columns: Sequence[str], timezone: str) -> None:
        self._rows = tuple((row, name) for row, name in enumerate(columns) if name in DERIVED)
        self._timezone = timezone

    def zone(self, states: Sequence[State], recorded_at: int) -> str:
        """Return the time zone that was known when an event was recorded.

        Parameters
        ----------
        states : sequence of (known_at, attributes)
            The customer's, sorted by when they became known.
        recorded_at : int
            What became known at this very moment does not count yet.
        """
        for known_at, attributes in reversed(states):
            if known_at < recorded_at:
                own = attributes.get(TIME_ZONE)
                return own if own is not None and is_zone(own) else self._timezone
        return self._timezone

    def fill(self, values: NDArray[np.int64], zones: Sequence[str]) -> None:
        """Write the derived rows of some events.

        Parameters
        ----------
        values : ndarray of int64, shape (n_columns, n_events)
        zones : sequence of str
            Of each event.
        """
        if not self._rows:
            return
        numbers = {name: number for number, name in enumerate(dict.fromkeys(zones))}
        zone = np.fromiter((numbers[name] for name in zones), np.int64, len(zones))
        ahead = offsets_of(list(numbers), zone, values[0])
        for row, name in self._rows:
            values[row] = derive(name, values[0], ahead)
