"""Guard rails of promotion: what must not get worse while log loss gets better.

Each is a test with a margin that :class:`models.promotion.Gate` declares, and returns what it found
in words a marketer can read. Source: Piaggio et al. (2012), Reporting of noninferiority and
equivalence randomized trials: the interval is compared with the margin, not with zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from models.bootstrap import Estimate
from models.clustered import Grouped, mean_difference
from models.finding import Finding
from models.outcomes import Floats
from models.promotion import Gate

TOP = 0.1
IDEAL = {"calibration_slope": 1.0, "calibration_intercept": 0.0}
Timings = tuple[ArrayLike, ArrayLike]


@dataclass(frozen=True)
class Rail:
    """One condition beside the log loss.

    Attributes
    ----------
    name : str
    passed : bool
    words : str
        What was found, to be read after "but" where it stops.
    numbers : dict of str to float
        Those that decided.
    """

    name: str
    passed: bool
    words: str
    numbers: dict[str, float] = field(default_factory=dict)


def believable(gate: Gate, auc: float) -> Rail:
    """Return whether the challenger is not too good to be true."""
    if auc > gate.too_good:
        words = (
            f"its AUC of {auc:.3f} is too good to be true (above {gate.too_good:g}): look for a "
            "feature that knows the answer"
        )
        return Rail("too good", False, words, {"auc_challenger": auc})
    words = f"its AUC of {auc:.3f} can be true (at most {gate.too_good:g})"
    return Rail("too good", True, words, {"auc_challenger": auc})


def leak_free(findings: Sequence[Finding]) -> Rail:
    """Return whether no column was found to know the answer."""
    severe = [each for each in findings if each.severity == "severe"]
    numbers = {"findings": float(len(findings)), "severe_findings": float(len(severe))}
    said = cleared_words(findings)
    if not severe:
        words = "no column looks as if it knew the answer" + (f"; {said}" if said else "")
        return Rail("leaks", True, words, numbers)
    named = ", ".join(sorted({each.column or "the model as a whole" for each in severe}))
    first = severe[0]
    words = f"{named} may know the answer: {first.evidence.rstrip('.')}. {first.remedy.rstrip('.')}"
    return Rail("leaks", False, words, numbers)


def cleared_words(findings: Sequence[Finding]) -> str:
    """Return which columns people have cleared, and why; empty if none.

    Examples
    --------
    >>> found = Finding("tags", "missingness", "warning", "", "", 0.8, "Sales writes it first.")
    >>> print(cleared_words([found]))
    cleared by people: tags (Sales writes it first)
    """
    reasons = {each.column: each.cleared for each in findings if each.cleared}
    listed = "; ".join(f"{column} ({why.rstrip('.')})" for column, why in reasons.items())
    return f"cleared by people: {listed}" if listed else ""


def same_features(ok: bool) -> Rail:
    """Return whether the challenger was made from the features that will be served."""
    said = "the features that are served" if ok else "other features than those that are served"
    return Rail("feature hash", ok, f"it was trained on {said}", {"feature_hash_ok": float(ok)})


def calibrated(
    gate: Gate, ours: Mapping[str, Estimate], theirs: Mapping[str, Estimate] | None = None
) -> list[Rail]:
    """Return whether slope and intercept are tolerable, one rail each.

    Parameters
    ----------
    theirs : mapping of str to Estimate, optional
        The champion's; without one the challenger is stopped only by what is proven.
    """
    tolerated = {"calibration_slope": gate.slope, "calibration_intercept": gate.intercept}
    rails = []
    for name, found in ours.items():
        label = name.replace("_", " ")
        if found.value is None or found.low is None or found.high is None:
            rails.append(Rail(label, False, f"its {label} is not defined ({found.why})"))
            continue
        lowest, highest = tolerated[name]
        other = None if theirs is None else theirs[name].value
        sound = found.low <= IDEAL[name] <= found.high
        if theirs is None:
            sound |= lowest <= found.value <= highest
        else:
            sound |= lowest <= found.low and found.high <= highest
        closer = other is not None and abs(found.value - IDEAL[name]) <= abs(other - IDEAL[name])
        words = (
            f"its {label} is {found}"
            if sound
            else f"its {label} {found} is no further off than the champion's, {other:.3f}"
            if closer
            else f"its probabilities are off: {label} {found}, where {lowest:g} to {highest:g} is "
            "tolerated"
        )
        numbers = {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
        if other is not None:
            numbers[f"{name}_champion"] = other
        rails.append(Rail(label, sound or closer, words, numbers))
    return rails


def worst_segment(
    gate: Gate,
    y: Floats,
    losses: tuple[Floats, Floats],
    groups: Grouped,
    segments: Mapping[str, ArrayLike],
    *,
    first: bool,
) -> Rail:
    """Return whether the challenger is nowhere worse than its opponent by the margin.

    Parameters
    ----------
    losses : (ndarray of float64, ndarray of float64)
        Of challenger and opponent, row by row.
    segments : mapping of str to array-like of bool
        Which rows belong to each.
    first : bool
        Whether there is no champion yet: then only a likely loss stops, an unproven one does not.
    """
    ours, theirs = losses
    small: list[str] = []
    numbers: dict[str, float] = {}
    worst: tuple[float, str] | None = None
    for name, mask in segments.items():
        rows = np.flatnonzero(np.asarray(mask, dtype=bool))
        yes = float(y[rows].sum())
        if len(rows) < gate.segment_rows or min(yes, len(rows) - yes) < gate.segment_answers:
            small.append(name)
            continue
        scale = float(theirs[rows].mean())
        gap = mean_difference(ours[rows], theirs[rows], groups.take(rows), gate.alpha)
        mean, high = gap.mean / scale, gap.high / scale
        numbers |= {f"segment {name}": mean, f"segment {name} at most": high}
        judged = mean if first else high
        if worst is None or judged > worst[0]:
            worst = judged, f"{name} (log loss {mean:+.1%} of its opponent's, at most {high:+.1%})"
    left_out = f"; too small to be judged: {_listed(small)}" if small else ""
    if worst is None:
        none = "no declared segment is large enough" if small else "no segment is declared"
        return Rail("worst segment", True, none + left_out)
    passed = worst[0] <= gate.segment_margin
    words = (
        f"the worst of {len(numbers) // 2} declared segments is {worst[1]}{left_out}"
        if passed
        else f"it may serve some customers worse: {worst[1]}, where {gate.segment_margin:.0%} is "
        f"tolerated{left_out}"
    )
    return Rail("worst segment", passed, words, numbers)


def _listed(names: Sequence[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _in_top(p: Floats) -> Floats | None:
    """Return how much of each row belongs to the top tenth; None if a tie leaves no such tenth."""
    cut = TOP * len(p)
    least = -np.partition(-p, int(np.ceil(cut)) - 1)[int(np.ceil(cut)) - 1]
    above, tied = p > least, p == least
    if tied.sum() > 2 * cut:
        return None
    # Rows tied at the cut count with the part of them that fits, as in a random order.
    return np.asarray(above + tied * (cut - above.sum()) / tied.sum(), dtype=np.float64)


def kept_list(gate: Gate, challenger: Floats, champion: Floats, groups: Grouped) -> Rail:
    """Return whether the customers that would be contacted first are not all others."""
    ours, theirs = _in_top(challenger), _in_top(champion)
    if ours is None or theirs is None:
        said = "many share one probability, so there are no top tenths to compare"
        return Rail("top tenth", True, said)
    shared = mean_difference(ours * theirs / TOP, np.zeros(len(ours)), groups, gate.alpha)
    words = (
        f"{shared.mean:.0%} of the champion's top tenth stay in it "
        f"[{shared.low:.0%}, {shared.high:.0%}], where {gate.overlap:.0%} is the least"
    )
    numbers = {"overlap": shared.mean, "overlap_low": shared.low, "overlap_high": shared.high}
    return Rail("top tenth", shared.high >= gate.overlap, words, numbers)


def _median(timings: ArrayLike) -> tuple[float, float, float]:
    """Return the median with its interval by order statistics; one number is its own."""
    ordered = np.sort(np.atleast_1d(np.asarray(timings, dtype=np.float64)))
    n = len(ordered)
    low = max(0, int(np.floor(n / 2 - 0.98 * np.sqrt(n))))
    return float(ordered[low]), float(np.median(ordered)), float(ordered[n - 1 - low])


def quick_enough(gate: Gate, timings: Timings) -> Rail:
    """Return whether one score does not take much longer than the champion's.

    Parameters
    ----------
    timings : (array-like, array-like)
        Microseconds of single scores of challenger and champion, taken in turns; or one number
        each.
    """
    (_, ours, high), (low, theirs, _) = (_median(each) for each in timings)
    allowed = max(gate.latency_us, gate.latency * low)
    words = f"one score takes {ours:.0f} us against {theirs:.0f} us, up to {allowed:.0f} is allowed"
    numbers = {"latency_challenger_us": ours, "latency_champion_us": theirs}
    return Rail("latency", high <= allowed, words, numbers)
