"""Who may do what: the keys, their rates and the audit, opened and closed together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from serving.access.audit import Audit
from serving.access.rates import Rates
from serving.access.ring import Ring
from serving.access.store import AccessStore

if TYPE_CHECKING:
    from serving.settings import ServingSettings


@dataclass(frozen=True)
class Access:
    """What `serving.access.guard` asks."""

    store: AccessStore
    ring: Ring
    rates: Rates
    audit: Audit

    @classmethod
    def open(cls, settings: ServingSettings) -> Access:
        """Return it with the keys read.

        Raises
        ------
        DatabaseError
            The database does not answer.
        BadInputError
            A setting of rates is none.
        """
        rates = Rates.open(settings.rate_limit, settings.rate_store)
        store = AccessStore.open(
            settings.home, settings.database_url or None, settings.database_seconds
        )
        ring = Ring(store)
        ring.refresh()
        return cls(store, ring, rates, Audit(store))

    def close(self) -> None:
        """Give the database's connections back."""
        self.store.close()
