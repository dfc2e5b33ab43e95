"""POST /v1/scores/{model}: one row; /batch: many rows by one version."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Body
from starlette.responses import Response

from features.errors import NextbestError
from models.contract import Score, SegmentScore
from models.spec import ModelSpec
from serving import openapi, problems
from serving.parts import ROWS_A_TURN, AppParts, answer
from serving.responses import BatchAnswer, BatchResult
from serving.schema import BatchRequest, ScoreRequest, batch_examples, request_examples
from serving.scores.reading import read_each
from serving.scores.scoring import score_known, score_row
from serving.tables.media import ARROW, TABLES

PROBLEMS = openapi.problems(400, 404, 413, 415, 422, 503)
TABLE_BODIES = {"requestBody": {"content": dict.fromkeys(sorted(TABLES), openapi.BINARY)}}


def make_router(specs: Mapping[str, ModelSpec]) -> APIRouter:
    """Return the routes, with an example for each model of the catalogue."""
    router = APIRouter(prefix="/v1/scores", tags=["scores"])

    @router.post(
        "/{model}",
        summary="Score one",
        responses={**openapi.answers(Score, SegmentScore), **PROBLEMS},
    )
    async def score(
        model: str,
        request: Annotated[ScoreRequest, Body(openapi_examples=request_examples(specs))],
        parts: AppParts,
    ) -> Response:
        """Score a customer of the store (with the model's context), or feature values.

        `explain` gives that many reasons, those of largest effect first, in `language`.
        """
        champion = parts.champions.get(model)
        return answer(await score_row(parts, champion, request, request.explain, request.language))

    @router.post(
        "/{model}/batch",
        summary="Score many",
        responses={**openapi.answers(BatchAnswer, media_types=[ARROW]), **PROBLEMS},
        openapi_extra=TABLE_BODIES,
    )
    async def batch(
        model: str,
        request: Annotated[BatchRequest, Body(openapi_examples=batch_examples(specs))],
        parts: AppParts,
    ) -> Response:
        """Score up to 10,000 rows, all by the same version, answered in their order.

        A row that cannot be scored has a `problem` in place of its `score`; the others are
        answered all the same.

        Feature columns as an Arrow stream or as Parquet are answered by an Arrow stream of
        `probability`, `margin`, `percentile`, `grade`, `low` and `high`; `?id=` names a column to
        pass through, by default `customer_id`. One value that does not fit refuses the table.
        """
        champion = parts.champions.get(model)
        results: list[BatchResult] = []
        async with parts.batch_turns:
            for start in range(0, len(request.rows), ROWS_A_TURN):
                rows = request.rows[start : start + ROWS_A_TURN]
                readings = await read_each(parts, champion.spec, rows)
                for number, (row, reading) in enumerate(zip(rows, readings, strict=True), start):
                    try:
                        if isinstance(reading, NextbestError):
                            raise reading
                        as_of, known = reading
                        scored = score_known(
                            parts, champion, known, as_of, row, request.explain, request.language
                        )
                        results.append(BatchResult(row=number, score=scored))
                    except NextbestError as error:
                        results.append(BatchResult(row=number, problem=problems.of(error)))
        refused = sum(result.problem is not None for result in results)
        return answer(
            BatchAnswer(
                model=model,
                version=champion.version,
                scored=len(results) - refused,
                refused=refused,
                results=results,
            )
        )

    return router
