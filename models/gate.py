"""Promotion as a statistical decision, with its reason in a sentence a marketer can read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from features.errors import NextbestError
from models import rails
from models.bootstrap import Difference, Estimate
from models.clustered import Grouped, calibration, mean_difference
from models.finding import Finding
from models.metrics import log_loss, log_losses
from models.outcomes import Floats
from models.promotion import Gate
from models.rails import Rail
from models.ranking import auc


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
    rails : list of dict
        Each guard rail that was judged: name, passed, words.
    """

    promote: bool
    publish: Literal["challenger", "baseline", "champion", "nothing"]
    baseline: str
    reason: str
    numbers: dict[str, float]
    rails: list[dict[str, Any]] = field(default_factory=list)


def decide(
    gate: Gate,
    y: ArrayLike,
    groups: ArrayLike,
    challenger: ArrayLike,
    baselines: Mapping[str, ArrayLike],
    champion: ArrayLike | None = None,
    *,
    findings: Sequence[Finding] = (),
    segments: Mapping[str, ArrayLike] | None = None,
    latency: rails.Timings | None = None,
    feature_hash_ok: bool = True,
    only_shown: Collection[str] = (),
) -> Decision:
    """Decide between a challenger and the champion, or the best baseline if there is none yet.

    The best baseline is the one that could be published: closest to what happened among those
    whose calibration can be believed. A first champion beats it, and is not proven worse than any.

    All probabilities are for the same rows, later in time than anything either was fitted to.
    Nothing is drawn, so the same rows give the same decision.

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
    findings : sequence of Finding
        Of the leak scan; a severe one stops.
    segments : mapping of str to array-like of bool, optional
        Rows of each declared segment.
    latency : (array-like, array-like), optional
        Microseconds of single scores of challenger and champion.
    feature_hash_ok : bool
        Whether the challenger was made from the features that will be served.
    only_shown : collection of str
        Baselines that cannot be published: no opponents, yet none may be proven better.

    Raises
    ------
    GateError
        If no baseline is given that can be published.
    MetricError
        If the rows hold one answer only, or probabilities are out of range.

    Examples
    --------
    >>> y, sharp, flat = [0, 0, 0, 1, 1, 1, 1, 0] * 25, ([0.25] * 4 + [0.75] * 4) * 25, [0.5] * 200
    >>> decision = decide(Gate(), y, range(200), sharp, {"constant rate": flat})
    >>> decision.promote, decision.publish
    (True, 'challenger')
    """
    if not set(baselines) - set(only_shown):
        raise GateError(
            "There is no baseline to judge against that could be published.",
            remedy="Give at least the constant rate.",
        )
    grouped = Grouped.of(groups)
    y_, p = np.asarray(y, dtype=np.float64), np.asarray(challenger, dtype=np.float64)
    losses = {name: log_loss(y, each) for name, each in baselines.items()}
    best, left_out = _publishable(gate, y, grouped, baselines, losses, only_shown)
    opponent, name = (
        (baselines[best], f"the best baseline ({best})")
        if champion is None
        else (champion, "the present champion")
    )
    ours, theirs = log_losses(y, p), log_losses(y, opponent)
    difference = mean_difference(ours, theirs, grouped, gate.alpha)
    numbers = {
        "rows": float(len(y_)),
        "customers": float(grouped.n),
        "log_loss_challenger": float(ours.mean()),
        "log_loss_opponent": float(theirs.mean()),
        f"log_loss_{best}": losses[best],
        "difference": difference.mean,
        "difference_low": difference.low,
        "difference_high": difference.high,
    }
    of_champion = None if champion is None else calibration(y, champion, grouped, gate.alpha)
    judged = [
        rails.believable(gate, auc(y, p)),
        rails.leak_free(findings),
        rails.same_features(feature_hash_ok),
        *rails.calibrated(gate, calibration(y, p, grouped, gate.alpha), of_champion),
        rails.worst_segment(
            gate, y_, (ours, theirs), grouped, segments or {}, first=champion is None
        ),
    ]
    compared = _compared(numbers, difference, name)
    if champion is not None:
        judged.append(rails.kept_list(gate, p, np.asarray(champion, np.float64), grouped))
    elif left_out is not None:
        closer = log_losses(y, baselines[left_out.name])
        judged.append(_not_worse(gate, ours, closer, grouped, left_out))
        compared += f"; {left_out.why}"
    if latency is not None:
        judged.append(rails.quick_enough(gate, latency))
    unbelievable = auc(y, baselines[best]) > gate.too_good
    return _concluded(judged, numbers, difference, compared, best, champion is None, unbelievable)


def _concluded(
    judged: Sequence[Rail],
    numbers: dict[str, float],
    difference: Difference,
    compared: str,
    best: str,
    first: bool,
    unbelievable: bool,
) -> Decision:
    """Return the decision that follows from the log loss and the rails."""
    for rail in judged:
        numbers = numbers | rail.numbers
    plain = [{"name": r.name, "passed": r.passed, "words": r.words} for r in judged]
    superior = difference.high < 0
    stopped = [rail for rail in judged if not rail.passed]
    if superior and not stopped:
        return Decision(True, "challenger", best, f"Promoted: {compared}.", numbers, plain)
    # A leak is said even where the log loss decides: whoever reads on would train with it again.
    said = stopped if superior else [rail for rail in stopped if rail.name in LOOKED_AT]
    why = f"Not promoted: {compared}" + (", but " if superior else "; moreover, ") * bool(said)
    why += "; and ".join(rail.words for rail in said) + "."

    def decided(publish: Literal["baseline", "champion", "nothing"], then: str) -> Decision:
        return Decision(False, publish, best, f"{why} {then}", numbers, plain)

    if not first:
        return decided("champion", "The present champion stays.")
    if unbelievable:
        return decided("nothing", "The baseline is too good as well; nothing is published.")
    if any(rail.name in TAINTS for rail in stopped):
        return decided("nothing", "A baseline reads the same columns; nothing is published.")
    return decided("baseline", f"The baseline itself ({best}) is published.")


TAINTS = {"leaks", "feature hash"}
"""Rails whose fault lies in the columns, which the baselines share."""
LOOKED_AT = TAINTS | {"too good"}


@dataclass(frozen=True)
class _LeftOut:
    """A baseline that comes closest to what happened but may not be published."""

    name: str
    why: str


def _publishable(
    gate: Gate,
    y: ArrayLike,
    groups: Grouped,
    baselines: Mapping[str, ArrayLike],
    losses: dict[str, float],
    only_shown: Collection[str],
) -> tuple[str, _LeftOut | None]:
    """Return the best baseline whose probabilities can be believed, and a better one that is not.

    A baseline takes the field when the challenger is not proven better, so it has to keep the
    calibration that is asked of the challenger. If none does, the best one is taken as it is.
    """
    ordered = sorted(losses, key=lambda name: losses[name])
    left_out: _LeftOut | None = None
    for name in ordered:
        found = calibration(y, baselines[name], groups, gate.alpha)
        # A constant has no slope; its intercept alone says whether it can be believed.
        fault = _fault(gate, {k: e for k, e in found.items() if e.value is not None})
        if name in only_shown:
            fault = "it is only shown"
        if fault is None:
            return name, left_out
        left_out = left_out or _LeftOut(name, f"{name} was no opponent, because {fault}")
    return next(name for name in ordered if name not in only_shown), None


def _fault(gate: Gate, found: Mapping[str, Estimate]) -> str | None:
    return next((rail.words for rail in rails.calibrated(gate, found) if not rail.passed), None)


def _not_worse(
    gate: Gate, ours: Floats, theirs: Floats, groups: Grouped, left_out: _LeftOut
) -> Rail:
    """Return whether the challenger is not even proven worse than who cannot be believed."""
    gap = mean_difference(ours, theirs, groups, gate.alpha)
    said = "further" if gap.low > 0 else "not proven further"
    words = f"it is {said} from what happened than {left_out.name}"
    return Rail("other baselines", gap.low <= 0, words)


def _compared(numbers: dict[str, float], difference: Difference, opponent: str) -> str:
    if difference.high < 0:
        verdict = "comes closer to what happened than"
    elif difference.low > 0:
        verdict = "is further from what happened than"
    else:
        verdict = "cannot be told apart from"
    return (
        f"on {numbers['rows']:,.0f} unseen rows of {numbers['customers']:,.0f} customers the new "
        f"model {verdict} {opponent} (log loss {numbers['log_loss_challenger']:.4f} against "
        f"{numbers['log_loss_opponent']:.4f}, difference {difference.mean:+.4f} "
        f"[{difference.low:+.4f}, {difference.high:+.4f}])"
    )
