"""What requests of one kind went through before, during and after a cut."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.chaos.callers import Seen

PASSING = {429, 503}


class Cut(NamedTuple):
    """When something was cut off and restored; seconds of `time.monotonic`."""

    what: str
    mode: str
    began: float
    ended: float


class Figures(NamedTuple):
    """What one kind of request went through.

    Attributes
    ----------
    before_ms, during_ms : float
        99th percentile of the time to an answer, whichever it is.
    failed : int
        Not answered by 200, or by one that lacks a part, from the cut on.
    silent : int
        Of those, not told when to come back (503 without `Retry-After`, another status, nothing).
    answers : Counter of str
        Status and problem, during the cut.
    recovered : float
        Seconds after the restoration at which the last failure was sent; 0 where none was.
    """

    before_ms: float
    during_ms: float
    failed: int
    silent: int
    answers: Counter[str]
    recovered: float


def figures(seen: Sequence[Seen], cut: Cut, before: float, until: float) -> Figures:
    """Return the figures of a cut.

    Parameters
    ----------
    seen : sequence of Seen
    cut : Cut
    before, until : float
        When to look from, and to.

    Examples
    --------
    >>> seen = [Seen(at, 0.002, 200, False, "", {}) for at in (0.5, 1.5, 2.5)]
    >>> seen.append(Seen(2.25, 0.004, 503, True, "no-database", {}))
    >>> found = figures(seen, Cut("database", "hang", began=1.0, ended=2.0), 0.0, 3.0)
    >>> found.failed, found.silent, found.recovered, found.before_ms
    (1, 0, 0.25, 2.0)
    """
    earlier = [s for s in seen if before <= s.sent and s.sent + s.seconds < cut.began]
    during = [each for each in seen if cut.began <= each.sent < cut.ended]
    after = [each for each in seen if cut.ended <= each.sent < until]
    failures = [each for each in during + after if not is_fine(each)]
    late = [each.sent - cut.ended for each in after if not is_fine(each)]
    return Figures(
        percentile([each.seconds for each in earlier]) * 1e3,
        percentile([each.seconds for each in during]) * 1e3,
        len(failures),
        sum(not is_told(each) for each in failures),
        Counter(f"{each.status} {each.problem}".strip() for each in during),
        max(late, default=0.0),
    )


def is_fine(seen: Seen) -> bool:
    """Return whether a request was answered as it should be."""
    return seen.status == 200 and not seen.content.get("not_scored", {}).get("ctr", "").startswith(
        "The database"
    )


def is_told(seen: Seen) -> bool:
    """Return whether an answer says what it lacks, or when to come back."""
    return seen.status == 200 or (seen.status in PASSING and seen.retry_after)


def percentile(seconds: Sequence[float], share: float = 0.99) -> float:
    """Return the smallest value that `share` of all do not exceed; NaN where there is none.

    Examples
    --------
    >>> percentile([0.1, 0.3, 0.2])
    0.3
    """
    if not seconds:
        return math.nan
    return sorted(seconds)[min(len(seconds) - 1, math.ceil(share * len(seconds)) - 1)]
