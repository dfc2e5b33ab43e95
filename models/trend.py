"""How a score moved since an earlier one, and what moved it: the customer, or another version.

From the earlier score to this one there is a way of steps, and each step changes one thing: the
version, on the same values, or the values, under the same version. The steps of the first kind
are the model's, those of the second the customer's, and together they are the whole change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec

from features.clock import to_iso

LEAST = 0.005
"""A customer who moved the probability by less than half a point is flat..."""
LEAST_ODDS = 1.25
"""...and so is one who changed its odds by less than a quarter: 2 % to 2.5 %, 50 % to 55.6 %."""

_NOT_YET = {
    "en": {
        "call": "A score that is computed alone is compared with no earlier one; customers, lists "
        "and batch scores are.",
        "first": "There is no earlier score to compare with.",
        "promoted": "Another version made the last batch of scores; the next batch tells what it "
        "changed.",
    },
    "ko": {
        "call": "단독으로 계산한 점수는 이전 점수와 비교하지 않습니다. 고객, 목록, 일괄 점수에서 "
        "비교합니다.",
        "first": "비교할 이전 점수가 없습니다.",
        "promoted": "지난 일괄 점수는 다른 버전이 계산했습니다. 다음 일괄 점수에서 비교합니다.",
    },
}
_GIVEN = {
    "en": ("The customer moved it by {:+.1f} points", ", version {} in place of {} by {:+.1f}."),
    "ko": ("고객의 변화 {:+.1f}%p", ", 모델의 변화(버전 {1} → {0}) {2:+.1f}%p."),
}


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier score of the same row, and what the present version makes of its values.

    Attributes
    ----------
    probability : float
        As it was said.
    version : str
        Which said it.
    as_of : int
        Microseconds UTC: the moment it was judged at.
    again : float
        The present version's probability of that moment's values.
    """

    probability: float
    version: str
    as_of: int
    again: float


class Trend(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the probability moved since an earlier score.

    Attributes
    ----------
    status : {"given", "not_yet"}
        "not_yet" where there is nothing to compare with; the rest is then left out.
    why : str
        What moved it, or why there is none.
    since : str or None
        ISO 8601 UTC: the moment of the earlier score.
    change : float or None
        This probability minus the earlier one: the sum of the two that follow.
    by_customer, by_model : float or None
        What the customer's values changed, and what another version changed.
    direction : {"up", "down", "flat"} or None
        Of `by_customer`: a new version turns no arrow. Flat is less than 0.005, or odds that
        changed by less than a quarter.
    earlier_version, version : str or None
        Which made the two scores.
    """

    status: Literal["given", "not_yet"]
    why: str
    since: str | None = None
    change: float | None = None
    by_customer: float | None = None
    by_model: float | None = None
    direction: Literal["up", "down", "flat"] | None = None
    earlier_version: str | None = None
    version: str | None = None


NO_TREND = {
    language: {case: Trend(status="not_yet", why=why) for case, why in cases.items()}
    for language, cases in _NOT_YET.items()
}
"""Language -> case -> a trend that is not given, and why."""
ALONE = {language: cases["call"] for language, cases in NO_TREND.items()}
"""Language -> the trend of a score for which nobody looked at an earlier one."""


def trend_of(
    probability: float, version: str, earlier: Earlier | None, language: str = "en"
) -> Trend:
    """Return how a probability moved since an earlier score; without one, that there is none.

    Examples
    --------
    >>> trend = trend_of(0.35, "4", Earlier(0.30, "3", 0, again=0.25))
    >>> trend.direction, trend.why
    ('up', 'The customer moved it by +10.0 points, version 4 in place of 3 by -5.0.')
    """
    if earlier is None:
        return NO_TREND[language]["first"]
    by_customer = probability - earlier.again
    by_model = earlier.again - earlier.probability
    moved, replaced = _GIVEN[language]
    why = moved.format(100 * by_customer)
    if earlier.version == version:
        why += "."
    else:
        why += replaced.format(version, earlier.version, 100 * by_model)
    return Trend(
        status="given",
        why=why,
        since=to_iso(earlier.as_of),
        change=probability - earlier.probability,
        by_customer=by_customer,
        by_model=by_model,
        direction=direction_of(earlier.again, probability),
        earlier_version=earlier.version,
        version=version,
    )


def direction_of(before: float, after: float) -> Literal["up", "down", "flat"]:
    """Return which way a probability went, by `LEAST` and `LEAST_ODDS`.

    Examples
    --------
    >>> direction_of(0.02, 0.03), direction_of(0.5, 0.55), direction_of(0.98, 0.9)
    ('up', 'flat', 'down')
    """
    low, high = sorted((before, after))
    if high - low < LEAST:
        return "flat"
    # The odds are compared crosswise, for a probability of 1 has none.
    if high * (1 - low) < LEAST_ODDS * low * (1 - high):
        return "flat"
    return "up" if after > before else "down"
