"""The keys as the server holds them: in memory, read again beside the requests, never by one."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
import sqlalchemy as sa
import structlog

from features.database import DatabaseError
from serving.access.keys import Key, matches, parts_of

if TYPE_CHECKING:
    from serving.access.store import AccessStore

log = structlog.get_logger("nextbest.keys")


def wall() -> int:
    """Return microseconds UTC."""
    return time.time_ns() // 1000


class Ring:
    """Knows keys; a database that does not answer changes nothing for those it knows.

    Parameters
    ----------
    store : AccessStore
    clock : callable
        Microseconds UTC.

    Attributes
    ----------
    required : bool
        Whether requests need a key: from the first key on, and for good. To revoke the last one
        closes the service and does not open it.
    read_at : int
        When the database last answered.
    told : callable
        Told it each time.
    """

    def __init__(self, store: AccessStore, clock: Callable[[], int] = wall) -> None:
        self._store, self._clock = store, clock
        self._keys: Mapping[str, Key] = {}
        self.required = False
        self.read_at = 0
        self.told: Callable[[int], None] = lambda at: None
        self._is_silent = False

    def refresh(self) -> None:
        """Read the keys. Asks the database, so it blocks.

        Raises
        ------
        DatabaseError
            It does not answer; what was known goes on being known.
        """
        keys = {key.id: key for key in self._store.all_keys()}
        self.required = self.required or bool(keys)
        self._keys = keys
        self.read_at = self._clock()
        self.told(self.read_at)

    def look(self) -> None:
        """Read the keys, or say in the log that they cannot be read."""
        try:
            self.refresh()
        except (DatabaseError, sa.exc.SQLAlchemyError) as error:
            if not self._is_silent:
                log.warning("keys not read; those known stay known", why=type(error).__name__)
            self._is_silent = True
        else:
            self._is_silent = False

    def has_active(self) -> bool:
        """Return whether any key opens anything."""
        now = self._clock()
        return any(key.state(now) == "active" for key in self._keys.values())

    def find(self, token: str) -> tuple[Key | None, str]:
        """Return the key of a token and its state; None and "unknown" where there is none."""
        parts = parts_of(token)
        if parts is None:
            return None, "unknown"
        key = self._keys.get(parts[0])
        if key is None or not matches(key, parts[1]):
            return None, "unknown"
        return key, key.state(self._clock())

    async def run(self, seconds: float) -> None:
        """Look again and again, in a thread."""
        while True:
            await anyio.sleep(seconds)
            await anyio.to_thread.run_sync(self.look)
