"""What is counted of shadows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

if TYPE_CHECKING:
    from serving.champions.champions import Champion, Change

BY_VERSION = ("model", "version")
DIFFERENCES = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)

log = structlog.get_logger("nextbest.shadows")


class ShadowMetrics:
    """Metrics of one application's shadows.

    Parameters
    ----------
    registry : CollectorRegistry
        Of the application's telemetry.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.scored = Counter(
            "nextbest_shadow_scores",
            "Scores made by challengers; no caller saw them.",
            BY_VERSION,
            registry=registry,
        )
        self.differences = Histogram(
            "nextbest_shadow_difference",
            "How far a challenger's probability lies from the one that was served.",
            BY_VERSION,
            buckets=DIFFERENCES,
            registry=registry,
        )
        self.dropped = Counter(
            "nextbest_shadow_dropped",
            "Scores that no challenger made, because too many waited.",
            registry=registry,
        )
        self.failed = Counter(
            "nextbest_shadow_failures",
            "Scores that a challenger failed to make.",
            BY_VERSION,
            registry=registry,
        )
        self.unlogged = Counter(
            "nextbest_shadow_log_dropped",
            "Challengers' scores that were to be logged and could not be.",
            registry=registry,
        )
        self.loaded = Gauge(
            "nextbest_challenger_loaded_timestamp_seconds",
            "When a challenger was loaded as a shadow; one series a model.",
            BY_VERSION,
            registry=registry,
        )
        self.refusals = Counter(
            "nextbest_challenger_refusals",
            "Challengers refused because they could not be verified.",
            ("model",),
            registry=registry,
        )

    def changed(self, changes: list[Change]) -> None:
        """Count and log what a refresh did."""
        for change in changes:
            if change.reason is not None:
                self.refusals.labels(change.model).inc()
                log.error("challenger refused", **vars(change))
            else:
                log.info("challenger loaded", model=change.model, version=change.version)

    def stand(self, before: dict[str, Champion], now: dict[str, Champion]) -> None:
        """Show which challengers are loaded."""
        for model, champion in before.items():
            if now.get(model) is not champion:
                self.loaded.remove(model, champion.version)
        for model, champion in now.items():
            self.loaded.labels(model, champion.version).set(champion.loaded_at / 1e6)
