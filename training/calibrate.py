"""The curve from out-of-fold margins to probabilities, chosen by what it costs unseen customers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from models.calibrator import Calibrator
from models.metrics import log_losses
from training.venn_abers import venn_abers

Floats = NDArray[np.float64]

ISOTONIC_ANSWERS = 1_000
"""With fewer of the rarer answer the steps of isotonic regression follow chance."""
VENN_ABERS_ANSWERS = 200
"""The same for Venn-Abers, which doubts its steps where answers are few."""


def folds_of(groups: NDArray[np.int64], n_folds: int, random_state: int) -> NDArray[np.int64]:
    """Return the fold of each row; all rows of a group share one, and folds are about as large.

    Parameters
    ----------
    groups : ndarray of int64, shape (n,)
        Codes of the customers.

    Examples
    --------
    >>> folds_of(np.array([0, 0, 1, 1, 2, 3]), 2, random_state=0).tolist()
    [0, 0, 0, 0, 1, 1]
    """
    present, codes = np.unique(groups, return_inverse=True)
    shuffled = np.random.default_rng(random_state).permutation(len(present))
    folds: NDArray[np.int64] = shuffled[codes] % n_folds
    return folds


def choose(
    margins: Floats, y: NDArray[np.int64], folds: NDArray[np.int64]
) -> tuple[Calibrator, dict[str, float]]:
    """Return the calibrator that costs unseen customers least, and what each method costs them.

    From the plainest to the most flexible, a curve takes the place of the one before where its
    cross-validated log loss is lower by more than the standard error of the difference. Where
    answers are few, only the plain ones are tried.

    Parameters
    ----------
    margins : ndarray of float64, shape (n,)
        Out-of-fold: made by an engine that did not see the row's customer.
    y : ndarray of {0, 1}, shape (n,)
    folds : ndarray of int64, shape (n,)
        Customers of one fold are judged by a curve fitted to the others.

    Source
    ------
    Breiman, Friedman, Olshen & Stone, Classification and regression trees (1984), 3.4.3: the
    one-standard-error rule.

    Examples
    --------
    >>> y = np.tile([0, 0, 0, 1], 50)
    >>> calibrator, losses = choose(np.zeros(200), y, np.arange(200) % 5)
    >>> calibrator.method, round(float(calibrator.probability(0.0)), 2)
    ('sigmoid', 0.25)
    """
    fewest = min(int(y.sum()), len(y) - int(y.sum()))
    methods: dict[str, Callable[[Floats, NDArray[np.int64]], Calibrator]] = {
        "identity": lambda margins, y: Calibrator.identity(),
        "sigmoid": sigmoid,
    }
    if fewest >= VENN_ABERS_ANSWERS:
        methods["venn_abers"] = venn_abers
    if fewest >= ISOTONIC_ANSWERS:
        methods["isotonic"] = isotonic
    losses = {}
    for name, fit in methods.items():
        p = np.empty(len(y))
        for fold in np.unique(folds):
            held = folds == fold
            p[held] = fit(margins[~held], y[~held]).probability(margins[held])
        losses[name] = log_losses(y, p)
    best = "identity"
    for name in methods:
        if clearly_lower(losses[name], losses[best]):
            best = name
    return methods[best](margins, y), {name: float(loss.mean()) for name, loss in losses.items()}


def clearly_lower(losses: Floats, than: Floats) -> bool:
    """Whether losses of the same rows are lower by more than the difference's standard error.

    Examples
    --------
    >>> clearly_lower(np.array([0.1, 0.2, 0.2]), np.array([0.3, 0.3, 0.4]))
    True
    """
    gap = than - losses
    return bool(gap.mean() > gap.std(ddof=1) / np.sqrt(len(gap)))


def sigmoid(margins: Floats, y: NDArray[np.int64]) -> Calibrator:
    """Return the logistic curve of a line through the margins; flat where they order nothing.

    Source
    ------
    Platt (1999), without the smoothed targets: there are hundreds of positives here.
    """
    from sklearn.linear_model import LogisticRegression

    spread = float(margins.std())
    rate = float(y.mean())
    if spread > 0.0 and 0.0 < rate < 1.0:
        centre = float(margins.mean())
        model = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1_000)
        model.fit(((margins - centre) / spread)[:, None], y)
        slope = float(model.coef_[0, 0]) / spread
        if slope > 0.0:
            return Calibrator.sigmoid(slope, float(model.intercept_[0]) - slope * centre)
    # One answer alone is no proof that there is no other.
    least = 0.5 / (len(y) + 1.0)
    rate = min(max(rate, least), 1.0 - least)
    return Calibrator.sigmoid(0.0, float(np.log(rate / (1.0 - rate))))


def isotonic(margins: Floats, y: NDArray[np.int64]) -> Calibrator:
    """Return the rising steps nearest to the answers, kept away from 0 and 1."""
    from sklearn.isotonic import IsotonicRegression

    # A probability of exactly 0 or 1 would make one surprise infinitely costly.
    least = 1.0 / (len(y) + 2.0)
    model = IsotonicRegression(y_min=least, y_max=1.0 - least, out_of_bounds="clip")
    model.fit(margins, y)
    return Calibrator.isotonic(model.X_thresholds_, model.y_thresholds_)
