"""Promotion as a statistical decision, with its reason in a sentence a marketer can read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from features.errors import NextbestError
from models.bootstrap import Difference, Estimate, evaluate, paired_bootstrap
from models.metrics import log_loss, log_losses
from models.ranking import auc
from models.spec import Gate

_CALIBRATION = ("calibration_slope", "calibration_intercept")


class GateError(NextbestError):
    """A decision asked for without what it needs."""


@dataclass(frozen=True)
class Decision:
    """What to publish and why.

    Attributes
    ----------
    promote : bool
        Whether the challenger becomes the champion.
    publish : {"challenger", "baseline", "champion", "nothing"}
        What should serve afterwards; "champion" is the present one, kept.
    baseline : str
        Name of the best baseline on these rows: what is published where `publish` says so.
    reason : str
        In plain words, with the numbers that decided.
    numbers : dict of str to float
        Those numbers and the ones beside them.
    """

    promote: bool
    publish: Literal["challenger", "baseline", "champion", "nothing"]
    baseline: str
    reason: str
    numbers: dict[str, float]


def decide(
    gate: Gate,
    y: ArrayLike,
    groups: ArrayLike,
    challenger: ArrayLike,
    baselines: Mapping[str, ArrayLike],
    champion: ArrayLike | None = None,
    random_state: int = 0,
) -> Decision:
    """Decide between a challenger and the champion, or the best baseline if there is none yet.

    The best baseline is the one that could be published: closest to what happened among those
    whose calibration can be believed. A first champion beats it, and is not proven worse than any.

    All probabilities are for the same rows, later in time than anything either was fitted to.

    Parameters
    ----------
    gate : Gate
        The model's conditions.
    y, groups : array-like of shape (rows,)
        Answers, and the customer of each row.
    challenger : array-like of shape (rows,)
        Its probabilities.
    baselines : mapping of str to array-like
        Probabilities by the baseline's name; at least one.
    champion : array-like of shape (rows,), optional
        The present champion's probabilities.
    random_state : int
        Seed of the resamples.

    Raises
    ------
    GateError
        If no baseline is given.
    MetricError
        If the rows hold one answer only, or probabilities are out of range.

    Examples
    --------
    >>> y, sharp, flat = [0, 0, 0, 1, 1, 1, 1, 0] * 25, ([0.25] * 4 + [0.75] * 4) * 25, [0.5] * 200
    >>> decision = decide(Gate(), y, range(200), sharp, {"constant rate": flat})
    >>> decision.promote, decision.publish
    (True, 'challenger')
    """
    if not baselines:
        raise GateError(
            "There is no baseline to judge against.", remedy="Give at least the constant rate."
        )
    losses = {name: log_loss(y, p) for name, p in baselines.items()}
    best, left_out = _publishable(gate, y, groups, baselines, losses, random_state)
    opponent, name = (
        (baselines[best], f"the best baseline ({best})")
        if champion is None
        else (champion, "the present champion")
    )
    difference = paired_bootstrap(
        log_losses(y, challenger),
        log_losses(y, opponent),
        groups,
        gate.resamples,
        random_state,
        tails=(gate.alpha, 1 - gate.alpha),
    )
    calibration = evaluate(_CALIBRATION, y, challenger, groups, 500, random_state)
    numbers = {
        "rows": float(len(np.asarray(y))),
        "customers": float(len(np.unique(np.asarray(groups)))),
        "log_loss_challenger": log_loss(y, challenger),
        "log_loss_opponent": log_loss(y, opponent),
        f"log_loss_{best}": losses[best],
        "difference": difference.mean,
        "difference_low": difference.low,
        "difference_high": difference.high,
        "auc_challenger": auc(y, challenger),
        **{name: e.value for name, e in calibration.items() if e.value is not None},
    }
    stopped = _guard_rails(gate, numbers["auc_challenger"], calibration)
    compared = _compared(numbers, difference, name)
    if champion is None and left_out is not None:
        stopped = stopped or _worse(gate, y, groups, challenger, baselines, left_out, random_state)
        compared += f"; {left_out.why}"
    if difference.high < 0 and stopped is None:
        return Decision(True, "challenger", best, f"Promoted: {compared}.", numbers)
    why = f"Not promoted: {compared}" + (f", but {stopped}." if difference.high < 0 else ".")
    if champion is not None:
        reason = f"{why} The present champion stays."
        return Decision(False, "champion", best, reason, numbers)
    if auc(y, baselines[best]) > gate.too_good:
        reason = f"{why} The baseline is too good as well; nothing is published."
        return Decision(False, "nothing", best, reason, numbers)
    reason = f"{why} The baseline itself ({best}) is published."
    return Decision(False, "baseline", best, reason, numbers)


@dataclass(frozen=True)
class _LeftOut:
    """A baseline that comes closest to what happened but may not be published."""

    name: str
    why: str


def _publishable(
    gate: Gate,
    y: ArrayLike,
    groups: ArrayLike,
    baselines: Mapping[str, ArrayLike],
    losses: dict[str, float],
    random_state: int,
) -> tuple[str, _LeftOut | None]:
    """Return the best baseline whose probabilities can be believed, and a better one that is not.

    A baseline takes the field when the challenger is not proven better, so it has to keep the
    calibration that is asked of the challenger. If none does, the best one is taken as it is.
    """
    ordered = sorted(losses, key=lambda name: losses[name])
    left_out: _LeftOut | None = None
    for name in ordered:
        found = evaluate(_CALIBRATION, y, baselines[name], groups, 500, random_state)
        # A constant has no slope; its intercept alone says whether it can be believed.
        fault = _miscalibrated(gate, {k: e for k, e in found.items() if e.value is not None})
        if fault is None:
            return name, left_out
        left_out = left_out or _LeftOut(name, f"{name} was no opponent, because {fault}")
    return ordered[0], None


def _worse(
    gate: Gate,
    y: ArrayLike,
    groups: ArrayLike,
    challenger: ArrayLike,
    baselines: Mapping[str, ArrayLike],
    left_out: _LeftOut,
    random_state: int,
) -> str | None:
    """Say that the challenger is proven worse even than a baseline that cannot be believed."""
    ours, theirs = log_losses(y, challenger), log_losses(y, baselines[left_out.name])
    gap = paired_bootstrap(
        ours, theirs, groups, gate.resamples, random_state, tails=(gate.alpha, 1 - gate.alpha)
    )
    return f"it is further from what happened than {left_out.name}" if gap.low > 0 else None


def _compared(numbers: dict[str, float], difference: Difference, opponent: str) -> str:
    if difference.high < 0:
        verdict = "comes closer to what happened than"
    elif difference.low > 0:
        verdict = "is further from what happened than"
    else:
        verdict = "cannot be told apart from"
    return (
        f"on {numbers['rows']:,.0f} later rows of {numbers['customers']:,.0f} customers the new "
        f"model {verdict} {opponent} (log loss {numbers['log_loss_challenger']:.4f} against "
        f"{numbers['log_loss_opponent']:.4f}, difference {difference.mean:+.4f} "
        f"[{difference.low:+.4f}, {difference.high:+.4f}])"
    )


def _guard_rails(gate: Gate, auc_: float, calibration: dict[str, Estimate]) -> str | None:
    if auc_ > gate.too_good:
        return (
            f"its AUC of {auc_:.3f} is too good to be true (above {gate.too_good:g}): look for a "
            "feature that knows the answer"
        )
    undefined = next((name for name in _CALIBRATION if calibration[name].value is None), None)
    if undefined is not None:
        return f"its {undefined.replace('_', ' ')} is not defined ({calibration[undefined].why})"
    return _miscalibrated(gate, calibration)


def _miscalibrated(gate: Gate, calibration: dict[str, Estimate]) -> str | None:
    rails = {"calibration_slope": (gate.slope, 1.0), "calibration_intercept": (gate.intercept, 0.0)}
    for name, found in calibration.items():
        (lowest, highest), ideal = rails[name]
        if found.value is None or found.low is None or found.high is None:
            continue
        if not lowest <= found.value <= highest and not found.low <= ideal <= found.high:
            return (
                f"its probabilities are off: {name.replace('_', ' ')} {found}, where "
                f"{lowest:g} to {highest:g} is tolerated"
            )
    return None
