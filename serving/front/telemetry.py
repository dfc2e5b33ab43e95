"""What the service says about itself: Prometheus metrics by model and version, and JSON logs.

No label and no log line holds customer data: models, versions, routes, statuses and the types of
errors only.
"""

from __future__ import annotations

import logging
import math
import sys
import time
from typing import TYPE_CHECKING

import structlog
from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

from serving.front.page import Page
from serving.front.tally import Counts, Families, States, Tallies

if TYPE_CHECKING:
    from collections.abc import Callable

    from serving.champions.champions import Champion, Change

SCORE_SECONDS = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1)
COMMIT_REQUESTS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
REQUEST_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
PROBABILITIES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)

log = structlog.get_logger("nextbest.serving")


class Telemetry:
    """The metrics of one application, in a registry of their own.

    Parameters
    ----------
    page : Page, optional
        Where they are counted; by default in memory of this process, which then answers alone.
    """

    def __init__(self, page: Page | None = None) -> None:
        self.registry = CollectorRegistry()
        PlatformCollector(registry=self.registry)
        self.families = families = Families(page or Page(), self.registry)
        if page is None:
            ProcessCollector(registry=self.registry)
            GCCollector(registry=self.registry)
        else:
            from serving.workers.told import tell_of_workers

            tell_of_workers(families)
        by_version = ("model", "version")
        self.score_seconds = Tallies(
            "nextbest_score_seconds",
            "Time from raw values to a score, reasons included.",
            by_version,
            SCORE_SECONDS,
            families,
            counter=("nextbest_scores", "Scores served."),
        )
        self.probability = Tallies(
            "nextbest_probability", "Probabilities served.", by_version, PROBABILITIES, families
        )
        self.champion = States(
            "nextbest_champion_loaded_timestamp_seconds",
            "When the version being served was loaded; one series a model.",
            by_version,
            families,
            max,
        )
        self.swaps = Counts(
            "nextbest_champion_swaps",
            "Champions loaded, verified and swapped in.",
            ("model",),
            families,
        )
        self.refusals = Counts(
            "nextbest_champion_refusals",
            "Bundles refused because they could not be verified.",
            ("model",),
            families,
        )
        self.registry_polled = States(
            "nextbest_registry_polled_timestamp_seconds",
            "When the model registry last answered; 0 if it never did.",
            (),
            families,
            max,
        )
        self.written = Counts("nextbest_ledger_lines", "Events and changes written.", (), families)
        self.commit_requests = Tallies(
            "nextbest_commit_requests",
            "Requests that shared one commit.",
            (),
            COMMIT_REQUESTS,
            families,
        )
        self.commit_seconds = Tallies(
            "nextbest_commit_seconds",
            "Time of one commit, until the online store counts it.",
            (),
            REQUEST_SECONDS,
            families,
        )
        self.served_kept = Counts(
            "nextbest_served_kept", "Scores written to the log.", (), families
        )
        self.served_dropped = Counts(
            "nextbest_served_dropped",
            "Scores that were to be logged and could not be.",
            (),
            families,
        )
        self.served_lost = Counts(
            "nextbest_served_lost",
            "Scores of processes killed before this one that were not logged yet.",
            (),
            families,
        )
        self.outside_answers = States(
            "nextbest_outside_answers",
            "1 while a thing outside of the process answered when it was last asked, else 0.",
            ("what",),
            families,
            min,
        )
        self.table_rows = Counts(
            "nextbest_table_rows",
            "Rows scored of Arrow and Parquet tables; they are in no other metric of scores.",
            by_version,
            families,
        )
        self.requests = Counts(
            "nextbest_requests", "Requests answered.", ("method", "route", "status"), families
        )
        self.requests_refused = Counts(
            "nextbest_requests_refused",
            "Requests answered with 503 because of a limit: at_once or seconds.",
            ("limit",),
            families,
        )
        self.request_seconds = Tallies(
            "nextbest_request_seconds",
            "Time from a request's arrival to the end of its answer.",
            ("route",),
            REQUEST_SECONDS,
            families,
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        self.requests.add(1, (method, route, str(status)))
        self.request_seconds.of(route).add(seconds)

    def scored(self, model: str, version: str, seconds: float, probability: float | None) -> None:
        """Count one score; of the event loop's thread, see `serving.front.tally`."""
        self.score_seconds.of(model, version).add(seconds)
        if probability is not None:
            self.probability.of(model, version).add(probability)

    def refused(self, limit: str) -> None:
        """Count one request that a limit refused."""
        self.requests_refused.add(1, (limit,))

    def hears(self, what: str) -> Callable[[bool], None]:
        """Return what is told whether a thing outside answers, each time that this changes."""
        labels = (what.replace(" ", "_"),)
        self.outside_answers.set(1, labels)

        def changed(answers: bool) -> None:
            self.outside_answers.set(answers, labels)
            (log.info if answers else log.warning)("outside", what=what, answers=answers)

        return changed

    def committed(self, requests: int, added: int, seconds: float) -> None:
        """Count one commit of what several requests brought."""
        self.written.inc(added)
        self.commit_requests.of().add(requests)
        self.commit_seconds.of().add(seconds)

    def changed(self, change: Change, previous: Champion | None) -> None:
        """Count and log what a refresh did."""
        if change.reason is not None:
            self.refusals.inc(1, (change.model,))
            log.error("champion refused", **vars(change))
            return
        self.swaps.inc(1, (change.model,))
        if previous is not None:
            self.champion.set(math.nan, (change.model, previous.version))
        self.champion.set(time.time(), (change.model, change.version))
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
