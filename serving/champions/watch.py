"""Looks for what changed on disk: a new champion, a rebuilt online store, the registry's state."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
import structlog

from features.errors import NextbestError
from serving.champions.cache import MICROS, told
from serving.front.boundary import place

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from serving.champions.champions import Champions
    from serving.front.telemetry import Telemetry
    from serving.received.live_store import LiveStore
    from serving.shadows.shadowing import Shadows

STALE_SECONDS = 15.0

log = structlog.get_logger("nextbest.watch")


class Watch:
    """Refreshes champions and store, and remembers what the poller said.

    Parameters
    ----------
    champions, store, telemetry
        What to refresh, and where to count it.
    cache : Path
        Where the poller leaves its status.
    follow : callable
        Brings the store up to what other processes wrote and did not live to apply.
    shadows : Shadows, optional
        Whose challengers are to be refreshed too.
    """

    def __init__(
        self,
        champions: Champions,
        store: LiveStore,
        telemetry: Telemetry,
        cache: Path,
        follow: Callable[[], None],
        shadows: Shadows | None = None,
    ) -> None:
        self._shadows = shadows
        self._champions = champions
        self._store = store
        self._telemetry = telemetry
        self._cache = cache
        self._follow = follow
        self.registry: dict[str, Any] = {}
        self._told = self._behind = ""

    def look(self) -> None:
        """Refresh everything once. Reads files and verifies bundles, so it blocks."""
        before = self._champions.current()
        for change in self._champions.refresh():
            self._telemetry.changed(change, before.get(change.model))
        if self._shadows is not None:
            self._shadows.refresh()
        if self._store.refresh():
            log.info("online store opened", sequence=self._store.store.sequence)
        elif self._store.refusal != self._told:
            log.warning("online store refused", reason=self._store.refusal)
        self._told = self._store.refusal
        self._catch_up()
        self.registry = told(self._cache)
        self._telemetry.registry_polled.set(self.registry.get("answered_at", 0) / MICROS)

    def _catch_up(self) -> None:
        if not self._store.is_open:
            return
        try:
            self._follow()
            self._behind = ""
        except NextbestError as error:
            if str(error) != self._behind:
                log.warning("online store behind the ledger", reason=str(error))
            self._behind = str(error)

    @property
    def is_behind(self) -> bool:
        """Whether the store could not be brought up to the ledger when that was last tried."""
        return bool(self._behind)

    @property
    def registry_answers(self) -> bool:
        """Whether the registry answered the poller when it last asked, some seconds ago at most."""
        age = time.time() - self.registry.get("answered_at", 0) / MICROS
        return self.registry.get("failure") is None and age < STALE_SECONDS

    async def run(self, seconds: float) -> None:
        """Look again and again, in a thread, so that no request waits for a bundle to load."""
        while True:
            await anyio.sleep(seconds)
            try:
                await anyio.to_thread.run_sync(self.look)
            except Exception as error:  # the boundary: whatever fails, the next look may not
                log.error("look failed", **place(error))
