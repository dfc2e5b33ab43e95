"""What the service says about itself: Prometheus metrics by model and version, and JSON logs.

No label and no log line holds customer data: models, versions, routes, statuses and the types of
errors only.
"""

from __future__ import annotations

import logging
import sys
import time
import traceback
import uuid
from functools import cache
from typing import TYPE_CHECKING, Any

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
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving import problems
from serving.problems import problem, respond

if TYPE_CHECKING:
    from serving.champions import Champion, Change

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
        self.scores = Counter(
            "nextbest_scores", "Scores served.", by_version, registry=self.registry
        )
        self.score_seconds = Histogram(
            "nextbest_score_seconds",
            "Time from raw values to a score, reasons included.",
            by_version,
            buckets=SCORE_SECONDS,
            registry=self.registry,
        )
        self.probability = Histogram(
            "nextbest_probability",
            "Probabilities served.",
            by_version,
            buckets=PROBABILITIES,
            registry=self.registry,
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
        self.served_dropped = Counter(
            "nextbest_served_dropped",
            "Scores in the sample of served features that could not be kept.",
            registry=self.registry,
        )
        self.requests = Counter(
            "nextbest_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.request_seconds = Histogram(
            "nextbest_request_seconds",
            "Time from a request's arrival to the end of its answer.",
            ("route",),
            buckets=REQUEST_SECONDS,
            registry=self.registry,
        )

        # Looking a child up by its labels costs as much as counting.
        self._of_version = cache(
            lambda model, version: (
                self.scores.labels(model, version),
                self.score_seconds.labels(model, version),
            )
        )
        self._probability_of = cache(self.probability.labels)
        self._of_request = cache(
            lambda method, route, status: (
                self.requests.labels(method, route, status),
                self.request_seconds.labels(route),
            )
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        count, time_of = self._of_request(method, route, status)
        count.inc()
        time_of.observe(seconds)

    def scored(self, model: str, version: str, seconds: float, probability: float | None) -> None:
        """Count one score."""
        count, time_of = self._of_version(model, version)
        count.inc()
        time_of.observe(seconds)
        if probability is not None:
            self._probability_of(model, version).observe(probability)

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


class Recorder:
    """Counts every request and turns a failure nobody foresaw into a problem.

    Pure ASGI, and outermost: an exception that reached the server would be printed with its
    message, and messages can quote customers. Only its type and place are logged.
    """

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self.app = app
        self.telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, observed)
        except Exception as error:  # the boundary: whatever it is, the caller gets an answer
            reference = uuid.uuid4().urn
            log.error("request failed", reference=reference, route=route_of(scope), **place(error))
            if status:
                raise RuntimeError(f"The answer broke off; see {reference} in the log.") from None
            told = problem(
                problems.INTERNAL,
                "The service failed on this request; nothing about the request was kept.",
                f"Try again; if it stays, report {reference} to whoever runs the service.",
                instance=reference,
            )
            await respond(told)(scope, receive, observed)
        finally:
            route = route_of(scope)
            seconds = time.perf_counter() - started
            self.telemetry.answered(scope["method"], route, status, seconds)


def route_of(scope: Scope) -> str:
    """Return a request's route as declared, so that no id becomes a label."""
    return str(getattr(scope.get("route"), "path", "none"))


def place(error: BaseException) -> dict[str, Any]:
    """Return an exception's type and where it came from, without its message.

    Examples
    --------
    >>> place(ValueError("jane@example.com"))
    {'error': 'ValueError', 'at': []}
    """
    frames = traceback.extract_tb(error.__traceback__)
    at = [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames]
    return {"error": type(error).__name__, "at": at[-8:]}


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
