"""Everything fitted on one training period and judged on the rows after it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from models.baselines import fit_baseline
from models.calibrator import Calibrator
from models.encoder import Encoder
from models.spec import ModelSpec
from training.dataset import Dataset
from training.evaluate import Judgement, judge
from training.fit import Fitted, Fitting, Table, fit_trees
from training.split import Split, inner

Step = Callable[[str], None]
TREES = "boosted trees"


def fit_candidates(
    spec: ModelSpec, data: Dataset, split: Split, how: Fitting, step: Step
) -> tuple[Fitted, ...]:
    """Return the trees and then the baselines, fitted on the split's training rows alone.

    Parameters
    ----------
    step : callable
        Told what is being fitted.
    """
    rows = data.X.iloc[split.train]
    encoder = Encoder.fit(rows, spec.features)
    y = data.y.to_numpy()[split.train]
    _, groups = np.unique(
        data.rows["customer_id"].to_numpy()[split.train].astype(str), return_inverse=True
    )
    table = Table(encoder.transform(rows), y, groups.astype(np.int64), encoder)
    step(TREES)
    fitted = [fit_trees(spec, table, _stop(data, split), how)]
    for baseline in spec.baselines:
        step(baseline.name)
        linear = fit_baseline(baseline, encoder, table.X, y, groups, how.random_state)
        fitted.append(Fitted(baseline.name, encoder, linear, Calibrator.identity()))
    return tuple(fitted)


def judge_all(
    spec: ModelSpec,
    data: Dataset,
    split: Split,
    fitted: tuple[Fitted, ...],
    *,
    resamples: int,
    random_state: int = 0,
) -> tuple[Judgement, ...]:
    """Return each candidate's probabilities and metrics on the split's judged rows."""
    X = data.X.iloc[split.test]
    y = data.y.to_numpy()[split.test]
    customers = data.rows["customer_id"].to_numpy()[split.test]
    return tuple(
        judge(
            candidate, X, y, customers, spec.metrics,
            resamples=resamples, random_state=random_state,
        )
        for candidate in fitted
    )  # fmt: skip


def _stop(data: Dataset, split: Split) -> tuple[np.ndarray, np.ndarray] | None:
    """Positions among the training rows to learn from and to stop by."""
    part = inner(
        split,
        data.rows["as_of"].to_numpy(),
        data.rows["matures_at"].to_numpy(),
        data.y.to_numpy(),
    )
    if part is None:
        return None
    # Training rows are sorted by position, so that a search finds each.
    return np.searchsorted(split.train, part.train), np.searchsorted(split.train, part.test)
