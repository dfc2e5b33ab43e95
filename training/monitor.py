"""Whether the champion still keeps its promises: keep it, retrain, or roll back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.bootstrap import evaluate, paired_bootstrap
from models.bundle import Bundle
from models.clusters import Clusters
from models.metrics import log_losses
from models.promotion import Gate
from training.dataset import Dataset

Floats: TypeAlias = NDArray[np.float64]
Verdict = Literal["keep", "retrain", "roll back"]

CODES: dict[Verdict, int] = {"keep": 0, "retrain": 1, "roll back": 2}
DRIFTED = 0.25
"""Population stability index above which scores are no longer those the model was made for.
Source: Siddiqi (2006), Credit Risk Scorecards: above 0.25 is a major shift."""
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


@dataclass(frozen=True)
class Monitored:
    """What monitoring found.

    Attributes
    ----------
    verdict : {"keep", "retrain", "roll back"}
    reason : str
    grades : tuple of GradeCheck
        On the rows that matured since training; none if there are none.
    score_drift : float or None
        Population stability index of present scores against those of training.
    feature_drift : tuple of (str, float)
        The same by feature, the largest first.
    """

    verdict: Verdict
    reason: str
    grades: tuple[GradeCheck, ...]
    score_drift: float | None
    feature_drift: tuple[tuple[str, float], ...]

    @property
    def code(self) -> int:
        """Exit code for a scheduler: 0 keep, 1 retrain, 2 roll back."""
        return CODES[self.verdict]


def monitor(
    champion: Bundle,
    gate: Gate,
    matured: Dataset,
    present: Dataset,
    previous: Bundle | None = None,
    *,
    random_state: int = 0,
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
    """
    scores, features = drift(champion, present)
    if isinstance(champion.engine, Clusters):
        return Monitored(*_by_drift(scores, "It has no outcomes."), (), scores, features)
    y = matured.y.to_numpy()
    positives = int(y.sum())
    if min(positives, len(y) - positives) < FEWEST_POSITIVES:
        said = f"{len(y):,} rows with {positives:,} positives matured since training: too few."
        return Monitored(*_by_drift(scores, said), (), scores, features)
    customers = matured.rows["customer_id"].to_numpy(dtype=str)
    p, margins = _answers(champion, matured.X)
    grades = by_grade(champion, y, p, margins, customers, random_state)
    verdict, reason = _by_outcomes(champion, gate, y, p, customers, matured.X, previous)
    if verdict == "keep":
        verdict, reason = _by_drift(scores, reason)
    return Monitored(verdict, reason, grades, scores, features)


def by_grade(
    champion: Bundle,
    y: NDArray[np.int64],
    p: Floats,
    margins: Floats,
    customers: Sequence[str] | NDArray[np.str_],
    random_state: int = 0,
) -> tuple[GradeCheck, ...]:
    """Return expected and actual rate by grade, best grade first; empty grades are left out."""
    percentiles = np.round(champion.reference.percentile(margins), 1)
    grades = champion.reference.graded(p, percentiles)
    found = []
    for grade in np.unique(grades).tolist():
        rows = np.flatnonzero(grades == grade)
        if len(rows):
            gap = paired_bootstrap(y[rows], p[rows], np.asarray(customers)[rows], 500, random_state)
            expected, actual = float(p[rows].mean()), float(y[rows].mean())
            found.append(GradeCheck(grade, len(rows), expected, actual, gap.low, gap.high))
    return tuple(found)


def drift(champion: Bundle, present: Dataset) -> tuple[float | None, tuple[tuple[str, float], ...]]:
    """Return the stability index of the scores, or segments, and of each feature."""
    if len(present) == 0:
        return None, ()
    X = champion.encoder.transform(present.X)
    features = sorted(
        (
            (column.name, stability_index(known.shares, known.shares_of(X[:, place])))
            for place, column in enumerate(champion.encoder.columns)
            for known in (champion.reference.features[column.name],)
        ),
        key=lambda pair: -pair[1],
    )
    if isinstance(champion.engine, Clusters):
        then = [segment.share for segment in champion.spec.segments]
        now = np.bincount(champion.engine.assign(X), minlength=len(then)) / len(X)
        return stability_index(then, now), tuple(features)
    deciles = np.unique(np.array(champion.reference.margin_quantiles)[10:91:10])
    bins = np.searchsorted(deciles, champion.engine.margins(X), side="right")
    shares = np.bincount(bins, minlength=len(deciles) + 1) / len(X)
    # What the quantiles say of the reference; a constant model has one value and no deciles.
    quantiles = np.searchsorted(
        deciles, np.array(champion.reference.margin_quantiles), side="right"
    )
    then_shares = np.bincount(quantiles, minlength=len(deciles) + 1) / len(quantiles)
    return stability_index(then_shares, shares), tuple(features)


def stability_index(then: Sequence[float] | Floats, now: Sequence[float] | Floats) -> float:
    """Return the population stability index of shares of the same bins: 0 is the same.

    Examples
    --------
    >>> stability_index([0.5, 0.5], [0.5, 0.5]), round(stability_index([0.5, 0.5], [0.9, 0.1]), 2)
    (0.0, 0.88)
    """
    # An empty bin has no logarithm; half a row in a thousand stands for it.
    a, b = (np.maximum(np.asarray(shares, dtype=np.float64), 5e-4) for shares in (then, now))
    return float(((b - a) * np.log(b / a)).sum())


def _answers(bundle: Bundle, X: pd.DataFrame) -> tuple[Floats, Floats]:
    if isinstance(bundle.engine, Clusters):
        raise TypeError("segments give no probabilities")
    margins = bundle.engine.margins(bundle.encoder.transform(X))
    return bundle.calibrator.probability(margins), margins


def _by_drift(scores: float | None, said: str) -> tuple[Verdict, str]:
    if scores is not None and scores > DRIFTED:
        return "retrain", (
            f"{said} But today's answers are distributed otherwise than at training (stability "
            f"index {scores:.2f}, above {DRIFTED})."
        )
    steady = "" if scores is None else f" Today's answers are as at training ({scores:.2f})."
    return "keep", f"{said}{steady}"


def _by_outcomes(
    champion: Bundle,
    gate: Gate,
    y: NDArray[np.int64],
    p: Floats,
    customers: NDArray[np.str_],
    X: pd.DataFrame,
    previous: Bundle | None,
) -> tuple[Verdict, str]:
    losses = log_losses(y, p)
    if previous is not None and not isinstance(previous.engine, Clusters):
        gap = paired_bootstrap(log_losses(y, _answers(previous, X)[0]), losses, customers)
        if gap.high < 0:
            return "roll back", (
                f"The previous champion, version {previous.spec.version}, is closer to what "
                f"happened (log loss {gap.mean:+.4f} [{gap.low:+.4f}, {gap.high:+.4f}])."
            )
    if champion.spec.base_rate is not None:
        flat = log_losses(y, np.full(len(y), champion.spec.base_rate))
        gap = paired_bootstrap(flat, losses, customers)
        if gap.high < 0:
            worse = "It does worse than giving everyone the base rate of its training."
            return ("retrain" if previous is None else "roll back"), worse
    found = evaluate(("calibration_slope", "calibration_intercept"), y, p, customers)
    rails = (("calibration_slope", gate.slope, 1.0), ("calibration_intercept", gate.intercept, 0.0))
    for name, (lowest, highest), ideal in rails:
        each = found[name]
        if each.value is None or each.low is None or each.high is None:
            continue
        if not lowest <= each.value <= highest and not each.low <= ideal <= each.high:
            return "retrain", f"Its {name.replace('_', ' ')} is off: {each}."
    return "keep", (
        f"On {len(y):,} rows that matured since training its calibration stays within what the "
        "gate tolerates."
    )
