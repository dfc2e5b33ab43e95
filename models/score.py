"""From raw feature values to answers: encoder -> engine -> calibrator, and what they mean."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from features.clock import to_iso
from features.errors import NextbestError
from models.clusters import Clusters
from models.contract import (
    NO_INTERVAL,
    TREND,
    Interval,
    NamedSegment,
    NotYet,
    Score,
    SegmentScore,
)
from models.encoder import is_missing
from models.reasons import Reason, effects, explain
from models.sufficiency import sufficiency
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
    "NotYet",
    "OutputError",
    "Reason",
    "Score",
    "Scorer",
    "SegmentScore",
]


class OutputError(NextbestError):
    """A model was asked for an answer that it does not give."""


class Answers(NamedTuple):
    """What a probability model says of many rows, one array each, as `Score` defines them."""

    margin: Floats
    probability: Floats
    score: Floats
    percentile: Floats
    grade: NDArray[np.str_]


class Scorer:
    """Answers for one bundle, from any thread.

    Parameters
    ----------
    bundle : Bundle
    now : callable
        Microseconds UTC, for `scored_at`.
    """

    def __init__(
        self, bundle: Bundle, now: Callable[[], int] = lambda: time.time_ns() // 1000
    ) -> None:
        self.bundle = bundle
        self._now = now
        # Where no training row had a value, a source knows none of anybody, and nobody lacks it.
        held = bundle.reference.features
        names = bundle.encoder.names
        self._asked = [at for at, name in enumerate(names) if held[name].shares[-1] < 1.0]
        self._names = [names[at] for at in self._asked]

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
            explain(self.bundle.spec, values, parts, change, top, language)
            for values, parts, change in zip(rows, contributions, changes, strict=True)
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
        return self.score_many(
            [values], [as_of], explain, language, sequence=sequence, has_events=[has_events]
        )[0]

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
            self._shared(values, moment, sequence, events, language)
            for values, moment, events in zip(rows, as_of, known, strict=True)
        ]
        if isinstance(self.bundle.engine, Clusters):
            return self._segments(self.bundle.engine, X, shared)
        answers = self.answers(X)
        reasons = self.reasons(rows, X, explain, language)
        intervals = self._intervals(answers)
        return [
            Score(
                **shared[i],
                score=float(answers.score[i]),
                probability=float(answers.probability[i]),
                margin=float(answers.margin[i]),
                interval=intervals[i],
                percentile=float(answers.percentile[i]),
                grade=str(answers.grade[i]),
                trend=TREND,
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

    def _intervals(self, answers: Answers) -> list[Interval]:
        table = self.bundle.intervals
        if table is None:
            return [NO_INTERVAL] * len(answers.margin)
        low, high = table.of(answers.margin)
        # Between two points of the table the curve of the probability may bend the other way.
        low = np.minimum(low, answers.probability).tolist()
        high = np.maximum(high, answers.probability).tolist()
        return [
            Interval("given", low=lower, high=upper, level=table.level)
            for lower, upper in zip(low, high, strict=True)
        ]

    def _shared(
        self,
        values: Sequence[Any],
        as_of: int,
        sequence: int | None,
        has_events: bool | None,
        language: str,
    ) -> dict[str, Any]:
        # What the customer has counts as known, even a text that the model never saw.
        missing = [is_missing(values[at]) for at in self._asked]
        return {
            "model": self.bundle.spec.name,
            "version": self.bundle.spec.version,
            "as_of": to_iso(as_of),
            "scored_at": to_iso(self._now()),
            "sequence": sequence,
            "data_sufficiency": sufficiency(self._names, missing, has_events, language),
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
