"""Reasons as sentences, in English and Korean, with the customer's own value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from features.errors import BadInputError
from features.money import minor_units
from models.encoder import is_missing
from models.published import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Callable

    from models.published import PublishedFeature

_UNKNOWN = {"en": "not known", "ko": "알 수 없음"}
_YES_NO = {"en": ("no", "yes"), "ko": ("아니요", "예")}
_AFTER = {
    "en": {"raises": " (raises it by {})", "lowers": " (lowers it by {})"},
    "ko": {"raises": " (확률을 {} 높임)", "lowers": " (확률을 {} 낮춤)"},
}
MOST = 10.0
"""A ratio above this says "very many times": of two orders minutes apart the gap is almost zero."""
_OFF_SCALE = {"en": "more than 1,000%", "ko": "1,000% 초과"}


def check_language(language: str) -> None:
    """Refuse a language that has no words.

    Raises
    ------
    BadInputError
        Naming the ones there are.
    """
    if language not in LANGUAGES:
        raise BadInputError(
            "There are no words in this language.", remedy=f"Choose {' or '.join(LANGUAGES)}."
        )


def sentence_of(
    feature: PublishedFeature, currency: str, language: str = "en"
) -> Callable[[Any, float, str], str]:
    """Return the function that says one reason of a feature.

    It takes the customer's value (None or NaN is not known), the change of the probability
    (-1 to 1) and the direction ("raises" or "lowers"), and says what the feature is, the value
    and what it does to the probability. What depends on the feature alone is made here, once.

    Parameters
    ----------
    feature : PublishedFeature
    currency : str
        ISO 4217.
    language : {"en", "ko"}

    Examples
    --------
    >>> from models.published import PublishedFeature
    >>> words = {"en": "orders in the last 90 days", "ko": "최근 90일 주문 수"}
    >>> orders = PublishedFeature("order_count_90d", "int", "orders", (), words)
    >>> sentence_of(orders, "USD")(12, 0.04, "raises")
    'orders in the last 90 days: 12 (raises it by 4 points)'
    >>> sentence_of(orders, "USD", "ko")(12, -0.004, "lowers")
    '최근 90일 주문 수: 12 (확률을 0.4%p 낮춤)'
    """
    before = f"{feature.words[language]}: "
    after = {direction: end.format for direction, end in _AFTER[language].items()}

    def sentence(value: Any, effect: float, direction: str) -> str:
        said = value_words(feature, value, currency, language)
        return before + said + after[direction](points_words(effect, language))

    return sentence


def value_words(feature: PublishedFeature, value: Any, currency: str, language: str) -> str:
    """Return a value as people write it: money with its currency, shares in percent.

    Examples
    --------
    >>> from models.published import PublishedFeature
    >>> spent = PublishedFeature("order_amount_sum_90d", "float", "currency", (), {})
    >>> value_words(spent, 1234.5, "USD", "en"), value_words(spent, 1234.5, "KRW", "ko")
    ('USD 1,234.50', 'KRW 1,234')
    >>> late = PublishedFeature("recency_per_gap", "float", "share", (), {})
    >>> value_words(late, 1.25, "USD", "en"), value_words(late, 4e5, "USD", "en")
    ('125%', 'more than 1,000%')
    """
    if is_missing(value):
        return _UNKNOWN[language]
    if feature.dtype == "bool":
        return _YES_NO[language][bool(value)]
    if isinstance(value, str):
        return value
    number = float(value)
    if feature.unit == "currency":
        decimals = len(str(minor_units(currency))) - 1
        return f"{currency} {number:,.{decimals}f}"
    if feature.unit == "share":
        return _OFF_SCALE[language] if number > MOST else f"{_short(100.0 * number)}%"
    return _short(number)


def points_words(effect: float, language: str) -> str:
    """Return a change of probability in percentage points, without its sign.

    Examples
    --------
    >>> [points_words(effect, "en") for effect in (0.123, -0.01, 0.0004)]
    ['12 points', '1 point', 'less than 0.1 points']
    >>> points_words(0.0004, "ko")
    '0.1%p 미만'
    """
    points = abs(100.0 * effect)
    if points < 0.1:
        return "less than 0.1 points" if language == "en" else "0.1%p 미만"
    text = _trimmed(points, 1 if points < 10 else 0)
    if language == "ko":
        return f"{text}%p"
    return f"{text} point" if text == "1" else f"{text} points"


def _short(number: float) -> str:
    if abs(number) >= 100 or number == round(number):
        return f"{number:,.0f}"
    return _trimmed(number, 1 if abs(number) >= 10 else 2)


def _trimmed(number: float, decimals: int) -> str:
    text = f"{number:.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text
