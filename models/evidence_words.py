"""Counted evidence as sentences, made once: a request only looks one up."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any

from models.encoder import is_missing
from models.words import value_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from models.evidence import Counted, Evidence, Group
    from models.published import PublishedFeature, PublishedSpec

_WHO = {
    "en": {"lead": "prospects", "opportunity": "opportunities"},
    "ko": {"lead": "잠재 고객", "opportunity": "영업 기회"},
}
_CUSTOMERS = {"en": "customers", "ko": "고객"}
_SENTENCE = {
    "en": "{rate} of {who} with {what} {did}; {overall} overall",
    "ko": "{what} {who}의 {rate}가 {did} (전체 {overall})",
}
_NOT_COUNTED = ("", "text", "currency", "days", "share")
"""Units of integers of which there are not so many, as there are orders."""


def evidence_of(
    evidence: Evidence | None, spec: PublishedSpec, feature: PublishedFeature, language: str
) -> Callable[[Any], str]:
    """Return the function from a plain value of a feature to its evidence in words.

    It says "" where nothing was counted: too few customers, a text that is no group, or a
    version published without evidence.

    Parameters
    ----------
    evidence : Evidence or None
    spec : PublishedSpec
        Of the same model.
    feature : PublishedFeature
    language : {"en", "ko"}

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from models.evidence import Counted, Evidence, Group
    >>> from models.published import PublishedFeature
    >>> words = {"en": "orders in the last 30 days", "ko": "최근 30일 주문 수"}
    >>> orders = PublishedFeature("orders", "int", "orders", (), words)
    >>> counted = Counted((3.0,), (), (Group(400, 0.05), Group(60, 0.62)))
    >>> table = Evidence(0.12, {"en": "answered", "ko": "응답함"}, {"orders": counted})
    >>> spec = SimpleNamespace(entity="customer", currency="USD")
    >>> evidence_of(table, spec, orders, "en")(7)
    '62% of customers with 3 or more orders in the last 30 days answered; 12% overall'
    >>> evidence_of(table, spec, orders, "ko")(2)
    '최근 30일 주문 수 3 미만인 고객의 5%가 응답함 (전체 12%)'
    """
    counted = None if evidence is None else evidence.features.get(feature.name)
    if evidence is None or counted is None:
        return lambda value: ""

    def say(group: Group, what: str) -> str:
        return _SENTENCE[language].format(
            rate=_percent(group.rate),
            who=_WHO[language].get(spec.entity, _CUSTOMERS[language]),
            what=what,
            did=evidence.did[language],
            overall=_percent(evidence.rate),
        )

    what_of = _english if language == "en" else _korean
    known = [
        say(group, what_of(feature, *_range(feature, counted, i, spec.currency, language)))
        for i, group in enumerate(counted.groups)
    ]
    unknown = ""
    if counted.missing is not None:
        name = feature.words[language]
        what = f"unknown {name}" if language == "en" else f"{name} 알 수 없는"
        unknown = say(counted.missing, what)
    by_level, edges = dict(zip(counted.levels, known, strict=False)), counted.edges

    def look_up(value: Any) -> str:
        if is_missing(value):
            return unknown
        if isinstance(value, str):
            return by_level.get(value, "")
        return known[bisect_right(edges, value)]

    return look_up


def _range(
    feature: PublishedFeature, counted: Counted, i: int, currency: str, language: str
) -> tuple[str, str, str]:
    """The one value of a group in words, or its lower and its upper end; "" where there is none."""
    if counted.levels:
        return counted.levels[i], "", ""
    if feature.dtype == "bool":
        return value_words(feature, bool(i), currency, language), "", ""
    low = counted.edges[i - 1] if i else None
    high = counted.edges[i] if i < len(counted.edges) else None
    if feature.dtype == "int" and low is not None and high is not None:
        if high == low + 1:
            return value_words(feature, low, currency, language), "", ""
        high -= language == "en"  # "3 to 5", as one counts
    lower, upper = (
        "" if end is None else value_words(feature, end, currency, language) for end in (low, high)
    )
    return "", lower, upper


def _english(feature: PublishedFeature, only: str, lower: str, upper: str) -> str:
    name = feature.words["en"]
    if feature.dtype == "bool":
        return f'"{name}": {only}'
    counts = feature.dtype == "int" and feature.unit not in _NOT_COUNTED
    if counts and not lower and upper == "1":
        return f"no {name}"
    if lower and upper:
        said = f"{lower} to {upper}" if feature.dtype == "int" else f"{lower} to under {upper}"
    else:
        under = "fewer than" if counts else "under"
        said = only or (f"{lower} or more" if lower else f"{under} {upper}")
    return f"{said} {name}" if counts else f"{name} of {said}"


def _korean(feature: PublishedFeature, only: str, lower: str, upper: str) -> str:
    ends = (f"{lower} 이상" if lower else "", f"{upper} 미만" if upper else "")
    said = only or " ".join(end for end in ends if end)
    return f"{feature.words['ko']} {said}인"


def _percent(rate: float) -> str:
    return f"{100.0 * rate:.3g}%"
