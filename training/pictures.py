"""The pictures of a probability model's card, each with the words for those who do not see it."""

from __future__ import annotations

import numpy as np

from features.clock import to_iso
from training import plots
from training.card import Picture, percent
from training.evaluate import Judgement
from training.grading import Grading
from training.learn import Learned


def grade_picture(graded: Grading, did: str) -> Picture:
    """Return promise and outcome by grade."""
    said = "; ".join(
        f"grade {each.grade}: {percent(each.actual)}, promised {percent(each.low)} to "
        f"{percent(each.high)}"
        for each in graded.checks
    )
    figure = plots.grades(graded.checks, did=did)
    return plots.picture("grades", figure, f"How many of each grade {did}: {said}.")


def gain_picture(learned: Learned, shown: Judgement, did: str) -> Picture:
    """Return whom contacting the best scored reaches."""
    y = learned.evaluation.y
    shares = ", ".join(
        f"{percent(reached(y, shown.p, depth))} among the best {percent(depth)}"
        for depth in (0.1, 0.2, 0.5)
    )
    figure = plots.gain(y, shown.p, did=did)
    return plots.picture("gain", figure, f"Of those who {did}: {shares}.")


def detail_pictures(learned: Learned, shown: Judgement, graded: Grading) -> list[Picture]:
    """Return calibration, lift, the spread of the scores and, if there is one, the backtest."""
    y, p = learned.evaluation.y, shown.p
    tenths = np.array_split(np.argsort(p, kind="stable"), min(10, len(p)))
    pairs = ", ".join(f"{percent(p[r].mean())} / {percent(y[r].mean())}" for r in tenths)
    tenth, quantiles = reached(y, p, 0.1) / 0.1, np.quantile(p, (0.1, 0.5, 0.9))
    found = [
        plots.picture(
            "calibration", plots.calibration(y, p),
            f"Promised and observed rate by tenth of the rows, lowest first: {pairs}.",
        ),
        plots.picture(
            "lift", plots.lift(y, p),
            f"Among the best tenth it is {tenth:.1f} times as frequent as on average.",
        ),
        plots.picture(
            "scores", plots.scores(y, p, graded.cuts),
            f"Probabilities: a tenth below {percent(quantiles[0])}, half below "
            f"{percent(quantiles[1])}, a tenth above {percent(quantiles[2])}.",
        ),
    ]  # fmt: skip
    return [*found, *([backtest_picture(learned)] if len(learned.origins) > 1 else [])]


def backtest_picture(learned: Learned) -> Picture:
    """Return the log losses at each origin."""
    origins, model = learned.origins, learned.evaluation.model.name
    dates = [to_iso(origin.begins)[:10] for origin in origins]
    losses = {
        name: [origin.losses[name] / origin.rows for origin in origins]
        for name in origins[0].losses
    }
    metrics = [next(j.metrics for j in origin.judged if j.name == model) for origin in origins]
    found = [each["log_loss"] for each in metrics if "log_loss" in each]
    intervals = [(e.low, e.high) for e in found if e.low is not None and e.high is not None]
    figure = plots.backtest(
        dates, losses, intervals if len(intervals) == len(dates) else (), model=model
    )
    said = ", ".join(f"{d}: {loss:.4f}" for d, loss in zip(dates, losses[model], strict=True))
    return plots.picture("backtest", figure, f"Log loss of {model} by first date judged: {said}.")


def reached(y: np.ndarray, p: np.ndarray, depth: float) -> float:
    """Return the share of all positives among the best scored share of the rows.

    Examples
    --------
    >>> reached(np.array([1, 0, 1, 0, 0]), np.array([0.9, 0.8, 0.3, 0.2, 0.1]), 0.2)
    0.5
    """
    best = np.argsort(-p, kind="stable")[: max(1, round(depth * len(p)))]
    return float(y[best].sum() / max(int(y.sum()), 1))
