"""What is counted of keys; no label names one."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge

from serving.access.opened import Access

REASONS = ("missing", "unknown", "expired", "revoked", "scope", "rate")


class AccessMetrics:
    """Metrics of one application's keys.

    Parameters
    ----------
    access : Access
    registry : CollectorRegistry
        Of the application's telemetry.
    """

    def __init__(self, access: Access, registry: CollectorRegistry) -> None:
        refusals = Counter(
            "nextbest_key_refusals",
            "Requests refused for their key.",
            ("reason",),
            registry=registry,
        )
        self._refusals = {reason: refusals.labels(reason) for reason in REASONS}
        read = Gauge(
            "nextbest_keys_read_timestamp_seconds",
            "When the keys were last read from the database.",
            registry=registry,
        )
        read.set_function(lambda: access.ring.read_at / 1e6)
        silent = Counter(
            "nextbest_rate_store_failures",
            "Calls for which the shared store of rates did not answer; they were counted here.",
            registry=registry,
        )
        dropped = Counter(
            "nextbest_audit_dropped",
            "Lines of the audit lost, because the database was silent for too long.",
            registry=registry,
        )
        access.rates.failed = silent.inc
        access.audit.dropped = dropped.inc

    def refused(self, reason: str) -> None:
        """Count one request, by a reason of `REASONS`."""
        self._refusals[reason].inc()
