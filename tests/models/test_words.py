from __future__ import annotations

import numpy as np
import pytest

from features.errors import BadInputError
from models.published import PublishedFeature
from models.words import check_language, points_words, sentence_of, value_words


def feature(dtype: str, unit: str) -> PublishedFeature:
    return PublishedFeature("f", dtype, unit, (), {"en": "words", "ko": "말"})


@pytest.mark.parametrize(
    ("dtype", "unit", "value", "words"),
    [
        ("int", "orders", 12, "12"),
        ("int", "orders", 1234567, "1,234,567"),
        ("int", "orders", np.int64(3), "3"),
        ("float", "days", 3.14159, "3.14"),
        ("float", "days", 31.4159, "31.4"),
        ("float", "days", 314.159, "314"),
        ("float", "days", -3.10, "-3.1"),
        ("float", "days", 2.0, "2"),
        ("float", "days", 0.001, "0"),
        ("float", "days", -0.001, "0"),
        ("float", "share", 0.3333, "33.3%"),
        ("float", "share", 1.5, "150%"),
        ("float", "currency", -12.5, "USD -12.50"),
        ("category", "text", "TypeA", "TypeA"),
        ("bool", "", True, "yes"),
        ("bool", "", 0.0, "no"),
        ("float", "days", None, "not known"),
        ("float", "days", float("nan"), "not known"),
        ("category", "text", None, "not known"),
        ("bool", "", None, "not known"),
    ],
)
def test_values_are_written_as_people_write_them(
    dtype: str, unit: str, value: object, words: str
) -> None:
    assert value_words(feature(dtype, unit), value, "USD", "en") == words


@pytest.mark.parametrize(
    ("currency", "words"), [("USD", "USD 1,234.57"), ("KRW", "KRW 1,235"), ("KWD", "KWD 1,234.567")]
)
def test_money_has_the_decimals_of_its_currency(currency: str, words: str) -> None:
    assert value_words(feature("float", "currency"), 1234.567, currency, "en") == words


@pytest.mark.parametrize(
    ("effect", "words"),
    [
        (0.0, "less than 0.1 points"),
        (-0.00099, "less than 0.1 points"),
        (0.001, "0.1 points"),
        (0.0099, "1 point"),
        (0.04, "4 points"),
        (-0.0449, "4.5 points"),
        (0.0999, "10 points"),
        (0.126, "13 points"),
        (-1.0, "100 points"),
    ],
)
def test_effects_are_points_without_a_sign(effect: float, words: str) -> None:
    assert points_words(effect, "en") == words
    assert points_words(-effect, "en") == words


def test_sentences_exist_in_both_languages() -> None:
    unknown = (None, -0.02, "lowers")
    member = feature("bool", "")
    assert sentence_of(member, "USD")(*unknown) == "words: not known (lowers it by 2 points)"
    assert sentence_of(member, "USD", "ko")(*unknown) == "말: 알 수 없음 (확률을 2%p 낮춤)"
    yes = (True, 0.0001, "raises")
    assert sentence_of(member, "USD", "ko")(*yes) == "말: 예 (확률을 0.1%p 미만 높임)"


def test_a_language_without_words_names_those_with() -> None:
    with pytest.raises(BadInputError, match="Choose en or ko"):
        check_language("de")
