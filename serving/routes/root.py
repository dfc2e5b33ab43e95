"""GET /: where to look."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from serving.parts import AppParts, answer

router = APIRouter(tags=["service"])


@router.get("/", summary="Where to look")
async def root(parts: AppParts) -> Response:
    """What this service offers, with one call to try first."""
    return answer(
        {
            "service": "Nextbest: whom to contact next, why, and whether it pays.",
            "try": 'curl -H "Content-Type: application/json" '
            '-d \'{"customer_id": "1001", "explain": 3}\' <this address>/v1/scores/churn',
            "models": "/v1/models",
            "score": [f"POST /v1/scores/{model}" for model in parts.champions.specs],
            "score_many": "POST /v1/scores/{model}/batch",
            "tell": [
                "POST /v1/events",
                "PUT /v1/customers/{customer_id}",
                "PUT /v1/campaigns/{campaign_id}",
            ],
            "customer": "/v1/customers/{customer_id}",
            "prospects": "/v1/prospects?model=lead_score&campaign=...&value=...&cost=...",
            "open_inference_protocol": "/v2",
            "mlflow": "POST /invocations?model=churn",
            "documentation": "/docs",
            "openapi": "/openapi.json",
            "health": ["/health/live", "/health/ready"],
            "metrics": "/metrics",
        }
    )
