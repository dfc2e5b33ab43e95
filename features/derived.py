"""Columns that no event brings along: they follow from its moment and the customer's time zone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from features.local_time import DERIVED, derive, is_zone, offsets_of
from features.record import State

NEVER = 2**63 - 1
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

    def fill_past(self, values: NDArray[np.int64], states: Sequence[State]) -> None:
        """Write the derived rows of all events of one customer.

        Parameters
        ----------
        values : ndarray of int64, shape (n_columns, n_events)
        states : sequence of (known_at, attributes)
            Sorted.
        """
        since = [known_at for known_at, _ in states]
        named = [self.zone(states[:number], NEVER) for number in range(len(states) + 1)]
        zone = np.searchsorted(since, values[1], side="left")
        self._write(values, named, zone)

    def fill(self, values: NDArray[np.int64], zones: Sequence[str]) -> None:
        """Write the derived rows of some events.

        Parameters
        ----------
        values : ndarray of int64, shape (n_columns, n_events)
        zones : sequence of str
            Of each event.
        """
        numbers = {name: number for number, name in enumerate(dict.fromkeys(zones))}
        zone = np.fromiter((numbers[name] for name in zones), np.int64, len(zones))
        self._write(values, list(numbers), zone)

    def _write(
        self, values: NDArray[np.int64], zones: Sequence[str], zone: NDArray[np.int64]
    ) -> None:
        if self._rows:
            ahead = offsets_of(zones, zone, values[0])
            for row, name in self._rows:
                values[row] = derive(name, values[0], ahead)
