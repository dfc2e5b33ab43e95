"""The same procedure without each fold's customers: how rows are judged that have no time."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.bootstrap import evaluate, paired_bootstrap
from models.metrics import log_losses
from models.spec import ModelSpec
from training.backtest import MOST_ROWS
from training.candidates import TREES, Fit, Step
from training.dataset import Dataset
from training.evaluate import Judgement
from training.fit import Fitted, Fitting
from training.folds import mean_by_row
from training.split import Split

Floats: TypeAlias = NDArray[np.float64]

ONE_ERROR = (0.16, 0.84)
"""Tails of one standard error."""


def judge_out_of_fold(
    spec: ModelSpec,
    data: Dataset,
    split: Split,
    fitted: Sequence[Fitted],
    how: Fitting,
    step: Step,
    fit: Fit,
) -> tuple[Judgement, ...]:
    """Return each candidate with the probabilities of models that did not see the row's customer.

    A row's probability is the mean over the deals. Models of folds learn from fewer rows than
    what is published, so the figures err on the cautious side.

    Parameters
    ----------
    split : Split
        With folds.
    fitted : sequence of Fitted
        The candidates that learned from all rows: what may be published.
    how : Fitting
        Its number of trees is used in every fold.
    fit : callable
        Makes the candidates from a split's training rows.
    """
    alone = replace(how, most_rows=MOST_ROWS, threads=1)

    def probabilities(number: int) -> dict[str, Floats]:
        def said(what: str) -> None:
            step(f"fold {number + 1} of {len(split.folds)}: {what}")

        fold = split.folds[number]
        part = replace(split, train=fold.train, test=fold.test, folds=())
        X = data.X.iloc[fold.test]
        return {each.name: each.probabilities(X) for each in fit(spec, data, part, alone, said)}

    # Side by side on one thread each, as in the backtest.
    with ThreadPoolExecutor(how.threads) as pool:
        found = list(pool.map(probabilities, range(len(split.folds))))
    y = data.y.to_numpy()[split.test]
    customers = data.rows["customer_id"].to_numpy()[split.test]
    judged = []
    for candidate in fitted:
        p = mean_by_row(split.folds, [each[candidate.name] for each in found])
        metrics = evaluate(spec.metrics, y, p, customers, 500, how.random_state)
        judged.append(Judgement(candidate, p, metrics))
    return tuple(judged)


def engine_out_of_fold(
    y: NDArray[np.int64], customers: NDArray[np.int64], judged: Sequence[Judgement]
) -> tuple[str, str]:
    """Return which candidate becomes the model, and why.

    The rows that would choose are those of the verdict, and a choice among equals flatters whom
    it chose. So another engine takes the place of the trees only where it is better by more than
    one standard error.
    """
    losses = {each.name: log_losses(y, each.p) for each in judged if each.fitted.publishable}
    best = min(losses, key=lambda name: float(losses[name].mean()))
    if best == TREES or TREES not in losses:
        return TREES, f"Out of fold the {TREES} had the lowest log loss of all candidates."
    gap = paired_bootstrap(losses[best], losses[TREES], customers, 500, 0, tails=ONE_ERROR)
    said = f"log loss {losses[best].mean():.4f} against {losses[TREES].mean():.4f}"
    if gap.high < 0.0:
        return best, (
            f"Out of fold {best} was better than the {TREES} by more than one standard error "
            f"({said}); it was chosen by the rows it is judged on."
        )
    return TREES, (
        f"Out of fold {best} was not better than the {TREES} by more than one standard error "
        f"({said}): the {TREES} were kept."
    )
