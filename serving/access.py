"""Who may do what: the keys, their rates and the audit, opened and closed together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from serving.access_store import AccessStore
from serving.audit import Audit
from serving.rates import Rates
from serving.ring import Ring

if TYPE_CHECKING:
    from serving.settings import ServingSettings


@dataclass(frozen=True)
class Access:
    """What `serving.guard` asks."""

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
        store = AccessStore.open(settings.home, settings.database_url or None)
        ring = Ring(store)
        ring.refresh()
        return cls(store, ring, rates, Audit(store))

    def close(self) -> None:
        """Give the database's connections back."""
        self.store.close()
