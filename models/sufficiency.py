"""How much was known of whom a score is about."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import isnan
from typing import Any, Literal

import msgspec

PARTIAL_ABOVE = 0.25
"""With more than this share of the features missing the data are partial. Some are missing for
nearly everyone, such as the days since a first return that never came."""

_WHY = {
    "en": {
        "full": "{known} of {n} features are known.",
        "partial": "Only {known} of {n} features are known.",
        "none": "Nothing is known of the customer: the score rests on what is usual.",
        "no events": "The customer has no events yet: the score rests on what is usual.",
    },
    "ko": {
        "full": "특성 {n}개 중 {known}개를 알고 있습니다.",
        "partial": "특성 {n}개 중 {known}개만 알고 있습니다.",
        "none": "고객에 대해 알려진 것이 없어 일반적인 값에 근거한 점수입니다.",
        "no events": "고객의 이벤트가 아직 없어 일반적인 값에 근거한 점수입니다.",
    },
}


class Sufficiency(msgspec.Struct, frozen=True):
    """What a score rests on.

    Attributes
    ----------
    status : {"full", "partial", "none"}
        "none" if there is no event or no known feature; "partial" if more than a quarter of the
        features are missing; else "full".
    missing : list of str
        Names of the features that are missing.
    why : str
        The same for people.
    """

    status: Literal["full", "partial", "none"]
    missing: list[str]
    why: str


def missing_of(
    values: Sequence[Any], numbers: Sequence[float], names: Sequence[str | None]
) -> list[str]:
    """Return the names of the features that a row lacks.

    What the customer has counts as known, even a text that the model never saw.

    Parameters
    ----------
    values : sequence
        Raw feature values.
    numbers : sequence of float
        The same encoded: NaN where missing or never seen.
    names : sequence of str or None
        None for a feature that no training row had, which nobody lacks.

    Examples
    --------
    >>> nan = float("nan")
    >>> missing_of([3, None, "unseen"], [3.0, nan, nan], ["orders", "age", "channel"])
    ['age']
    """
    if not isnan(sum(numbers)):  # the common case
        return []
    return [
        name
        for number, value, name in zip(numbers, values, names, strict=True)
        if isnan(number) and name is not None and not isinstance(value, str)
    ]


def sufficiency(
    names: Sequence[str],
    missing: Sequence[bool],
    has_events: bool | None = None,
    language: str = "en",
) -> Sufficiency:
    """Return how far the data suffice.

    Parameters
    ----------
    names : sequence of str
        The features of the model that any training row had.
    missing : sequence of bool
        Which of them are missing.
    has_events : bool, optional
        Whether the customer has any event; None if nobody looked, as with inline features.

    Examples
    --------
    >>> sufficiency(["a", "b"], [False, True]).status
    'partial'
    >>> sufficiency(["a", "b"], [False, False], has_events=False).why
    'The customer has no events yet: the score rests on what is usual.'
    """
    gone = [name for name, is_missing in zip(names, missing, strict=True) if is_missing]
    return sufficiency_of(gone, len(names), has_events, language)


def sufficiency_of(
    missing: list[str], n: int, has_events: bool | None = None, language: str = "en"
) -> Sufficiency:
    """Return how far the data suffice if these are missing of `n` features; see `sufficiency`."""
    known = n - len(missing)
    status: Literal["full", "partial", "none"] = "full"
    if known == 0 or has_events is False:
        status = "none"
    elif len(missing) > PARTIAL_ABOVE * n:
        status = "partial"
    case = "no events" if has_events is False else status
    return Sufficiency(status, missing, _why(language, case, known, n))


@lru_cache(maxsize=1024)
def _why(language: str, case: str, known: int, n: int) -> str:
    return _WHY[language][case].format(known=known, n=n)
