"""How a customer's present score compares with the batch scores that are stored."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from models.contract import Score
from models.trend import NO_TREND, Earlier, Trend, trend_of

if TYPE_CHECKING:
    from models.score_rows import ScoreRow
    from serving.champions.champions import Champion, Champions
    from serving.received.live_store import Known


def trend_now(
    champions: Champions,
    champion: Champion,
    known: Known,
    score: Score,
    as_of: int,
    row: ScoreRow | None,
    language: str,
) -> Trend:
    """Return the trend of a score computed now, since the one that the last batch compares with.

    Where that batch compares with none, it is itself the earlier one. If another version was
    promoted since, both score the present values, and the difference is the model's.

    Parameters
    ----------
    champions : Champions
    champion : Champion
        Which made the score.
    known : Known
        The values it was made of.
    row : ScoreRow or None
        The customer's stored score by the same model.
    """
    earlier = None if row is None else _before(row, as_of, champion.version)
    if row is None or earlier is None:
        return NO_TREND[language]["first"]
    if row.version != champion.version:
        previous = champions.previous(champion.spec.name)
        if previous is None or previous.version != row.version:
            return NO_TREND[language]["promoted"]
        then = previous.scorer.score(known.values, as_of)
        assert isinstance(then, Score)
        replaced = score.probability - then.probability
        earlier = replace(earlier, again=earlier.again + replaced)
    return trend_of(score.probability, champion.version, earlier, language)


def trend_stored(row: ScoreRow, language: str) -> Trend | None:
    """Return the trend of a stored score; None of a segment."""
    if row.probability is None:
        return None
    return trend_of(row.probability, row.version, row.earlier, language)


def _before(row: ScoreRow, as_of: int, version: str) -> Earlier | None:
    if row.probability is None or row.as_of > as_of:
        return None
    if row.earlier is None and (row.as_of < as_of or row.version != version):
        return Earlier(row.probability, row.version, row.as_of, row.probability)
    return row.earlier
