"""From raw feature values to answers: encoder -> engine -> calibrator, and what they mean."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from math import isfinite, nan
from typing import TYPE_CHECKING, Any

import numpy as np

from features.clock import to_iso
from features.errors import NextbestError
from models.abstention import Judge
from models.clusters import Clusters
from models.contract import (
    Interval,
    NamedSegment,
    Score,
    SegmentScore,
)
from models.one_answer import Answers, intervals_of, meaning_of
from models.reasons import Explainer, Reason, effects
from models.sufficiency import missing_of, sufficiency_of
from models.trend import ALONE
from models.words import check_language

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.blend import Blend
    from models.booster import Booster
    from models.bundle import Bundle
    from models.linear import Linear

    Floats = NDArray[np.float64]

__all__ = [
    "Answers",
    "Interval",
    "OutputError",
    "Reason",
    "Score",
    "Scorer",
    "SegmentScore",
]


class OutputError(NextbestError):
    """A model was asked for an answer that it does not give."""


class Scorer:
    """Answers for one bundle, from any thread.

    Parameters
    ----------
    bundle : Bundle
    now : callable
        Microseconds UTC, for `scored_at`.

    Attributes
    ----------
    explainer : Explainer
        What puts its reasons into words.
    judge : Judge
        Tells what the model has no answer to.
    """

    def __init__(
        self, bundle: Bundle, now: Callable[[], int] = lambda: time.time_ns() // 1000
    ) -> None:
        self.bundle = bundle
        self._now = now
        # Where no training row had a value, a source knows none of anybody, and nobody lacks it.
        held = bundle.reference.features
        asked = [name if held[name].shares[-1] < 1.0 else None for name in bundle.encoder.names]
        self._asked, self._n_asked = asked, len(asked) - asked.count(None)
        is_probability = not isinstance(bundle.engine, Clusters)
        self._meaning = meaning_of(bundle) if is_probability else None
        self.explainer = Explainer(bundle.spec, bundle.evidence)
        self.judge = Judge(bundle.encoder, bundle.reference, bundle.spec.abstain)

    def probabilities(self, X: Floats) -> Floats:
        """Return the calibrated probability of encoded rows, float64[n].

        Raises
        ------
        OutputError
            The bundle is one of segments.
        """
        return self.bundle.calibrator.probability(self._margins(X))

    def answers(self, X: Floats) -> Answers:
        """Return margin, probability, score, percentile and grade of encoded rows.

        Raises
        ------
        OutputError
            The bundle is one of segments.
        """
        margin = self._margins(X)
        probability = self.bundle.calibrator.probability(margin)
        percentile = np.round(self.bundle.reference.percentile(margin), 1)
        return Answers(
            margin,
            probability,
            np.round(100.0 * probability, 1),
            percentile,
            self.bundle.reference.graded(probability, percentile),
        )

    def reasons(
        self, rows: Sequence[Sequence[Any]], X: Floats, top: int, language: str = "en"
    ) -> list[list[Reason]]:
        """Return the reasons of each row, largest effect first.

        Parameters
        ----------
        rows : sequence of n sequences
            Raw feature values, for the words.
        X : float64[n, n_columns]
            The same rows encoded.
        top : int
            Reasons a row.
        """
        check_language(language)
        if top <= 0 or not len(rows):
            return [[] for _ in rows]
        contributions = self._engine().contributions(X)
        changes = effects(contributions, self._margins(X), self.bundle.calibrator)
        return [
            self.explainer.explain(values, added, change, top, language)
            for values, added, change in zip(rows, contributions[:, :-1], changes, strict=True)
        ]

    def score(
        self,
        values: Sequence[Any],
        as_of: int,
        explain: int = 0,
        language: str = "en",
        *,
        sequence: int | None = None,
        has_events: bool | None = None,
    ) -> Score | SegmentScore:
        """Return the answer about one row: a `SegmentScore` from a bundle of segments.

        Parameters
        ----------
        values : sequence
            Raw feature values in the model's order; None is missing.
        as_of : int
            Microseconds UTC: the moment the values belong to.
        explain : int
            How many reasons.
        language : {"en", "ko"}
            Of the reasons and of what is said about the data.
        sequence : int, optional
            Number of the last event that could count.
        has_events : bool, optional
            Whether the customer has any event; None if nobody looked.

        Raises
        ------
        BadInputError
            The values do not fit the model, or there are no words in the language.
        """
        check_language(language)
        numbers = self.bundle.encoder.numbers(values)
        margin = nan if self._meaning is None else self._engine().margin(numbers)
        if self._meaning is None or not isfinite(margin):
            return self.score_many(
                [values], [as_of], explain, language, sequence=sequence, has_events=[has_events]
            )[0]
        probability, score, percentile, grade, interval = self._meaning(margin)
        spec, reasons = self.bundle.spec, []
        if explain > 0:
            # One row's effects, without what many rows ask for again: margin and probability.
            added = self._engine().contributions(np.array([numbers]))[0, :-1]
            changes = probability - self.bundle.calibrator.probability(margin - added)
            reasons = self.explainer.explain(values, added, changes, explain, language)
        missing = missing_of(values, numbers, self._asked)
        return Score(
            model=spec.name,
            version=spec.version,
            score=score,
            probability=probability,
            margin=margin,
            interval=interval,
            percentile=percentile,
            grade=grade,
            trend=ALONE[language],
            base_rate=spec.base_rate,
            horizon=spec.horizon,
            reasons=reasons,
            as_of=to_iso(as_of),
            scored_at=to_iso(self._now()),
            sequence=sequence,
            data_sufficiency=sufficiency_of(missing, self._n_asked, has_events, language),
            abstention=self.judge.of(numbers, len(missing), language),
        )

    def score_many(
        self,
        rows: Sequence[Sequence[Any]],
        as_of: Sequence[int],
        explain: int = 0,
        language: str = "en",
        *,
        sequence: int | None = None,
        has_events: Sequence[bool | None] | None = None,
    ) -> list[Score | SegmentScore]:
        """Return the answers about many rows; each equals what `score` says of it alone."""
        check_language(language)
        if not rows:
            return []
        X = np.array([self.bundle.encoder.encode(values) for values in rows])
        known = [None] * len(rows) if has_events is None else has_events
        shared = [
            self._shared(values, numbers, moment, sequence, events, language)
            for values, numbers, moment, events in zip(rows, X.tolist(), as_of, known, strict=True)
        ]
        if isinstance(self.bundle.engine, Clusters):
            return self._segments(self.bundle.engine, X, shared)
        answers = self.answers(X)
        reasons = self.reasons(rows, X, explain, language)
        intervals = intervals_of(self.bundle.intervals, answers)
        return [
            Score(
                **shared[i],
                score=float(answers.score[i]),
                probability=float(answers.probability[i]),
                margin=float(answers.margin[i]),
                interval=intervals[i],
                percentile=float(answers.percentile[i]),
                grade=str(answers.grade[i]),
                trend=ALONE[language],
                base_rate=self.bundle.spec.base_rate,
                horizon=self.bundle.spec.horizon,
                reasons=reasons[i],
            )
            for i in range(len(rows))
        ]

    def _segments(
        self, clusters: Clusters, X: Floats, shared: list[dict[str, Any]]
    ) -> list[Score | SegmentScore]:
        distances = clusters.distances(X)
        fits = clusters.fit_of(distances)
        answers: list[Score | SegmentScore] = []
        for row, assigned in enumerate(np.argmin(distances, axis=1)):
            segment = self.bundle.spec.segments[assigned]
            answers.append(
                SegmentScore(
                    **shared[row],
                    segment=NamedSegment(segment.id, segment.name, segment.description),
                    fit=round(float(fits[row]), 3),
                    distance=float(distances[row, assigned]),
                )
            )
        return answers

    def _shared(
        self,
        values: Sequence[Any],
        numbers: Sequence[float],
        as_of: int,
        sequence: int | None,
        has_events: bool | None,
        language: str,
    ) -> dict[str, Any]:
        missing = missing_of(values, numbers, self._asked)
        return {
            "model": self.bundle.spec.name,
            "version": self.bundle.spec.version,
            "as_of": to_iso(as_of),
            "scored_at": to_iso(self._now()),
            "sequence": sequence,
            "data_sufficiency": sufficiency_of(missing, self._n_asked, has_events, language),
            "abstention": self.judge.of(numbers, len(missing), language),
        }

    def _margins(self, X: Floats) -> Floats:
        engine = self._engine()
        # LightGBM's single-row path gives the same bits, sooner.
        return np.array([engine.margin(X[0])]) if len(X) == 1 else engine.margins(X)

    def _engine(self) -> Booster | Linear | Blend:
        engine = self.bundle.engine
        if isinstance(engine, Clusters):
            raise OutputError(
                f"{self.bundle.spec.name!r} gives segments, not probabilities.",
                remedy="Ask `score` for a row's segment.",
            )
        return engine
