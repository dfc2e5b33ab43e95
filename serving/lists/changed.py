"""Scores that changed since a moment, as they are shown, and where one reads on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from features.clock import LATEST, parse_instant, to_iso
from features.errors import BadInputError
from models.score_changes import START, Changed, Place
from models.trend import Trend
from serving.errors import ForgottenError, NoScoresError, RequestError
from serving.lists.cursor import bad_cursor, packed, unpacked
from serving.scores.compared import trend_stored

if TYPE_CHECKING:
    from models.reasons import Explainer
    from models.score_rows import ScoreStore
    from serving.schema import ChangesQuery


class ChangedScore(msgspec.Struct, frozen=True, kw_only=True):
    """A stored score as it is now; `removed` if the last batch that changed it has it no more.

    Attributes
    ----------
    context : dict
        With the customer, what the score is about.
    changed_at : str
        The moment of the batch that changed it.
    score : float or None
        100 x probability, with one decimal.
    abstained : str
        The rule by which the model abstains; empty if it answers.
    """

    customer_id: str
    context: dict[str, Any]
    changed_at: str
    removed: bool
    version: str | None = None
    score: float | None = None
    probability: float | None = None
    percentile: float | None = None
    grade: str | None = None
    segment: str | None = None
    abstained: str = ""
    trend: Trend | None = None
    reasons: list[dict[str, Any]] = []
    as_of: str | None = None
    scored_at: str | None = None


class ChangesAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the scores that changed, each once and as it is now.

    Attributes
    ----------
    next_changed_since : str
        What to ask with next time; the same on all pages.
    next_cursor : str or None
        Of the next page; None on the last.
    """

    model: str
    changed_since: str | None
    next_changed_since: str
    next_cursor: str | None
    scores: list[ChangedScore]


class Span(msgspec.Struct, frozen=True, array_like=True):
    """Which changes are paged through, and from where on."""

    model: str
    since: int | None
    until: Annotated[int, msgspec.Meta(ge=0, le=LATEST)]
    place: Place


def span_of(query: ChangesQuery, scores: ScoreStore) -> Span:
    """Return what a request asks for: up to now, or from where the page before ended.

    Raises
    ------
    RequestError, BadCursorError
        A moment that is none; a cursor of another question.
    NoScoresError
        No batch has scored the model.
    ForgottenError
        What was removed since then is not remembered any more.
    """
    since = None if query.changed_since is None else moment_of(query.changed_since)
    if query.cursor is not None:
        span = unpacked(query.cursor, Span)
        if span is None or (span.model, span.since) != (query.model, since):
            raise bad_cursor()
        return span
    if since is not None and since < scores.forgets_before():
        raise ForgottenError(
            "What was removed so long ago is not remembered.",
            remedy="Leave changed_since out: take all scores, and drop those that are not among "
            "them.",
        )
    until = scores.changed_at(query.model)
    if until is None:
        raise NoScoresError(
            f"{query.model!r} has no batch scores.",
            remedy="Score customers, open campaigns and placements: python -m training score",
        )
    return Span(query.model, since, until, START)


def moment_of(text: str) -> int:
    """Return microseconds UTC of a moment as a query names it.

    Raises
    ------
    RequestError
        It is none.
    """
    try:
        return parse_instant(int(text) if text.isdecimal() else text)
    except (BadInputError, ValueError):
        raise RequestError(
            "changed_since must be a moment.",
            remedy="Give next_changed_since of the time before; write + as %2B in a URL.",
            fields=[("changed_since", "must be ISO 8601, or microseconds UTC")],
        ) from None


def page_of(
    span: Span, scores: ScoreStore, limit: int, language: str, explainer: Explainer | None
) -> ChangesAnswer:
    """Return a page of changes. Reads the database, so it blocks."""
    found, end = scores.changes(span.model, span.since, span.until, span.place, limit)
    rest = None if end is None else Span(span.model, span.since, span.until, end)
    next_since = max(span.until, span.since or 0)
    return ChangesAnswer(
        model=span.model,
        changed_since=None if span.since is None else to_iso(span.since),
        next_changed_since=to_iso(next_since),
        next_cursor=None if rest is None else packed(msgspec.to_builtins(rest)),
        scores=[shown(change, language, explainer) for change in found],
    )


def shown(change: Changed, language: str, explainer: Explainer | None) -> ChangedScore:
    """Return a change as it is shown; reasons are said again where the model is being served."""
    about: dict[str, Any] = {
        "customer_id": change.customer_id,
        "context": change.context,
        "changed_at": to_iso(change.changed_at),
    }
    row = change.row
    if row is None:
        return ChangedScore(**about, removed=True)
    reasons = row.reasons
    if explainer is not None:
        reasons = [explainer.say_again(reason, language) for reason in reasons]
    return ChangedScore(
        **about,
        removed=False,
        version=row.version,
        score=None if row.probability is None else round(100.0 * row.probability, 1),
        probability=row.probability,
        percentile=row.percentile,
        grade=row.grade,
        segment=row.segment,
        abstained=row.abstained,
        trend=trend_stored(row, language),
        reasons=reasons,
        as_of=to_iso(row.as_of),
        scored_at=to_iso(row.scored_at),
    )
