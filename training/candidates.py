"""Everything fitted on one training period and judged on the rows after it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from models.baselines import fit_baseline
from models.calibrator import Calibrator
from models.linear import Linear
from models.spec import ModelSpec
from training.dataset import Dataset
from training.encode import encoded
from training.evaluate import Judgement, judge
from training.fit import Fitted, Fitting, Table, fit_trees
from training.holdout import customers_of, stop_by
from training.split import Split

Step = Callable[[str], None]
Fit = Callable[[ModelSpec, Dataset, Split, Fitting, Step], tuple[Fitted, ...]]
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
    table = training_table(spec, data, split, how)
    step(TREES)
    trees = fit_trees(spec, table, _stop(data, split, how), how)
    return (trees, *fit_baselines(spec, table, how, step))


def training_table(spec: ModelSpec, data: Dataset, split: Split, how: Fitting) -> Table:
    """Return a split's training rows, encoded by what they know."""
    learned = split.train[_drawn(data, split, how)]
    rows = data.X.iloc[learned]
    y, groups = data.y.to_numpy()[learned], customers_of(data, learned)
    return encoded(rows, spec.features, y, groups, how.random_state)


def fit_baselines(spec: ModelSpec, table: Table, how: Fitting, step: Step) -> list[Fitted]:
    """Return the model's baselines, fitted to the rows of a training period."""
    fitted = []
    for baseline in spec.baselines:
        step(baseline.name)
        encoder = table.encoder
        engine = fit_baseline(baseline, encoder, table.X, table.y, table.groups, how.random_state)
        notes = {}
        if baseline.kind == "best_column" and isinstance(engine, Linear):
            notes = {"column": ", ".join({encoder.names[term.column] for term in engine.terms})}
        fitted.append(Fitted(baseline.name, encoder, engine, Calibrator.identity(), notes))
    return fitted


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


def _drawn(data: Dataset, split: Split, how: Fitting) -> NDArray[np.int64]:
    """Positions among the training rows of the customers to learn from."""
    n = len(split.train)
    if how.most_rows is None or n <= how.most_rows:
        return np.arange(n)
    customers = customers_of(data, split.train)
    places = np.random.default_rng(how.random_state).permutation(int(customers.max()) + 1)
    return np.flatnonzero(places[customers] < len(places) * how.most_rows // n)


def _stop(
    data: Dataset, split: Split, how: Fitting
) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Positions among the training rows to learn from and to stop by."""
    if how.trees is not None:
        return None
    part = stop_by(data, split)
    if part is None:
        return None
    # Training rows are sorted by position, so that a search finds each.
    return np.searchsorted(split.train, part[0]), np.searchsorted(split.train, part[1])
