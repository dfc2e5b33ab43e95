"""The same procedure at earlier origins: does it hold, and which engine is the better one?"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from models.metrics import log_losses
from models.spec import ModelSpec
from training.candidates import TREES, Fit, Step, fit_candidates, judge_all
from training.dataset import Dataset
from training.evaluate import Judgement
from training.fit import Fitting
from training.split import Split

RESAMPLES = 200
MOST_ROWS = 100_000
"""An origin learns from at most as many rows, for the sake of time; the card says so."""


@dataclass(frozen=True)
class Origin:
    """All candidates, judged on one evaluation slice.

    Attributes
    ----------
    begins, ends : int
        First and last `as_of` judged, microseconds UTC.
    train_rows, rows, positives : int
    judged : tuple of Judgement
        The trees first, then the baselines.
    losses : dict of str to float
        Sum of log losses by candidate; to be pooled over origins.
    """

    begins: int
    ends: int
    train_rows: int
    rows: int
    positives: int
    judged: tuple[Judgement, ...]
    losses: dict[str, float]


def backtest(
    spec: ModelSpec,
    data: Dataset,
    splits: Sequence[Split],
    how: Fitting,
    step: Step,
    fit: Fit = fit_candidates,
) -> list[Origin]:
    """Return each origin's candidates and metrics, in the order of `splits`.

    Parameters
    ----------
    how : Fitting
        Its number of trees is used at every origin.
    fit : callable
        Makes the candidates from a split's training rows.
    """
    # Side by side on one thread each: LightGBM alone keeps all busy, the baselines only one.
    alone = replace(how, most_rows=MOST_ROWS, threads=1)

    def at(number: int) -> Origin:
        def said(what: str) -> None:
            step(f"backtest {number + 1} of {len(splits)}: {what}")

        split = splits[number]
        fitted = fit(spec, data, split, alone, said)
        return origin(data, split, judge_all(spec, data, split, fitted, resamples=RESAMPLES))

    with ThreadPoolExecutor(how.threads) as pool:
        return list(pool.map(at, range(len(splits))))


def origin(data: Dataset, split: Split, judged: tuple[Judgement, ...]) -> Origin:
    """Return what is kept of one origin."""
    y = data.y.to_numpy()[split.test]
    losses = {each.name: float(log_losses(y, each.p).sum()) for each in judged}
    return Origin(split.begins, split.ends, len(split.train), len(y), int(y.sum()), judged, losses)


def better_engine(origins: Sequence[Origin]) -> tuple[str, str]:
    """Return the candidate that was closest to what happened at the earlier origins, and why.

    The choice uses rows that are earlier than those of the verdict, so the verdict stays honest.

    Parameters
    ----------
    origins : sequence of Origin
        Without the latest one. If there are none, the trees are chosen unseen. What cannot be
        published is not chosen.

    Returns
    -------
    (str, str)
        Its name and a sentence.
    """
    if not origins:
        return TREES, (
            f"No earlier slice had matured before this one began: the {TREES} were chosen unseen."
        )
    rows = sum(each.rows for each in origins)
    names = [each.name for each in origins[0].judged if each.fitted.publishable]
    pooled = {name: sum(each.losses[name] for each in origins) / rows for name in names}
    best = min(pooled, key=lambda name: pooled[name])
    others = {name: loss for name, loss in pooled.items() if name != best}
    if not others:
        return best, "There was nothing to choose from."
    second = min(others, key=lambda name: others[name])
    won = int(np.sum([each.losses[best] < each.losses[second] for each in origins]))
    return best, (
        f"On {len(origins)} earlier slices ({rows:,} rows) {best} had the lowest log loss, "
        f"{pooled[best]:.4f} against {pooled[second]:.4f} of {second}; it was ahead in {won}."
    )
