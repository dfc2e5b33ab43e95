"""Gradient-boosted trees with settings for the few thousand rows most companies begin with."""

from __future__ import annotations

from typing import Any

from models.spec import Estimator


def boosted_trees(random_state: int, num_threads: int = 1, **changes: Any) -> Estimator:
    """Return an unfitted LightGBM classifier: shallow, slow, well regularised, repeatable.

    `n_estimators` is an upper limit: the trainer stops early inside the training period. The
    same data, random_state and settings give the same trees on any number of threads
    (`deterministic` with `force_row_wise`).

    Parameters
    ----------
    random_state : int
        Seed of row and column sampling.
    num_threads : int
        Threads of `fit`.
    **changes
        Settings of `lightgbm.LGBMClassifier` that replace the ones here.

    Examples
    --------
    >>> boosted_trees(random_state=7, num_leaves=4).num_leaves
    4
    """
    from lightgbm import LGBMClassifier

    settings: dict[str, Any] = {
        "n_estimators": 1_000,
        "learning_rate": 0.05,
        "num_leaves": 8,
        "min_child_samples": 20,
        "subsample": 0.8,
        "subsample_freq": 1,
        "colsample_bytree": 0.5,
        "reg_lambda": 1.0,
        # Levels with few rows are pulled towards the mean rather than given their own leaf.
        "cat_smooth": 20.0,
        "min_data_per_group": 50,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
        "random_state": random_state,
        "n_jobs": num_threads,
    }
    classifier: Estimator = LGBMClassifier(**(settings | changes))
    return classifier
