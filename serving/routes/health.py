"""GET /health/live, /health/ready and /metrics: for those who run the service."""

from __future__ import annotations

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from serving import openapi
from serving.champions.champions import Champion
from serving.errors import NotReadyError
from serving.parts import AppParts, Parts, answer

router = APIRouter(tags=["service"])


@router.get("/health/live", summary="Does the process answer?")
async def live() -> Response:
    """Always 200 while the process answers at all."""
    return answer({"status": "live"})


@router.get("/health/ready", summary="Can it score?", responses=openapi.problems(503))
async def ready(parts: AppParts) -> Response:
    """200 once the online store is open and at least one champion is loaded.

    A registry, a database or a Redis that does not answer is told here and makes nothing unready:
    champions are served from the cache, and values that come with a request need no store.
    """
    champions = ready_champions(parts)
    return answer(
        {
            "status": "ready",
            "champions": {name: champion.version for name, champion in champions.items()},
            "without_champion": [name for name in parts.champions.specs if name not in champions],
            "registry": "answers" if parts.watch.registry_answers else "does not answer",
            "online_store": "is behind the ledger" if parts.watch.is_behind else "is up to date",
        }
    )


def ready_champions(parts: Parts) -> dict[str, Champion]:
    """Return the champions that can score.

    Raises
    ------
    NotReadyError
        None can: the store is not open, or no model has a champion.
    """
    champions = parts.champions.current()
    if not parts.store.is_open:
        raise NotReadyError(
            "The online feature store is not open.",
            remedy="Ingest a source, then run: python -m features build",
        )
    if not champions:
        raise NotReadyError(
            "No model has a champion.",
            remedy="Train and promote: python -m training all --promote",
        )
    return champions


@router.get(
    "/metrics",
    summary="Prometheus metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}},
)
async def metrics(parts: AppParts) -> Response:
    """Counts and times by model and version, in Prometheus' text format."""
    return Response(parts.telemetry.text(), media_type=CONTENT_TYPE_LATEST)
