"""What a probability model says of many encoded rows, as arrays and on several threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from models.clusters import Clusters
from models.linear import Linear

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.bundle import Bundle

    Floats = NDArray[np.float64]


class ManyAnswers(NamedTuple):
    """One array a field of `models.contract.Score`; `low` and `high` are None without intervals."""

    probability: Floats
    margin: Floats
    percentile: Floats
    grade: NDArray[np.str_]
    low: Floats | None
    high: Floats | None


def many_answers(bundle: Bundle, X: Floats, threads: int = 1) -> ManyAnswers:
    """Return the answers about rows; each has the bits that `Scorer.score` gives it alone.

    Parameters
    ----------
    bundle : Bundle
        Of a probability model.
    X : float64[n, n_columns]
        As its encoder gives them.
    threads : int
        Of the trees.
    """
    engine = bundle.engine
    assert not isinstance(engine, Clusters)
    # A linear model is one pass over the columns, which threads would not make shorter.
    margin = engine.margins(X) if isinstance(engine, Linear) else engine.margins(X, threads)
    probability = bundle.calibrator.probability(margin)
    percentile = np.round(bundle.reference.percentile(margin), 1)
    grade = bundle.reference.graded(probability, percentile)
    low = high = None
    if bundle.intervals is not None:
        low, high = bundle.intervals.of(margin)
        # Between two points of the table the curve of the probability may bend the other way.
        low, high = np.minimum(low, probability), np.maximum(high, probability)
    return ManyAnswers(probability, margin, percentile, grade, low, high)
