"""One row of a request to one score, by the champion that the request took."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from serving.scores.reading import read

if TYPE_CHECKING:
    from models.contract import Score, SegmentScore
    from serving.champions.champions import Champion
    from serving.parts import Parts
    from serving.received.live_store import Known
    from serving.scores.inputs import Asked


async def score_row(
    parts: Parts, champion: Champion, row: Asked, explain: int = 0, language: str = "en"
) -> Score | SegmentScore:
    """Return the score of one row.

    Raises
    ------
    NextbestError
        As `serving.scores.reading.read`.
    """
    as_of, known = await read(parts, champion.spec, row)
    return score_known(parts, champion, known, as_of, row, explain, language)


def score_known(
    parts: Parts,
    champion: Champion,
    known: Known,
    as_of: int,
    row: Asked,
    explain: int = 0,
    language: str = "en",
) -> Score | SegmentScore:
    """Return the score of values that were read, named, counted and, if it is to be, logged.

    Every score that is served passes here: the one place to note it down. There is no `await`
    between encoding the row and reading its answer, so nothing else runs in between on this thread.

    Raises
    ------
    BusyError
        It has to be logged, and too many wait to be already.
    """
    started = time.perf_counter()
    unnamed = champion.scorer.score(
        known.values,
        as_of,
        explain,
        language,
        sequence=known.sequence,
        has_events=known.has_events,
    )
    score = msgspec.structs.replace(unnamed, score_id=parts.score_ids.next())
    is_logged = parts.served is not None and parts.served.put(champion, known, score, row, as_of)
    if parts.shadows is not None:
        parts.shadows.put(known, score, row, as_of, is_logged)
    seconds = time.perf_counter() - started
    parts.telemetry.scored(
        champion.spec.name, champion.version, seconds, getattr(score, "probability", None)
    )
    return score
