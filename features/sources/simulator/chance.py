"""Draws that depend on nothing but what they are for, and the noise of every probability.

A draw is a hash of (seed, stream, customer, week): whoever asks, in whatever order, in whatever
chunk or process, gets the same number.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_FIRST, _SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_SPREAD = float(np.sqrt(3.0))


class Stream(IntEnum):
    """What a draw is for; a new one is added at the end, so that the others keep their numbers."""

    JOINS, PROSPECT, KNOWN, AGE, INCOME, SIZE, HOME, MARRIED, ZONE, HABIT, STORE = range(11)
    CONSENT, CONSENTED_AT, CONTACT, ORDER, ORDER_NOISE, VISIT, VISIT_NOISE = range(11, 18)
    RESPONSE, RESPONSE_NOISE, RESPONDED_AT, BASKET, BASKET_NOISE, QUANTITY, PRICE = range(18, 25)
    DISCOUNT, ITEM, BRAND, COUPON, WHERE, OTHER_STORE, ORDERED_AT, TICKET = range(25, 33)
    TICKET_AT, TICKET_KIND, SURVEY, SURVEY_AT, ANSWER, RETURN, RETURN_AT = range(33, 40)
    MAILER, SHOWN, PLACE, VISIT_AT, PAGES, OPEN, CLICK, OPENED_AT, CLICKED_AT = range(40, 49)
    OPENING, OPENING_AT, SIZE_OF_DEAL, PRODUCT, WIN, WIN_NOISE, CLOSED_AT = range(49, 56)
    LATE, LAG = range(56, 58)


def key(*parts: int) -> int:
    """Return 64 well-mixed bits of some integers.

    Examples
    --------
    >>> key(1, 2) == key(1, 2), key(1, 2) == key(2, 1)
    (True, False)
    """
    mixed = _GOLDEN
    for part in parts:
        mixed = ((mixed ^ (part & _MASK)) * _FIRST + _GOLDEN) & _MASK
        mixed = ((mixed ^ (mixed >> 30)) * _SECOND) & _MASK
        mixed ^= mixed >> 31
    return mixed


def uniform(whose: int | NDArray[np.uint64], customers: NDArray[Any]) -> Floats:
    """Return a number in [0, 1) for each customer, for the purpose that a key stands for.

    Parameters
    ----------
    whose : int or ndarray of uint64
        `key` of the purpose; several of them broadcast against the customers.
    customers : ndarray of int
        Their numbers.

    Source
    ------
    Steele, Lea and Flood (2014), Fast splittable pseudorandom number generators, OOPSLA: the
    finaliser of SplitMix64.

    Examples
    --------
    >>> all_at_once = uniform(key(7), np.arange(4))
    >>> bool((all_at_once[2:] == uniform(key(7), np.array([2, 3]))).all())
    True
    """
    start = np.uint64(whose) if isinstance(whose, int) else whose
    bits = customers.astype(np.uint64) * np.uint64(_GOLDEN) + start
    bits ^= bits >> np.uint64(30)
    bits *= np.uint64(_FIRST)
    bits ^= bits >> np.uint64(27)
    bits *= np.uint64(_SECOND)
    bits ^= bits >> np.uint64(31)
    return np.asarray((bits >> np.uint64(11)) * 2.0**-53)


def logistic(margin: Any) -> Floats:
    """Return 1 / (1 + exp(-margin))."""
    return np.asarray(1.0 / (1.0 + np.exp(-margin)), dtype=np.float64)


def noise(u: Any, size: float) -> Floats:
    """Return one customer's deviation in one week: -size·√3, 0 or size·√3 (1/6, 2/3, 1/6).

    Three points that have a normal distribution's mean, variance and further moments up to the
    fifth; their mean over a function is a sum of three terms, so nothing has to be approximated.
    """
    side = (np.asarray(u) >= 5 / 6).astype(np.float64) - (np.asarray(u) < 1 / 6)
    return np.asarray(side * (_SPREAD * size))


def expected(margin: Any, size: float) -> Floats:
    """Return the mean of ``logistic(margin + noise)`` over the noise: exact.

    Examples
    --------
    >>> float(expected(0.0, 0.5)), bool(expected(2.0, 0.5) < logistic(2.0))
    (0.5, True)
    """
    apart = _SPREAD * size
    ends = logistic(margin - apart) + logistic(margin + apart)
    return np.asarray((ends + 4.0 * logistic(margin)) / 6.0)
