"""What is counted of keys; no label names one."""

from __future__ import annotations

from serving.access.opened import Access
from serving.front.tally import Counts, Families, States

REASONS = ("missing", "unknown", "expired", "revoked", "scope", "rate")


class AccessMetrics:
    """Metrics of one application's keys.

    Parameters
    ----------
    access : Access
    families : Families
        Of the application's telemetry.
    """

    def __init__(self, access: Access, families: Families) -> None:
        self._refusals = Counts(
            "nextbest_key_refusals", "Requests refused for their key.", ("reason",), families
        )
        for reason in REASONS:
            self._refusals.add(0, (reason,))
        read = States(
            "nextbest_keys_read_timestamp_seconds",
            "When the keys were last read from the database.",
            (),
            families,
            min,
        )
        access.ring.told = lambda at: read.set(at / 1e6)
        access.ring.told(access.ring.read_at)
        silent = Counts(
            "nextbest_rate_store_failures",
            "Calls for which the shared store of rates did not answer; they were counted here.",
            (),
            families,
        )
        dropped = Counts(
            "nextbest_audit_dropped",
            "Lines of the audit lost, because the database was silent for too long.",
            (),
            families,
        )
        access.rates.failed = silent.inc
        access.audit.dropped = dropped.inc

    def refused(self, reason: str) -> None:
        """Count one request, by a reason of `REASONS`."""
        self._refusals.add(1, (reason,))
