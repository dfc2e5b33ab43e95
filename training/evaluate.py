"""The model and its baselines on the same later rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.bootstrap import Difference, Estimate, evaluate, paired_bootstrap
from models.metrics import log_losses
from training.fit import Fitted

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Judgement:
    """One candidate on the judged rows.

    Attributes
    ----------
    fitted : Fitted
    p : ndarray of float64, shape (n,)
        Calibrated probabilities.
    metrics : dict of str to Estimate
    """

    fitted: Fitted
    p: Floats
    metrics: dict[str, Estimate]

    @property
    def name(self) -> str:
        """The candidate's name."""
        return self.fitted.name


@dataclass(frozen=True)
class Evaluation:
    """The candidates on one evaluation slice.

    Attributes
    ----------
    y : ndarray of {0, 1}, shape (n,)
    customers : ndarray, shape (n,)
        The customer of each row; intervals are over customers.
    model : Judgement
    baselines : tuple of Judgement
        What the model has to beat.
    rivals : tuple of Judgement
        Other engines that lost to it on earlier slices; shown, but none to beat.
    difference : Difference
        Mean log loss of the model minus that of the best baseline; below 0 the model is better.
    rival_gaps : tuple of Difference
        Mean log loss of each rival minus that of the model.
    baseline_gaps : tuple of Difference
        Mean log loss of the model minus that of each baseline.
    """

    y: NDArray[np.int64]
    customers: NDArray[Any]
    model: Judgement
    baselines: tuple[Judgement, ...]
    rivals: tuple[Judgement, ...]
    difference: Difference
    rival_gaps: tuple[Difference, ...] = ()
    baseline_gaps: tuple[Difference, ...] = ()

    @property
    def everyone(self) -> tuple[Judgement, ...]:
        """The model, then its rivals, then its baselines."""
        return (self.model, *self.rivals, *self.baselines)

    @property
    def best_baseline(self) -> Judgement:
        """The baseline with the lowest log loss here: the hardest one to beat."""
        return hardest(self.y, self.baselines)

    @property
    def beats(self) -> bool:
        """Whether the interval of the difference lies wholly below zero."""
        return self.difference.high < 0.0

    @property
    def beaten(self) -> tuple[str, ...]:
        """Names of the baselines that the model beats beyond doubt."""
        pairs = zip(self.baselines, self.baseline_gaps, strict=True)
        return tuple(baseline.name for baseline, gap in pairs if gap.high < 0.0)

    def verdict(self) -> str:
        """Return whether the model beats its best baseline, and how its rivals did here.

        Where it does not, it is said which ones it beats; where it beats none, that it deserves
        no praise.
        """
        best = self.best_baseline.name
        gap = self.difference
        if self.beats:
            first = f"It beats its best baseline, {best} ({_gap(gap)}: the interval excludes zero)."
        elif gap.low > 0.0:
            first = f"It is worse than its best baseline, {best} ({_gap(gap)})."
        else:
            first = (
                f"It does not beat its best baseline, {best} ({_gap(gap)}: zero is not excluded)."
            )
        if not self.beats:
            first += f" {self._beaten_words()}"
        pairs = zip(self.rivals, self.rival_gaps, strict=True)
        return " ".join([first, *(_beside(rival.name, gap) for rival, gap in pairs)])

    def _beaten_words(self) -> str:
        if self.beaten:
            return f"It beats {', '.join(self.beaten)}."
        return f"It beats none of its {len(self.baselines)} baselines: nothing here to praise."

    def calibration(self) -> list[str]:
        """Return what the calibration's slope and intercept say, one sentence each."""
        return [
            sentence
            for name, ideal, too_low, too_high in (
                ("calibration_slope", 1.0, "too extreme", "too timid"),
                ("calibration_intercept", 0.0, "too high on the whole", "too low on the whole"),
            )
            if (sentence := _calibration(name, self.model.metrics, ideal, too_low, too_high))
        ]


def judge(
    fitted: Fitted,
    X: pd.DataFrame,
    y: NDArray[np.int64],
    customers: NDArray[Any],
    metrics: Sequence[str],
    *,
    resamples: int = 500,
    random_state: int = 0,
) -> Judgement:
    """Return a candidate's probabilities and metrics, each with an interval over customers."""
    p = fitted.probabilities(X)
    return Judgement(fitted, p, evaluate(metrics, y, p, customers, resamples, random_state))


def hardest(y: NDArray[np.int64], baselines: Sequence[Judgement]) -> Judgement:
    """Return the baseline with the lowest log loss; of equals the first declared."""
    return min(baselines, key=lambda judged: float(log_losses(y, judged.p).mean()))


def compare(
    y: NDArray[np.int64],
    customers: NDArray[Any],
    model: Judgement,
    baselines: Sequence[Judgement],
    rivals: Sequence[Judgement] = (),
    *,
    resamples: int = 2_000,
    random_state: int = 0,
) -> Evaluation:
    """Return the evaluation of a model beside its baselines on the same rows."""

    def gap(first: Judgement, second: Judgement) -> Difference:
        one, other = log_losses(y, first.p), log_losses(y, second.p)
        return paired_bootstrap(one, other, customers, resamples, random_state)

    gaps = {baseline.name: gap(model, baseline) for baseline in baselines}
    difference, baseline_gaps = gaps[hardest(y, baselines).name], tuple(gaps.values())
    rival_gaps = tuple(gap(rival, model) for rival in rivals)
    return Evaluation(
        y, customers, model, tuple(baselines), tuple(rivals), difference, rival_gaps, baseline_gaps
    )


def _gap(gap: Difference) -> str:
    return f"log loss {gap.mean:+.4f}, 95 % interval {gap.low:+.4f} to {gap.high:+.4f}"


def _beside(rival: str, gap: Difference) -> str:
    """Say how an engine that lost on earlier slices did on these rows."""
    if gap.high < 0.0:
        return f"Here {rival}, which lost on earlier slices, would have been better ({_gap(gap)})."
    if gap.low > 0.0:
        return f"{rival.capitalize()} would have been worse here too ({_gap(gap)})."
    return f"{rival.capitalize()} cannot be told apart from it here ({_gap(gap)})."


def _calibration(
    name: str, metrics: dict[str, Estimate], ideal: float, too_low: str, too_high: str
) -> str:
    if name not in metrics:
        return ""
    words, found = name.replace("_", " "), metrics[name]
    if found.value is None or found.low is None or found.high is None:
        return f"The {words} is not defined: {found.why}"
    interval = f"{found.value:.2f}, 95 % interval {found.low:.2f} to {found.high:.2f}"
    if found.low <= ideal <= found.high:
        return f"The {words} is sound ({interval}, which contains {ideal:g})."
    off = too_low if found.high < ideal else too_high
    return f"The {words} is off: the probabilities are {off} ({interval}, without {ideal:g})."
