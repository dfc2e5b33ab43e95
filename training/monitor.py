"""Whether the champion still keeps its promises: keep it, retrain, or roll back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models import rails
from models.bundle import Bundle
from models.clustered import Grouped, calibration, mean_difference
from models.clusters import Clusters
from models.metrics import log_losses
from models.promotion import Gate
from training.dataset import Dataset
from training.drift import Shift, drift

Floats: TypeAlias = NDArray[np.float64]
Verdict = Literal["keep", "retrain", "roll back"]

CODES: dict[Verdict, int] = {"keep": 0, "retrain": 1, "roll back": 2}
FEWEST_POSITIVES = 20
"""Fewer answers, and outcomes decide nothing yet."""


@dataclass(frozen=True)
class GradeCheck:
    """Expected and actual rate of one grade, with the interval of actual minus expected."""

    grade: str
    rows: int
    expected: float
    actual: float
    low: float
    high: float

    @property
    def word(self) -> str:
        """Whether chance explains the difference, and else which way it goes."""
        if self.low > 0:
            return "more than expected"
        return "fewer than expected" if self.high < 0 else "as expected"


@dataclass(frozen=True)
class LabelRate:
    """How often the answer was yes, against the training rows; `then` is None where unknown."""

    rows: int
    now: float
    low: float
    high: float
    then: float | None

    @property
    def word(self) -> str:
        """Whether the rate at training still holds."""
        if self.then is None:
            return "its rate at training is not known"
        held = self.low <= self.then <= self.high
        return "as at training" if held else "other than at training"


@dataclass(frozen=True)
class Monitored:
    """What monitoring found.

    Attributes
    ----------
    verdict : {"keep", "retrain", "roll back"}
    reason : str
    grades : tuple of GradeCheck
        On the rows that matured since training; none if there are none.
    score_drift : Shift or None
        Of present scores against those of training.
    feature_drift : tuple of Shift
        The same by feature, the largest first.
    label_rate : LabelRate or None
        On the rows that matured since training.
    waiting : int
        Rows whose answer is not known yet; they count neither as yes nor as no.
    """

    verdict: Verdict
    reason: str
    grades: tuple[GradeCheck, ...]
    score_drift: Shift | None
    feature_drift: tuple[Shift, ...]
    label_rate: LabelRate | None = None
    waiting: int = 0

    @property
    def code(self) -> int:
        """Exit code for a scheduler: 0 keep, 1 retrain, 2 roll back."""
        return CODES[self.verdict]

    def to_json(self) -> dict[str, Any]:
        """Return plain values for a report, each check with its word."""

        def shift(each: Shift) -> dict[str, Any]:
            return {**asdict(each), "drifted": each.drifted}

        rate, score = self.label_rate, self.score_drift
        return {
            "verdict": self.verdict,
            "code": self.code,
            "reason": self.reason,
            "matured": 0 if rate is None else rate.rows,
            "waiting": self.waiting,
            "grades": [{**asdict(each), "word": each.word} for each in self.grades],
            "label_rate": None if rate is None else {**asdict(rate), "word": rate.word},
            "score_drift": None if score is None else shift(score),
            "feature_drift": [shift(each) for each in self.feature_drift],
        }


def monitor(
    champion: Bundle,
    gate: Gate,
    matured: Dataset,
    present: Dataset,
    previous: Bundle | None = None,
    *,
    waiting: int = 0,
) -> Monitored:
    """Return whether to keep a champion.

    Parameters
    ----------
    champion : Bundle
    gate : Gate
        Its tolerances of calibration.
    matured : Dataset
        Rows whose label matured after the champion was trained.
    present : Dataset
        Rows as they are scored now.
    previous : Bundle, optional
        What a roll-back would bring back.
    waiting : int
        Rows whose label has not matured, to be reported.
    """
    scores, features = drift(champion, present)
    if isinstance(champion.engine, Clusters):
        verdict, reason = _by_drift(scores, "It has no outcomes.")
        return Monitored(verdict, reason, (), scores, features, waiting=waiting)
    y = matured.y.to_numpy()
    customers = matured.rows["customer_id"].to_numpy(dtype=str)
    rate = _label_rate(champion, y, customers) if len(y) else None
    positives = int(y.sum())
    if min(positives, len(y) - positives) < FEWEST_POSITIVES:
        said = (
            f"{len(y):,} rows with {positives:,} positives matured since training, which is too "
            f"few to tell; {waiting:,} are not mature yet."
        )
        verdict, reason = _by_drift(scores, said)
        return Monitored(verdict, reason, (), scores, features, rate, waiting)
    p, margins = _answers(champion, matured.X)
    grades = by_grade(champion, y, p, margins, customers)
    verdict, reason = _by_outcomes(champion, gate, y, p, Grouped.of(customers), matured.X, previous)
    if verdict == "keep":
        verdict, reason = _by_drift(scores, reason)
    return Monitored(verdict, reason, grades, scores, features, rate, waiting)


def by_grade(
    champion: Bundle,
    y: NDArray[np.int64],
    p: Floats,
    margins: Floats,
    customers: Sequence[str] | NDArray[np.str_],
) -> tuple[GradeCheck, ...]:
    """Return expected and actual rate by grade, best grade first; empty grades are left out."""
    percentiles = np.round(champion.reference.percentile(margins), 1)
    grades = champion.reference.graded(p, percentiles)
    found = []
    for grade in np.unique(grades).tolist():
        rows = np.flatnonzero(grades == grade)
        if len(rows):
            gap = mean_difference(y[rows], p[rows], Grouped.of(np.asarray(customers)[rows]))
            expected, actual = float(p[rows].mean()), float(y[rows].mean())
            low, high = max(-1.0, gap.low), min(1.0, gap.high)  # of one customer: anything
            found.append(GradeCheck(grade, len(rows), expected, actual, low, high))
    return tuple(found)


def _label_rate(champion: Bundle, y: NDArray[np.int64], customers: NDArray[np.str_]) -> LabelRate:
    now = mean_difference(y, np.zeros(len(y)), Grouped.of(customers))
    low, high = max(0.0, now.low), min(1.0, now.high)
    return LabelRate(len(y), now.mean, low, high, champion.spec.base_rate)


def _answers(bundle: Bundle, X: pd.DataFrame) -> tuple[Floats, Floats]:
    if isinstance(bundle.engine, Clusters):
        raise TypeError("segments give no probabilities")
    margins = bundle.engine.margins(bundle.encoder.transform(X))
    return bundle.calibrator.probability(margins), margins


def _by_drift(scores: Shift | None, said: str) -> tuple[Verdict, str]:
    if scores is not None and scores.drifted:
        return "retrain", (
            f"{said} But today's answers are distributed otherwise than at training (stability "
            f"index {scores.index:.2f}, above {scores.bound:.2f})."
        )
    steady = "" if scores is None else f" Today's answers are as at training ({scores.index:.2f})."
    return "keep", f"{said}{steady}"


def _by_outcomes(
    champion: Bundle,
    gate: Gate,
    y: NDArray[np.int64],
    p: Floats,
    customers: Grouped,
    X: pd.DataFrame,
    previous: Bundle | None,
) -> tuple[Verdict, str]:
    losses = log_losses(y, p)
    if previous is not None and not isinstance(previous.engine, Clusters):
        theirs = log_losses(y, _answers(previous, X)[0])
        gap = mean_difference(theirs, losses, customers, gate.alpha)
        if gap.high < 0:
            return "roll back", (
                f"The previous champion, version {previous.spec.version}, is closer to what "
                f"happened (log loss {gap.mean:+.4f} [{gap.low:+.4f}, {gap.high:+.4f}])."
            )
    if champion.spec.base_rate is not None:
        flat = log_losses(y, np.full(len(y), champion.spec.base_rate))
        gap = mean_difference(flat, losses, customers, gate.alpha)
        if gap.high < 0:
            worse = "It does worse than giving everyone the base rate of its training."
            return ("retrain" if previous is None else "roll back"), worse
    found = calibration(y, p, customers, gate.alpha)
    # A constant champion has no slope; its intercept alone says whether it can be believed.
    known = {name: each for name, each in found.items() if each.value is not None}
    off = next((rail for rail in rails.calibrated(gate, known) if not rail.passed), None)
    if off is not None:
        return "retrain", f"On {len(y):,} rows that matured since training {off.words}."
    return "keep", (
        f"On {len(y):,} rows that matured since training its calibration stays within what the "
        "gate tolerates."
    )
