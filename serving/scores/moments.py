"""The moment a score is judged at, and the moment a commit is known from: never out of order."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from features.clock import follows_events, now

if TYPE_CHECKING:
    from serving.received.live_store import LiveStore


class Moments:
    """Both clocks of a server.

    Parameters
    ----------
    clock : {"auto", "wall", "data"}
        ``NEXTBEST_CLOCK``.
    store : LiveStore
    wall : callable
        Nanoseconds since 1970, as `time.time_ns`.
    """

    def __init__(
        self, clock: str, store: LiveStore, wall: Callable[[], int] = time.time_ns
    ) -> None:
        self._clock, self._store, self._wall = clock, store, wall

    def as_of(self) -> int:
        """Return "now", microseconds UTC: after all that was committed before.

        Where time follows the events the store is asked, since other processes move it too; the
        wall clock moves for all of them alike.
        """
        held = self._store.store
        if follows_events(self._clock, held.source):
            moment = now(self._clock, held.source, self._wall, held.last_instant)
            moment = max(moment, held.instant + 1)
        else:
            moment = self._wall() // 1000
        return max(moment, self._store.committed_at + 1)

    def commit(self, latest: int) -> int:
        """Return the moment of a commit: `features.ledger.Ledger` moves it past the one before.

        Parameters
        ----------
        latest : int
            When the latest of its events occurred.
        """
        held = self._store.store
        if follows_events(self._clock, held.source):
            return max(now(self._clock, held.source, self._wall, held.last_instant), latest)
        return self._wall() // 1000
