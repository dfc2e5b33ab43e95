"""What the service says about itself: Prometheus metrics by model and version, and JSON logs.

No label and no log line holds customer data: models, versions, routes, statuses and the types of
errors only.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import structlog
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

from serving.front.tally import Counts, Tallies

if TYPE_CHECKING:
    from collections.abc import Callable

    from serving.champions.champions import Champion, Change

SCORE_SECONDS = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1)
REQUEST_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
PROBABILITIES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)

log = structlog.get_logger("nextbest.serving")


class Telemetry:
    """The metrics of one application, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        by_version = ("model", "version")
        self.score_seconds = Tallies(
            "nextbest_score_seconds",
            "Time from raw values to a score, reasons included.",
            by_version,
            SCORE_SECONDS,
            self.registry,
            counter=("nextbest_scores", "Scores served."),
        )
        self.probability = Tallies(
            "nextbest_probability",
            "Probabilities served.",
            by_version,
            PROBABILITIES,
            self.registry,
        )
        self.champion = Gauge(
            "nextbest_champion_loaded_timestamp_seconds",
            "When the version being served was loaded; one series a model.",
            by_version,
            registry=self.registry,
        )
        self.swaps = Counter(
            "nextbest_champion_swaps",
            "Champions loaded, verified and swapped in.",
            ("model",),
            registry=self.registry,
        )
        self.refusals = Counter(
            "nextbest_champion_refusals",
            "Bundles refused because they could not be verified.",
            ("model",),
            registry=self.registry,
        )
        self.registry_polled = Gauge(
            "nextbest_registry_polled_timestamp_seconds",
            "When the model registry last answered; 0 if it never did.",
            registry=self.registry,
        )
        self.written = Counter(
            "nextbest_ledger_lines", "Events and changes written.", registry=self.registry
        )
        self.commit_requests = Histogram(
            "nextbest_commit_requests",
            "Requests that shared one commit.",
            buckets=(1, 2, 4, 8, 16, 32, 64),
            registry=self.registry,
        )
        self.commit_seconds = Histogram(
            "nextbest_commit_seconds",
            "Time of one commit, until the online store counts it.",
            buckets=REQUEST_SECONDS,
            registry=self.registry,
        )
        self.served_kept = Counter(
            "nextbest_served_kept", "Scores written to the log.", registry=self.registry
        )
        self.served_dropped = Counter(
            "nextbest_served_dropped",
            "Scores that were to be logged and could not be.",
            registry=self.registry,
        )
        self.served_lost = Counter(
            "nextbest_served_lost",
            "Scores of processes killed before this one that were not logged yet.",
            registry=self.registry,
        )
        self.outside_answers = Gauge(
            "nextbest_outside_answers",
            "1 while a thing outside of the process answered when it was last asked, else 0.",
            ("what",),
            registry=self.registry,
        )
        self.table_rows = Counter(
            "nextbest_table_rows",
            "Rows scored of Arrow and Parquet tables; they are in no other metric of scores.",
            by_version,
            registry=self.registry,
        )
        self.requests = Counts(
            "nextbest_requests",
            "Requests answered.",
            ("method", "route", "status"),
            self.registry,
        )
        self.requests_refused = Counts(
            "nextbest_requests_refused",
            "Requests answered with 503 because of a limit: at_once or seconds.",
            ("limit",),
            self.registry,
        )
        self.request_seconds = Tallies(
            "nextbest_request_seconds",
            "Time from a request's arrival to the end of its answer.",
            ("route",),
            REQUEST_SECONDS,
            self.registry,
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        self.requests.add((method, route, str(status)))
        self.request_seconds.of(route).add(seconds)

    def scored(self, model: str, version: str, seconds: float, probability: float | None) -> None:
        """Count one score; of the event loop's thread, see `serving.front.tally`."""
        self.score_seconds.of(model, version).add(seconds)
        if probability is not None:
            self.probability.of(model, version).add(probability)

    def refused(self, limit: str) -> None:
        """Count one request that a limit refused."""
        self.requests_refused.add((limit,))

    def hears(self, what: str) -> Callable[[bool], None]:
        """Return what is told whether a thing outside answers, each time that this changes."""
        gauge = self.outside_answers.labels(what.replace(" ", "_"))
        gauge.set(1)

        def changed(answers: bool) -> None:
            gauge.set(answers)
            (log.info if answers else log.warning)("outside", what=what, answers=answers)

        return changed

    def committed(self, requests: int, added: int, seconds: float) -> None:
        """Count one commit of what several requests brought."""
        self.written.inc(added)
        self.commit_requests.observe(requests)
        self.commit_seconds.observe(seconds)

    def changed(self, change: Change, previous: Champion | None) -> None:
        """Count and log what a refresh did."""
        if change.reason is not None:
            self.refusals.labels(change.model).inc()
            log.error("champion refused", **vars(change))
            return
        self.swaps.labels(change.model).inc()
        if previous is not None:
            self.champion.remove(change.model, previous.version)
        self.champion.labels(change.model, change.version).set_to_current_time()
        log.info(
            "champion loaded",
            model=change.model,
            version=change.version,
            previous=previous.version if previous else None,
        )

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self.registry)


def configure_logging(level: int = logging.INFO) -> None:
    """Write log lines as JSON to stderr, for programs; called by a command line only."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # Looked up for each line: lines are few, and stderr may be replaced.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
